"""What machines cost where jobs go: Google's price list of today, kept for a day, before the package's dated table."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from cloudml_magic.client import Caller
from cloudml_magic.client.calls import LostReplyError
from cloudml_magic.connection import Connection
from cloudml_magic.dialects import cloud_billing_v1
from cloudml_magic.dialects.machines import machine_type
from cloudml_magic.errors import CloudMLError
from cloudml_magic.places import price_list_file
from cloudml_magic.pricing import PriceList, Rate, dated_table, price_of
from cloudml_magic.records import Machine, Price, Target
from cloudml_magic.trainer.whole_files import put

_DAY = 86_400.0
_SECONDS_BETWEEN_ATTEMPTS = 600.0
_MOST_PAGES = 20
_LAST_ATTEMPT: dict[str, float] = {}


def machine_price(machine: Machine, there: Connection, replicas: int = 1) -> Price | None:
    """What an hour of a machine costs; nothing where it is not known, or costs nothing: on this machine."""
    if there.place.target is Target.LOCAL:
        return None
    return price_of(
        price_lists(there),
        machine_type(machine),
        machine.accelerator,
        spot=machine.spot,
        flexible=machine.flexible,
        replicas=replicas,
    )


def dearest_price(machine: Machine, places: Sequence[Connection]) -> Price | None:
    """The most that an hour costs wherever a job may go; nothing if it is not known for one of them."""
    prices = [machine_price(machine, there) for there in places]
    known = sorted((price for price in prices if price), key=lambda price: price.per_hour)
    if not known or len(known) < len(prices):
        return None
    return replace(known[-1], is_limit=known[-1].is_limit or known[0].per_hour < known[-1].per_hour)


def price_lists(there: Connection) -> list[PriceList]:
    """The lists for a place, the one to believe first."""
    region = there.place.region
    todays = _kept(price_list_file(region), region) or _fetched(there)
    return [*([todays] if todays else []), dated_table(region)]


def _fetched(there: Connection) -> PriceList | None:
    """Google's list of now; nothing where it cannot be had, and then it is not asked for again soon."""
    region = there.place.region
    if time.monotonic() - _LAST_ATTEMPT.get(region, -math.inf) < _SECONDS_BETWEEN_ATTEMPTS:
        return None
    _LAST_ATTEMPT[region] = time.monotonic()
    try:
        rates = _rates(there.caller(cloud_billing_v1.API), region)
    except (CloudMLError, LostReplyError):
        return None
    document = {"time": time.time(), "rates": rates}
    file = price_list_file(region)
    with suppress(OSError):
        put(str(file.parent), file.name, json.dumps(document).encode())
    return _price_list(region, document)


def _rates(caller: Caller, region: str) -> dict[str, float]:
    rates: dict[str, float] = {}
    page_token: str | None = None
    for _ in range(_MOST_PAGES):
        found, page_token = cloud_billing_v1.read_rates(caller.once(cloud_billing_v1.list_skus(page_token)), region)
        rates |= found
        if page_token is None:
            break
    return rates


def _kept(file: Path, region: str) -> PriceList | None:
    """The list that was fetched within the last day."""
    try:
        document = json.loads(file.read_text("utf-8"))
        is_fresh = 0 <= time.time() - document["time"] < _DAY
        return _price_list(region, document) if is_fresh else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _price_list(region: str, document: dict[str, Any]) -> PriceList:
    date = time.strftime("%Y-%m-%d", time.gmtime(document["time"]))
    rates = {str(name): Rate(float(rate)) for name, rate in document["rates"].items()}
    return PriceList(region, "USD", f"price list of {date}", rates)
