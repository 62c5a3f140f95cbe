"""What a user may ask of a training, as plain values: the same for `%%ml_train`, `train()` and the lab extension."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from cloudml_magic.errors import CloudMLError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST_NAME = 100
_EXPANDED = "${}"  # what is left of a `$variable` or `{expression}` that has no value


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """The options of `%%ml_train`, named as there."""

    target: str | None = None
    regions: tuple[str, ...] = ()
    machine: str | None = None
    gpu: str | None = None
    spot: bool = False
    flex_start: bool = False
    max_wait: str | None = None
    timeout: str | None = None
    max_cost: str | float | None = None
    image: str | None = None
    env: tuple[str, ...] = ()
    arg: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    stage: bool = False
    ship: tuple[str, ...] = ()
    model: str | None = None
    tensorboard: bool = False
    labels: str | Sequence[str] | Mapping[str, Sequence[str]] | None = None
    preprocess: str | Callable[..., Any] | None = None
    resize: str | None = None
    picture: bool | None = None
    only_marked: bool = False
    allow_secrets: bool = False

    @classmethod
    def of(cls, options: dict[str, Any]) -> TrainOptions:
        """Options from keywords: a single text is allowed where several are, a dictionary where NAME=VALUE is."""
        check_known(cls, options)
        several = {"regions", "env", "arg", "requires", "data", "ship"}
        values: dict[str, Any] = {
            name: _several(value) if name in several else value for name, value in options.items()
        }
        return cls(**values)


def check_known(kind: type, options: Iterable[str]) -> None:
    """Refuses an option that a group of options does not have."""
    known = {field.name for field in fields(kind)}
    if unknown := sorted(set(options) - known):
        raise CloudMLError(
            "unknown-option",
            f"There is no option {unknown[0]!r}.",
            next=f"The options are: {', '.join(sorted(known))}.",
        )


def _several(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, dict):
        return tuple(f"{name}={item}" for name, item in value.items())
    return tuple(str(item) for item in value or ())


def split_list(values: tuple[str, ...]) -> tuple[str, ...]:
    """`a,b` and `a b` given once or several times, as single names."""
    return tuple(part for value in values for part in re.split(r"[,\s]+", value) if part)


def split_labels(text: str) -> str | list[str]:
    """`cat,dog` as names; a single word is the variable that holds them."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) == 1 and parts[0].isidentifier():
        return parts[0]
    return [part for part in parts if part]


def pairs(option: str, values: tuple[str, ...]) -> dict[str, str]:
    """NAME=VALUE texts as a dictionary."""
    found = {}
    for value in values:
        name, separator, content = value.partition("=")
        if not separator or not name.isidentifier():
            raise CloudMLError(
                "bad-option", f"--{option} {value!r} is not understood.", next=f"Write it as --{option} NAME=VALUE."
            )
        found[name] = content
    return found


def seconds(text: str | None) -> int | None:
    """`90`, `90s`, `30m`, `2h`, `1d` as seconds."""
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{1,9})([smhd]?)", text.strip())
    if not match or int(match[1]) == 0:
        raise CloudMLError(
            "bad-duration",
            f"{text!r} is no duration.",
            next="Write it as 90s, 30m, 2h or 1d; it must be more than zero.",
        )
    return int(match[1]) * _UNITS[match[2] or "s"]


def checked_name(name: str, kind: str = "job") -> str:
    """A job's or a model's name as cards and lists can show it, and as `NAME~1` can be told from it."""
    plain = unicodedata.normalize("NFC", name)
    bad = next(iter(sorted((c for c in plain if not _allowed(c)), key=lambda c: c not in _EXPANDED)), None)
    if not plain or len(plain) > _LONGEST_NAME or bad is not None or plain in ("latest", ".", ".."):
        why = (
            "Nothing in this notebook could be put in for it."
            if bad is not None and bad in _EXPANDED
            else f"It contains {bad!r}."
            if bad is not None
            else "It is empty."
            if not plain
            else "`latest` stands for the job that was sent last."
            if plain == "latest"
            else "In a path it would be another folder."
            if plain in (".", "..")
            else f"It has {len(plain)} characters."
        )
        raise CloudMLError(
            "bad-name",
            f"A {kind} cannot be called {plain[:40]!r}.",
            why=why,
            next=f"Use up to {_LONGEST_NAME} letters, digits, hyphens or emoji; no spaces, no ~ and no /.",
        )
    return plain


def _allowed(character: str) -> bool:
    # The zero-width joiner is a control character that many emoji are made with.
    return character == "\u200d" or (
        character not in "~/\\\"'" and character not in _EXPANDED and unicodedata.category(character)[0] not in "CZ"
    )
