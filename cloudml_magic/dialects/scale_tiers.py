"""The scale tiers of AI Platform, as machines of today."""

from __future__ import annotations

from dataclasses import dataclass

from cloudml_magic.errors import CloudMLError


@dataclass(frozen=True, slots=True)
class ScaleTier:
    """The machine and the accelerator that come nearest, and what is different about them."""

    machine: str
    gpu: str | None = None
    note: str = ""


SCALE_TIERS = {
    "BASIC": ScaleTier("n1-standard-4"),
    "STANDARD_1": ScaleTier("n1-highcpu-8", note="it had several workers; a job here has one machine"),
    "PREMIUM_1": ScaleTier("n1-highcpu-16", note="it had many workers; a job here has one machine"),
    "BASIC_GPU": ScaleTier("n1-standard-8", "T4", "its K80 is gone from Google's cloud"),
    "BASIC_TPU": ScaleTier("cloud-tpu", "TPU-V2:8"),
}


def scale_tier(name: str) -> ScaleTier:
    """The tier of a name; CUSTOM says nothing without its machine types."""
    found = SCALE_TIERS.get(name.upper())
    if found is None:
        known = "it needs a machine type" if name.upper() == "CUSTOM" else f"the tiers are {', '.join(SCALE_TIERS)}"
        raise CloudMLError(
            "unknown-scale-tier",
            f"The scale tier {name} cannot be used here: {known}.",
            next="Say what to run on instead: `%ml_init --machine n1-standard-8 --gpu T4`.",
        )
    return found
