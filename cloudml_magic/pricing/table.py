"""The dated table that the package brings, for whenever Google's own price list is out of reach.

It has Compute Engine's rates. Vertex AI adds its management fee, a share of the standard rate, also to spot machines.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from cloudml_magic import catalogue
from cloudml_magic.pricing.price_list import PriceList, Rate

_TABLE = Path(catalogue.__file__).with_name("prices.json")


@cache
def dated_table(region: str) -> PriceList:
    """What is known of a region; an unknown one has no rates."""
    table = _table()
    fee: float = table["management_fee"]
    rates = {
        name: Rate(standard * (1 + fee), None if spot is None else spot + standard * fee)
        for name, regions in table["rates"].items()
        if region in regions
        for standard, spot in (regions[region],)
    }
    return PriceList(region, table["currency"], f"table of {table['date']}", rates)


@cache
def _table() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_TABLE.read_text("utf-8"))
    return found
