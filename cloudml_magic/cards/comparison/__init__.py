"""What `%ml_compare` shows: curves over each other, and a table in which what differs stands out."""

from cloudml_magic.cards.comparison.bundle import COMPARISON_MIME, bundle

__all__ = ["COMPARISON_MIME", "bundle"]
