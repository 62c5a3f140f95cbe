"""What a name holds in the kernel, and in which form that can travel: as a constant, an import, shipped data or not."""

from __future__ import annotations

import math
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LARGEST_LITERAL = 64 * 1024
_SHIPPABLE = {
    ("numpy", "ndarray"): "ndarray",
    ("pandas", "DataFrame"): "DataFrame",
    ("pandas", "Series"): "Series",
    ("tensorflow", "EagerTensor"): "Tensor",
    ("tensorflow", "Tensor"): "Tensor",
    ("tensorflow", "ResourceVariable"): "Tensor",
    ("tensorflow", "RaggedTensor"): "RaggedTensor",
    ("torch", "Tensor"): "Tensor",
    ("torch", "Parameter"): "Tensor",
    ("jaxlib", "ArrayImpl"): "Tensor",
    ("jax", "ArrayImpl"): "Tensor",
    ("scipy", "csr_matrix"): "sparse matrix",
}
_SENT_AS_DATA = frozenset({"ndarray", "DataFrame", "Series", "Tensor"})


@dataclass(frozen=True, slots=True)
class PlainLiteral:
    """The source text of a small plain value."""

    literal: str


@dataclass(frozen=True, slots=True)
class ImportLine:
    """An import statement that brings the same object."""

    statement: str


@dataclass(frozen=True, slots=True)
class Shippable:
    """An array, frame or tensor: travels when the user says so."""

    kind: str
    summary: str


@dataclass(frozen=True, slots=True)
class Unshippable:
    """Anything else: its type, its size if it tells, and why it stays."""

    summary: str
    why: str
    advice: str


Form = PlainLiteral | ImportLine | Shippable | Unshippable


def form_of(name: str, value: object) -> Form:
    """The form in which the kernel's value can travel under this name."""
    try:
        return _form_of(name, value)
    except Exception as error:  # a value's own repr, len or attributes may raise anything
        return Unshippable(_type_name(value), f"looking at it raised {type(error).__name__}", _ADVICE)


_ADVICE = "Build it in a cell that runs before, or put that cell under %%ml_code."


def _form_of(name: str, value: object) -> Form:
    imported = _import_line(name, value)
    if imported is not None:
        return ImportLine(imported)
    kind = shippable_kind(value)
    if kind in _SENT_AS_DATA:
        return Shippable(kind, summary_of(value))
    too_large = False
    try:
        text = literal(value)
    except _TooLargeError:
        text, too_large = None, True
    if text is not None and len(text.encode("utf-8", "backslashreplace")) <= LARGEST_LITERAL:
        return PlainLiteral(text)
    if text is not None or too_large:
        return Unshippable(
            summary_of(value),
            "as a constant it would be larger than 64 KB",
            "Write it to a file and add --data FILE, or turn it into an array and add --ship.",
        )
    module = getattr(value, "__module__", None)
    if isinstance(value, type | types.FunctionType) and module == "__main__":
        what = "class" if isinstance(value, type) else "function"
        script = _script_of(value)
        if script:
            return Unshippable(
                f"a {what} of {script.name}",
                "the notebook ran that file, it did not import it",
                f"Write `from {script.stem} import {value.__name__}` in a cell, with the file beside the notebook.",
            )
        return Unshippable(
            f"a {what} of this notebook",
            "no cell that ran to its end defines it any more",
            f"Run the cell with the {what} again.",
        )
    return Unshippable(summary_of(value), "it is no small plain value, array, frame or tensor", _ADVICE)


def _script_of(value: type | types.FunctionType) -> Path | None:
    """The file that `%run` took a function or class from."""
    functions = vars(value).values() if isinstance(value, type) else [value]
    codes = (function.__code__ for function in functions if isinstance(function, types.FunctionType))
    files = (Path(code.co_filename) for code in codes)
    return next((file for file in files if file.suffix == ".py" and file.is_file()), None)


class _TooLargeError(Exception):
    pass


def literal(value: object) -> str | None:
    """Python source for a plain value, the same text for equal values; None if it is not plain."""
    budget = [LARGEST_LITERAL]
    return _literal(value, set(), budget)


def _literal(value: Any, above: set[int], budget: list[int]) -> str | None:
    text = _atom(value)
    if text is not None:
        budget[0] -= len(text)
        if budget[0] < 0:
            raise _TooLargeError
        return text
    if type(value) not in (list, tuple, dict, set, frozenset) or id(value) in above:
        return None
    above.add(id(value))
    budget[0] -= 2
    if budget[0] < 0:
        raise _TooLargeError
    parts = list(value.items()) if type(value) is dict else list(value)
    texts: list[str] = []
    for part in parts:
        own = _pair(part, above, budget) if type(value) is dict else _literal(part, above, budget)
        if own is None:
            above.discard(id(value))
            return None
        texts.append(own)
    above.discard(id(value))
    return _container(value, texts)


