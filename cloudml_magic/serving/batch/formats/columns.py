"""From the cells of a row to the values that the model takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import Signature, TensorSpec
from cloudml_magic.serving.instances import signature_takes
from cloudml_magic.serving.tensors import quoted_names

_TRUTH = {"true": True, "1": True, "false": False, "0": False}
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_WHOLE = re.compile(r"\s*[+-]?\d{1,4000}\s*", re.ASCII)
_MOST_SHOWN = 100


class CellError(Exception):
    """A row that does not give what the model takes."""


class Columns:
    """The columns of one object, once its first row is read."""

    def __init__(self, names: Sequence[str], signature: Signature, address: str) -> None:
        self._count = len(names)
        inputs = {spec.name: spec for spec in signature.inputs}
        named = [name for name in inputs if name in names]
        if not named and len(inputs) == 1:
            self._vector: TensorSpec | None = signature.inputs[0]
            self._chosen: list[tuple[int, str, TensorSpec]] = [
                (index, name, signature.inputs[0]) for index, name in enumerate(names)
            ]
            return
        if missing := [name for name in inputs if name not in named]:
            raise CloudMLError(
                "missing-column",
                f"{address} has no column {quoted_names(missing)}.",
                why=f"{signature_takes(signature)} Its columns are {quoted_names(list(names))}.",
                next="Name the columns in the first line as the model's inputs are named.",
            )
        self._vector = None
        self._chosen = [(names.index(name), name, inputs[name]) for name in inputs]

    def read(self, cells: Sequence[str]) -> tuple[Any, bytes]:
        """The instance and the same as JSON; raises CellError."""
        if len(cells) != self._count:
            raise CellError(f"The row has {len(cells)} cells, but the first line names {self._count} columns.")
        values = [_value(cells[index], name, spec) for index, name, spec in self._chosen]
        if self._vector is None:
            row = {name: _shaped(value, spec) for (_, name, spec), value in zip(self._chosen, values, strict=True)}
            return row, _text(row)
        # A model whose instances are single values takes a single column as them.
        vector = values[0] if len(self._vector.shape) == 1 and len(values) == 1 else values
        return vector, _text(vector)


def row_text(cells: Sequence[str]) -> bytes:
    """A row as it stands, for whoever looks for it."""
    return orjson.dumps([_clean(cell)[:1000] for cell in cells[:_MOST_SHOWN]])


def _value(cell: str, name: str, spec: TensorSpec) -> Any:
    if spec.dtype == "string":
        if _clean(cell) != cell:
            raise CellError(f"The text in column `{_clean(name)}` is not UTF-8.")
        return cell
    if cell[:1] == "[":
        return _list(cell, name)
    if spec.dtype == "bool":
        if (truth := _TRUTH.get(cell.strip().lower())) is not None:
            return truth
    elif _WHOLE.fullmatch(cell) and not spec.dtype.startswith(("float", "bfloat")):
        return int(cell)
    elif _NUMBER.fullmatch(cell):
        return float(cell)
    wanted = "true or false" if spec.dtype == "bool" else "number"
    given = f"`{_clean(cell)[:60]}`" if cell.strip() else "empty"
    raise CellError(f"The cell in column `{_clean(name)}` is {given}, which is no {wanted}.")


def _list(cell: str, name: str) -> Any:
    """An input of several numbers in one cell."""
    try:
        return orjson.loads(_clean(cell))
    except orjson.JSONDecodeError as problem:
        raise CellError(f"The list in column `{_clean(name)}` is no JSON: {problem}.") from None


def _shaped(value: Any, spec: TensorSpec) -> Any:
    """A cell of a column whose input has one number in a dimension of its own."""
    return [value] if len(spec.shape) == 2 and not isinstance(value, list) else value


def _clean(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


_text: Callable[[Any], bytes] = orjson.dumps
