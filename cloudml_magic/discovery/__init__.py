"""Google's own API documents, as URL table and schema for both ends of the wire."""

from cloudml_magic.discovery.bodies import BodyError, Violation, normalise, violations
from cloudml_magic.discovery.documents import Document, Match, Method, document
from cloudml_magic.discovery.parameters import normalise_parameters

__all__ = [
    "BodyError",
    "Document",
    "Match",
    "Method",
    "Violation",
    "document",
    "normalise",
    "normalise_parameters",
    "violations",
]