def _pair(item: tuple[Any, Any], above: set[int], budget: list[int]) -> str | None:
    key, value = _literal(item[0], above, budget), _literal(item[1], above, budget)
    return None if key is None or value is None else f"{key}: {value}"


def _container(value: Any, texts: list[str]) -> str:
    if type(value) is dict:
        return "{" + ", ".join(texts) + "}"
    if type(value) is list:
        return "[" + ", ".join(texts) + "]"
    if type(value) is tuple:
        return "(" + ", ".join(texts) + (",)" if len(texts) == 1 else ")")
    inner = "{" + ", ".join(sorted(texts)) + "}" if texts else ""
    if type(value) is set:
        return inner or "set()"
    return f"frozenset({inner})"


def _atom(value: Any) -> str | None:
    if value is None or value is True or value is False or value is Ellipsis:
        return repr(value)
    kind = type(value)
    if kind is int:
        return repr(value) if abs(value) < 10**4000 else hex(value)
    if kind is float:
        return repr(value) if math.isfinite(value) else f'float("{value}")'
    if kind is complex:
        return repr(value) if math.isfinite(value.real) and math.isfinite(value.imag) else (
            f"complex({_atom(value.real)}, {_atom(value.imag)})"
        )  # fmt: skip
    if kind in (str, bytes):
        if len(value) > LARGEST_LITERAL:
            raise _TooLargeError
        return repr(value)
    if kind is range:
        return repr(value)
    if kind.__module__ == "numpy" and hasattr(value, "item") and getattr(value, "shape", None) == ():
        numpy = sys.modules.get("numpy")
        if numpy is not None and isinstance(value, numpy.generic):
            item = value.item()
            return _atom(item) if type(item) in (bool, int, float, complex, str, bytes) else None
    return None


def _import_line(name: str, value: object) -> str | None:
    if isinstance(value, types.ModuleType):
        module = value.__name__
        if module == "__main__" or sys.modules.get(module) is not value:
            return None
        return f"import {module}" if module == name else f"import {module} as {name}"
    if not isinstance(value, type | types.FunctionType | types.BuiltinFunctionType) and not callable(value):
        return None
    owner, own = getattr(value, "__module__", None), getattr(value, "__name__", None)
    if not isinstance(owner, str) or not isinstance(own, str) or owner == "__main__":
        return None
    if getattr(sys.modules.get(owner), own, None) is not value:
        return None
    owner = _public(owner, own, value)
    return f"from {owner} import {own}" if own == name else f"from {owner} import {own} as {name}"


def _public(owner: str, name: str, value: object) -> str:
    """The shortest module path that still has the object, so that `keras.src.…` becomes `keras.…`."""
    parts = owner.split(".")
    candidates = [".".join(parts[:count]) for count in range(1, len(parts))]
    candidates += [".".join(part for part in parts if not part.startswith("_") and part != "src")]
    return next((path for path in candidates if getattr(sys.modules.get(path), name, None) is value), owner)


def shippable_kind(value: object) -> str:
    """Which kind of array, frame or tensor this is; empty for anything else."""
    for base in type(value).__mro__:
        kind = _SHIPPABLE.get(((base.__module__ or "").partition(".")[0], base.__name__))
        if kind:
            return kind
    return ""


def summary_of(value: object) -> str:
    """Type and size in a few words: `ndarray (60000, 28, 28) uint8, 47.0 MB`."""
    words = [_type_name(value)]
    shape = getattr(value, "shape", None)
    if shape is not None and not callable(shape):
        words.append(str(tuple(shape) if isinstance(shape, list) else shape)[:60])
    data_type = getattr(value, "dtype", None)
    if data_type is not None:
        words.append(str(getattr(data_type, "name", data_type))[:30])
    text = " ".join(words)
    size = _bytes_of(value)
    if size is not None:
        return f"{text}, {_readable(size)}"
    if isinstance(value, list | tuple | dict | set | frozenset | str | bytes):
        return f"{text} of {len(value)}"
    return text


def _type_name(value: object) -> str:
    kind = type(value)
    package = (kind.__module__ or "").partition(".")[0]
    return (
        kind.__qualname__
        if package in {"builtins", "numpy", "pandas", "__main__", ""}
        else f"{package} {kind.__name__}"
    )


def _bytes_of(value: object) -> int | None:
    size = getattr(value, "nbytes", None)
    if isinstance(size, int):
        return size
    usage = getattr(value, "memory_usage", None)
    if callable(usage):
        used = usage()
        return int(used.sum() if hasattr(used, "sum") else used)
    return None


def _readable(size: int) -> str:
    amount = float(size)
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{int(amount)} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return ""
