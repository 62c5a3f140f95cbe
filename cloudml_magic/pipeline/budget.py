"""From what a job may cost to how long it may run, and from an hour's price to what is said of it."""

from __future__ import annotations

import re

from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import Price
from cloudml_magic.wording import duration, money, price_words

_LEAST_SECONDS = 60


def parse_amount(text: str | float) -> float:
    """`5`, `5.50` or `$5` as an amount of the price list's currency."""
    plain = str(text).strip().removeprefix("$")
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,2})?", plain) or float(plain) == 0:
        raise CloudMLError(
            "bad-amount",
            f"--max-cost {str(text)!r} is no amount of money.",
            next="Write dollars, such as --max-cost 5 or --max-cost 2.50.",
        )
    return float(plain)


def longest_run(timeout: int | None, max_cost: float | None, price: Price | None, machine: str) -> int | None:
    """The seconds that a job may run: what was asked for, and no more than the money buys."""
    if max_cost is None:
        return timeout
    if price is None:
        raise CloudMLError(
            "unknown-price",
            f"--max-cost cannot be kept: what an hour of {machine} costs here is not known.",
            next="Say how long it may run instead, such as --timeout 2h.",
        )
    affordable = int(max_cost / price.per_hour * 3600)
    if affordable < _LEAST_SECONDS:
        raise CloudMLError(
            "max-cost-too-small",
            f"{money(max_cost, price.currency)} buys only {affordable} s of {machine}.",
            why=f"It costs {price_words(price)}.",
            next="Raise --max-cost, or choose a smaller machine.",
        )
    return affordable if timeout is None else min(timeout, affordable)


def cost_words(price: Price | None, timeout: int | None) -> str:
    """What an hour costs, and what the job can cost at most where there is an end to it."""
    if price is None:
        return "What an hour costs is not known."
    words = price_words(price)
    if timeout is not None:
        words += f"; at most {money(price.cost(timeout).amount, price.currency)} in {duration(timeout)}"
    return words[0].upper() + words[1:] + ". Disk, storage and traffic are not in it."
