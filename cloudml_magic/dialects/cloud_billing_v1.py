"""Cloud Billing's public price list: which of its entries are about training on Vertex AI, and what they say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cloudml_magic.catalogue import catalogue
from cloudml_magic.dialects.call import Call

API = ("cloudbilling", "v1")
_VERTEX_AI = "services/C7E2-9256-1C43"
_TRAINING = re.compile(r"Vertex AI: Training/Pipelines on (.+?)(?: running)? in .+", re.IGNORECASE)
_INSTANCE = re.compile(r"(\w+?)(?: Predefined)? Instance (Core|Ram)", re.IGNORECASE)
_UNITS = {"core": "vcpu", "ram": "gib"}
_PER_HOUR = ("h", "GiBy.h", "GBy.h")
_BRAND_WORDS = frozenset({"NVIDIA", "TESLA", "GPU"})


def list_skus(page_token: str | None = None) -> Call:
    """A page of everything that Vertex AI sells."""
    parameters: dict[str, str | int] = {"parent": _VERTEX_AI, "pageSize": 5000, "currencyCode": "USD"}
    if page_token:
        parameters["pageToken"] = page_token
    return Call("cloudbilling.services.skus.list", parameters)


def read_rates(body: Mapping[str, Any], region: str) -> tuple[dict[str, float], str | None]:
    """The hourly rates of a page for training in a region, by what they are for, and the token of the next page."""
    rates = {}
    for sku in body.get("skus", []):
        name = _what(str(sku.get("description", ""))) if region in sku.get("serviceRegions", []) else None
        rate = _hourly(sku)
        if name and rate is not None:
            rates[name] = rate
    return rates, body.get("nextPageToken") or None


def _what(description: str) -> str | None:
    """`n1/vcpu`, `n1/gib` or `T4`; nothing for what is no part of a machine.

    Matched from the beginning: the management fee of machines that are billed elsewhere has a name that is much alike.
    """
    training = _TRAINING.fullmatch(description)
    if training is None:
        return None
    if instance := _INSTANCE.fullmatch(training[1]):
        return f"{instance[1].lower()}/{_UNITS[instance[2].lower()]}"
    words = set(training[1].upper().split()) - _BRAND_WORDS
    for kind in catalogue().accelerators.values():
        if kind.api_name and set(kind.api_name.split("_")) - _BRAND_WORDS == words:
            return kind.name
    return None


def _hourly(sku: Mapping[str, Any]) -> float | None:
    """The rate of the last tier of the latest pricing."""
    try:
        expression = sku["pricingInfo"][-1]["pricingExpression"]
        price = expression["tieredRates"][-1]["unitPrice"]
    except (KeyError, IndexError):
        return None
    if expression.get("usageUnit") not in _PER_HOUR:
        return None
    return int(price.get("units", 0)) + int(price.get("nanos", 0)) / 1e9
