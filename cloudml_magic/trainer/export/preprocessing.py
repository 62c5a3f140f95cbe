"""What training did to pictures before the model: one of Keras's functions, one of the notebook's, or a factor."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .not_exportable import NotExportableError

_NUMBER = r"[0-9]*\.?[0-9]+(?:e-?[0-9]+)?"
_FACTOR = re.compile(rf"({_NUMBER})(?:/({_NUMBER}))?([+-]{_NUMBER})?", re.IGNORECASE)
_OF_KERAS = re.compile(r"(?:tf\.|tensorflow\.)?keras\.(?:src\.)?applications\.(\w+)(?:\.preprocess_input)?")
_NEXT = (
    "Name a function that takes a batch of pictures (0 to 255), such as "
    "--preprocess keras.applications.vgg16.preprocess_input, or a factor such as 1/255."
)


@dataclass(frozen=True)
class Preprocessing:
    """The function, and what the manifest calls it."""

    name: str
    apply: Callable[[Any], Any]


def resolved(given: str | Callable[..., Any], captured: Mapping[str, Any]) -> Preprocessing:
    """A function by its name, a function itself, or `1/255` and `1/127.5-1`."""
    if callable(given):
        return Preprocessing(name_of(given), given)
    text = given.replace(" ", "")
    factor = _FACTOR.fullmatch(text)
    if factor:
        scale = float(factor[1]) / float(factor[2] or 1)
        offset = float(factor[3] or 0)
        return Preprocessing(text, lambda pixels: pixels * scale + offset)
    function = _looked_up(text, captured)
    if function is None:
        function = _of_keras(text)
    if not callable(function):
        raise NotExportableError(f"There is no function {given!r} to preprocess pictures with.", _NEXT)
    return Preprocessing(name_of(function, text), function)


def needs_no_notebook(name: str) -> bool:
    """Whether a name is a factor or one of Keras's own functions by its full name."""
    return bool(_FACTOR.fullmatch(name) or _OF_KERAS.fullmatch(name))


def _looked_up(name: str, captured: Mapping[str, Any]) -> Any:
    first, *rest = name.split(".")
    found = captured.get(first)
    for part in rest:
        found = getattr(found, part, None)
    return found


def _of_keras(name: str) -> Any:
    found = _OF_KERAS.fullmatch(name)
    if found is None:
        return None
    try:
        return importlib.import_module(f"keras.applications.{found[1]}").preprocess_input
    except (ImportError, AttributeError):
        return None


def name_of(function: Any, name: str = "") -> str:
    """What a function is called: Keras's own by their full names, others as the user calls them."""
    module = str(getattr(function, "__module__", ""))
    if module.startswith("keras.src.applications.") and getattr(function, "__name__", "") == "preprocess_input":
        return f"keras.applications.{module.rpartition('.')[2]}.preprocess_input"
    return name or str(getattr(function, "__name__", "a function"))
