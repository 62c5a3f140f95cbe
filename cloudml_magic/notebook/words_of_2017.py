"""What `%ml_init` was told in 2017, in today's settings."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Mapping
from dataclasses import dataclass

from cloudml_magic.dialects.scale_tiers import ScaleTier, scale_tier
from cloudml_magic.errors import CloudMLError

_OPTIONS = ("projectId", "bucket", "region", "scaleTier", "masterType", "runtimeVersion")


@dataclass(frozen=True, slots=True)
class Translated:
    """Settings of today, and what is to be said about them."""

    settings: Mapping[str, str]
    notes: tuple[str, ...]


def is_of_2017(line: str) -> bool:
    """Whether a line is written with the options of then: one dash, and capitals within."""
    return any(word.lstrip("-") in _OPTIONS and not word.startswith("--") for word in line.split() if word[0] == "-")


def translated(line: str, cell: str | None) -> Translated:
    """The settings that a line of 2017, and the dictionary beneath it, stand for."""
    given = _read(line)
    tier, named = _tier(given["scaleTier"], given["masterType"])
    requires = requires_of(cell)
    settings = {
        "project": given["projectId"],
        "bucket": given["bucket"],
        "region": given["region"],
        "machine": tier.machine if tier else None,
        "gpu": (tier.gpu or "none") if tier else None,
        "requires": ",".join(requires) if requires else None,
    }
    known = {name: value for name, value in settings.items() if value is not None}
    today = " ".join(f"--{name.replace('_', '-')} {_quoted(value)}" for name, value in known.items())
    notes = [f"These are the options of 2017. Today: %ml_init {today}"]
    if tier and tier.note:
        notes.append(f"{named} is {_named(tier.machine, tier.gpu)} now: {tier.note}.")
    if given["runtimeVersion"]:
        notes.append(
            f"Runtime {given['runtimeVersion']} is gone; a job runs the TensorFlow and the Keras of this kernel."
        )
    return Translated(known, tuple(notes))


def _tier(scale: str | None, master_type: str | None) -> tuple[ScaleTier | None, str]:
    """The machine that is meant, and the word for it; a master type alone means the tier that can have one."""
    if scale is None and master_type is None:
        return None, ""
    return scale_tier(scale or "CUSTOM", master_type), master_type or str(scale)


def _read(line: str) -> dict[str, str | None]:
    parser = argparse.ArgumentParser(prog="ml_init", add_help=False, exit_on_error=False, allow_abbrev=False)
    for option in _OPTIONS:
        parser.add_argument(f"-{option}")
    try:
        found, rest = parser.parse_known_args(line.split())
    except argparse.ArgumentError as problem:
        raise _refused(line, str(problem)) from None
    if rest:
        raise _refused(line, f"{rest[0]} is none of the options of 2017.")
    return vars(found)


def requires_of(cell: str | None) -> list[str]:
    """The `install_requires` of the cell, which is read and not run."""
    if cell is None or not cell.strip():
        return []
    try:
        found = ast.literal_eval(cell.strip())
        requires = found.get("install_requires", [])
        if not isinstance(requires, list) or not all(isinstance(each, str) for each in requires):
            raise TypeError("install_requires is no list of names")
    except (ValueError, SyntaxError, TypeError, AttributeError) as problem:
        raise CloudMLError(
            "bad-option",
            "The cell beneath %%ml_init is no dictionary of settings.",
            why=str(problem),
            next="Write {'install_requires': ['pandas']}, or leave it out: what a cell imports travels by itself.",
        ) from None
    return requires


def _named(machine: str, gpu: str | None) -> str:
    return f"{machine} with {gpu}" if gpu else machine


def _quoted(value: str) -> str:
    return f"'{value}'" if any(character in value for character in " <>=!") else value


def _refused(line: str, why: str) -> CloudMLError:
    return CloudMLError(
        "bad-option",
        f"%ml_init does not understand {line.strip()!r}.",
        why=why,
        next="Today's options are shown by `%ml_init?`; those of 2017 were -projectId, -bucket, -region, -scaleTier,"
        " -masterType and -runtimeVersion.",
    )
