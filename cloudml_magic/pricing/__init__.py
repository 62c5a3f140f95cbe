"""What machines cost: price lists of a region, and the price of a machine in them; reads nothing but its own table."""

from cloudml_magic.pricing.price_list import PriceList, Rate, price_of
from cloudml_magic.pricing.table import dated_table

__all__ = ["PriceList", "Rate", "dated_table", "price_of"]
