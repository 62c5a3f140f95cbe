"""When the cloud has not enough: what of, by Google's own words, and where else there may be some."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cloudml_magic.catalogue import catalogue
from cloudml_magic.records import Machine

NOT_ENOUGH_QUOTA = "not-enough-quota"
_EXCEEDED = re.compile(r"quota metrics exceed quota limits: (.+)", re.IGNORECASE)
_METRIC = re.compile(r"(?:[\w.-]+/)?custom_model_(?:training|serving)_(preemptible_)?(\w+)")
_INSUFFICIENT = re.compile(r"Resources are insufficient in region: ([a-z0-9-]+)", re.IGNORECASE)
_NEARBY = 4


def exceeded_metrics(message: str) -> list[str]:
    """The metrics whose limits a refusal names."""
    found = _EXCEEDED.search(message)
    return [name.strip(" .") for name in found[1].split(",")] if found else []


def region_without_stock(message: str) -> str | None:
    """The region of which a failure says that nothing is free there."""
    found = _INSUFFICIENT.search(message)
    return found[1] if found else None


def counted_by(metric: str) -> tuple[str, bool] | None:
    """What a quota of Vertex AI counts (`T4`, `CPUs`), and whether of machines that may be taken away."""
    found = _METRIC.fullmatch(metric)
    if found is None:
        return None
    ending = found[2]
    for kind in catalogue().accelerators.values():
        if kind.quota == ending:
            return kind.name, bool(found[1])
    if ending == "cpus":
        return "CPUs", bool(found[1])
    return ending.removeprefix("nvidia_").removesuffix("_gpus").upper().replace("_", "-"), bool(found[1])


def elsewhere(kind: str, region: str) -> tuple[str, ...]:
    """Other regions that have an accelerator, those of the same continent first."""
    known = catalogue().accelerators.get(kind)
    if known is None:
        return ()
    continent = region.partition("-")[0]
    others = [name for name in known.regions if name != region]
    return tuple(sorted(others, key=lambda name: (name.partition("-")[0] != continent, name)))[:_NEARBY]


def failure_advice(message: str, machines: Sequence[tuple[Machine, int]]) -> str | None:
    """What to do about a job that failed because nothing was free where it was sent."""
    region = region_without_stock(message)
    if region is None:
        return None
    kinds = [machine.accelerator.kind for machine, _ in machines if machine.accelerator]
    return (try_elsewhere(kinds[0], region) if kinds else "") or "Try another region, or the same one later."


def try_elsewhere(kind: str, region: str) -> str:
    """Advice in words; nothing where there is no other region."""
    others = elsewhere(kind, region)
    return (
        f"{kind} is also in {', '.join(others)}: --regions {region},{','.join(others)} tries them in order."
        if others
        else ""
    )
