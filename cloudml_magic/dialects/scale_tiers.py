"""The scale tiers and machine types of AI Platform, as machines of today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cloudml_magic.errors import CloudMLError

_CUSTOM = "CUSTOM"
_NO_K80 = "its K80 is gone from Google's cloud"


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
    "BASIC_GPU": ScaleTier("n1-standard-8", "T4", _NO_K80),
    "BASIC_TPU": ScaleTier("cloud-tpu", "TPU-V2:8"),
}

# What a master of the tier CUSTOM could be before it could be a machine type of Compute Engine.
MASTER_TYPES: Mapping[str, ScaleTier] = {
    "standard": ScaleTier("n1-standard-4"),
    "large_model": ScaleTier("n1-highmem-8"),
    "complex_model_s": ScaleTier("n1-highcpu-8"),
    "complex_model_m": ScaleTier("n1-highcpu-16"),
    "complex_model_l": ScaleTier("n1-highcpu-32"),
    "standard_gpu": ScaleTier("n1-standard-8", "T4", _NO_K80),
    "complex_model_m_gpu": ScaleTier("n1-standard-16", "T4:4", _NO_K80),
    "complex_model_l_gpu": ScaleTier("n1-standard-32", "T4:4", f"{_NO_K80}, and a machine carries four T4 at most"),
    "standard_p100": ScaleTier("n1-standard-8", "P100"),
    "complex_model_m_p100": ScaleTier("n1-standard-16", "P100:4"),
    "standard_v100": ScaleTier("n1-standard-8", "V100"),
    "large_model_v100": ScaleTier("n1-highmem-8", "V100"),
    "complex_model_m_v100": ScaleTier("n1-standard-16", "V100:4"),
    "complex_model_l_v100": ScaleTier("n1-standard-32", "V100:8"),
    "cloud_tpu": SCALE_TIERS["BASIC_TPU"],
}


def scale_tier(name: str, master_type: str | None = None) -> ScaleTier:
    """The machine of a tier; of CUSTOM it is the one that its master type names."""
    if name.upper() == _CUSTOM:
        return _master(master_type)
    found = SCALE_TIERS.get(name.upper())
    if found is None:
        raise CloudMLError(
            "unknown-scale-tier",
            f"The scale tier {name} cannot be used here: the tiers are {', '.join(SCALE_TIERS)} and {_CUSTOM}.",
            next="Say what to run on instead: `%ml_init --machine n1-standard-8 --gpu T4`.",
        )
    if master_type is not None:
        raise CloudMLError(
            "unknown-scale-tier",
            f"-masterType {master_type} does not go with the scale tier {name}.",
            why=f"A tier says itself what its master is; only {_CUSTOM} is told.",
            next=f"Write -scaleTier {_CUSTOM} -masterType {master_type}, or leave -masterType out.",
        )
    return found


def _master(master_type: str | None) -> ScaleTier:
    if master_type is None:
        raise CloudMLError(
            "unknown-scale-tier",
            f"The scale tier {_CUSTOM} says nothing without its machine type.",
            next=f"Write -scaleTier {_CUSTOM} -masterType complex_model_m_gpu, or `%ml_init --machine n1-standard-8`.",
        )
    # A machine type of Compute Engine is one of today; the settings check that there is such a one.
    return MASTER_TYPES.get(master_type.lower(), ScaleTier(master_type))
