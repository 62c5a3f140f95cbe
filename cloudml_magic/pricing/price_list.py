"""The price of a machine: of the whole where a list has it, else the sum of its parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cloudml_magic.catalogue import catalogue
from cloudml_magic.records import Accelerator, Price

# Their vCPUs and memory have prices of their own within the family.
_APART = ("a3-megagpu", "a3-ultragpu")


@dataclass(frozen=True, slots=True)
class Rate:
    """What an hour of something costs on Vertex AI, everything included; None where it is not known."""

    standard: float | None
    spot: float | None = None


@dataclass(frozen=True, slots=True)
class PriceList:
    """Rates of one region: of whole machines (`g2-standard-8`), of accelerators (`T4`), of `n1/vcpu` and `n1/gib`."""

    region: str
    currency: str
    source: str
    rates: Mapping[str, Rate]

    def hourly(self, machine_type: str, accelerator: Accelerator | None, *, spot: bool) -> float | None:
        """What an hour of a machine costs; nothing if a part of it has no rate."""
        total = 0.0
        for name, amount in self._parts(machine_type, accelerator).items():
            rate = self.rates.get(name, Rate(None))
            hour = rate.spot if spot else rate.standard
            if hour is None:
                return None
            total += amount * hour
        return total

    def _parts(self, machine_type: str, accelerator: Accelerator | None) -> Mapping[str, float]:
        if machine_type in self.rates:
            return {machine_type: 1}
        known = catalogue().machine_types.get(machine_type)
        if known is None or known.vcpus is None or known.memory_gib is None:
            return {machine_type: 1}
        family = known.series if known.series in _APART else known.family
        parts: dict[str, float] = {f"{family}/vcpu": known.vcpus, f"{family}/gib": known.memory_gib}
        return parts | ({accelerator.kind: accelerator.count} if accelerator else {})


def price_of(
    lists: Iterable[PriceList],
    machine_type: str,
    accelerator: Accelerator | None = None,
    *,
    spot: bool = False,
    flexible: bool = False,
    replicas: int = 1,
) -> Price | None:
    """The price of machines in the first list that has it.

    A flexible start costs less than the standard price, which is therefore its limit.
    """
    for prices in lists:
        hourly = prices.hourly(machine_type, accelerator, spot=spot)
        if hourly is not None:
            return Price(hourly * replicas, prices.currency, prices.source, is_limit=flexible)
    return None
