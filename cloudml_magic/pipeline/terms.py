"""On what a job runs, where, for how long and for how much: all that is agreed before any code is looked at."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cloudml_magic.catalogue import catalogue
from cloudml_magic.connection import Place
from cloudml_magic.dialects.machines import asked_machine, check_for_training, machine_title, machine_type
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.budget import longest_run, parse_amount
from cloudml_magic.pipeline.options import TrainOptions, seconds, split_list
from cloudml_magic.pricing import dated_table
from cloudml_magic.records import Machine, Price, Target
from cloudml_magic.settings import Settings

PriceOf = Callable[[Machine, Sequence[str]], Price | None]
"""What an hour of a machine costs at most in some regions."""

_LONGEST_FLEXIBLE = 7 * 86_400
# https://cloud.google.com/blog/products/compute/announcing-smaller-machine-types-for-a3-high-vms
_NEVER_STANDARD = frozenset({"a3-highgpu-1g", "a3-highgpu-2g", "a3-highgpu-4g"})


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed; `warnings` are what may come in the way."""

    machine: Machine
    image: str | None
    regions: tuple[str, ...]
    price: Price | None
    timeout_seconds: int | None
    max_wait_seconds: int | None
    warnings: tuple[str, ...]


def terms(options: TrainOptions, settings: Settings, place: Place, price_of: PriceOf) -> Terms:
    """What a user's options and settings come to; refused in words where they cannot be kept."""
    machine = asked_machine(
        settings.value("machine", options.machine),
        settings.value("gpu", options.gpu),
        spot=options.spot,
        flexible=options.flex_start,
    )
    check_for_training(machine)
    image = settings.value("image", options.image)
    in_cloud = place.target is Target.CLOUD
    if in_cloud:
        _check_tpu_image(machine, image)
    regions = _regions(options, place)
    price = price_of(machine, regions)
    return Terms(
        machine=machine,
        image=image,
        regions=regions,
        price=price,
        timeout_seconds=_timeout(options, machine, price, place.target),
        max_wait_seconds=_max_wait(options),
        warnings=_warnings(machine, regions) if in_cloud else (),
    )


def _regions(options: TrainOptions, place: Place) -> tuple[str, ...]:
    """Where to try, in order; this machine is one region, whatever is said."""
    names = split_list(options.regions)
    for name in names:
        if not re.fullmatch(r"[a-z]+-[a-z]+[0-9]+", name):
            raise CloudMLError(
                "bad-region", f"{name!r} is no region.", next="Write them as --regions us-central1,europe-west4."
            )
    return tuple(dict.fromkeys(names)) if names and place.target is Target.CLOUD else (place.region,)


def _timeout(options: TrainOptions, machine: Machine, price: Price | None, target: Target) -> int | None:
    """How long the job may run: by the clock, and by what it may cost where it costs anything."""
    asked = seconds(options.timeout)
    max_cost = None if options.max_cost is None else parse_amount(options.max_cost)
    found = longest_run(asked, max_cost, price, machine_title(machine)) if target is Target.CLOUD else asked
    if machine.flexible and found is not None and found > _LONGEST_FLEXIBLE:
        raise CloudMLError(
            "bad-option", "A job with --flex-start runs for seven days at most.", next="Lower --timeout, such as 7d."
        )
    return found


def _max_wait(options: TrainOptions) -> int | None:
    if options.max_wait is not None and not options.flex_start:
        raise CloudMLError(
            "bad-option", "--max-wait says how long --flex-start may wait.", next="Add --flex-start, or leave it out."
        )
    return seconds(options.max_wait)


def _slip(region: str) -> str:
    """A region where nothing has a price, and the one that may be meant."""
    near = difflib.get_close_matches(region, catalogue().regions, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"{region} is no region that is known, as of {catalogue().date}.{meant}"


def _check_tpu_image(machine: Machine, image: str | None) -> None:
    accelerator = machine.accelerator
    if accelerator and catalogue().accelerators[accelerator.kind].is_tpu and image is None:
        raise CloudMLError(
            "tpu-without-image",
            f"No public image of this kernel's framework knows {accelerator.kind}.",
            why="TensorFlow, JAX and PyTorch need a build for TPUs and libtpu beside it.",
            next="Name an image that has them with --image, or choose a GPU.",
        )


def _warnings(machine: Machine, regions: Sequence[str]) -> tuple[str, ...]:
    """What the catalogue doubts; it may be older than Google's offer, so nothing is refused for it."""
    found = [_slip(region) for region in regions if not dated_table(region).rates]
    accelerator = machine.accelerator
    if accelerator is None:
        return tuple(found)
    name = machine_type(machine)
    if name in _NEVER_STANDARD and not machine.restarts:
        found.append(f"{name} can be had with --spot or --flex-start only; --gpu {accelerator.kind}:8 without them.")
    known = catalogue().accelerators[accelerator.kind].regions
    if absent := [region for region in regions if region not in known and dated_table(region).rates]:
        found.append(f"{accelerator.kind} is not known to be in {', '.join(absent)}; it is in {', '.join(known)}.")
    return tuple(found)
