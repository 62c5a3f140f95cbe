"""From values to the tensors of a signature; what fits nowhere is found by halving, so that its neighbours stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import ModelInterface, PictureInput, Signature
from cloudml_magic.serving import pictures
from cloudml_magic.serving.batch.pieces import Piece
from cloudml_magic.serving.engines import Engine, Tensors
from cloudml_magic.serving.instances import tensors_of_rows
from cloudml_magic.serving.requests import DEFAULT_SIGNATURE

PIXELS = "pixels"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked at once: the tensors of a signature, and which instances of the piece they are."""

    signature: str
    rows: Sequence[int]
    tensors: Tensors


@dataclass(frozen=True, slots=True)
class Asked:
    """A piece as questions, and by instance what is wrong with those that cannot be asked."""

    piece: Piece
    questions: list[Question]
    errors: dict[int, str]


class Asker:
    """Knows how the model is asked; pictures that the engine cannot decode are decoded here, several at a time."""

    def __init__(self, interface: ModelInterface, engine: Engine, decoders: int, wanted: str | None = None) -> None:
        signatures = interface.signatures
        if wanted and wanted not in signatures:
            raise CloudMLError(
                "no-such-signature",
                f"The model has no signature {wanted[:100]!r}.",
                why=f"It has {', '.join(signatures)}.",
                next="Name one of them, or none.",
            )
        self.signature: Signature = signatures.get(wanted or DEFAULT_SIGNATURE) or next(iter(signatures.values()))
        only = self.signature.inputs[0]
        takes = interface.picture is not None and only.name == interface.picture.input and only.dtype == "string"
        self.picture: PictureInput | None = interface.picture if takes else None
        self._pixels = None if engine.answers(self.signature.name) else signatures.get(PIXELS)
        self.asked = self._pixels if self.picture is not None and self._pixels is not None else self.signature
        self._pool = ThreadPoolExecutor(decoders, thread_name_prefix="pictures")

    def ask(self, piece: Piece) -> Asked:
        """The questions of a piece."""
        errors: dict[int, str] = {}
        found = halved(self._tensors, piece.values, range(len(piece.lines)), errors)
        if self.picture is not None:
            found = [each for rows, named in found for each in self._pictures(rows, named, errors)]
        return Asked(piece, [Question(self.asked.name, rows, tensors) for rows, tensors in _joined(found)], errors)

    def _tensors(self, values: Any) -> Tensors:
        return tensors_of_rows(self.signature, values)

    def _pictures(
        self, rows: Sequence[int], named: Tensors, errors: dict[int, str]
    ) -> list[tuple[Sequence[int], Tensors]]:
        """The pictures as the engine takes them; those that are none are errors."""
        assert self.picture is not None
        good, found = [], []
        for row, result in zip(rows, self._pool.map(self._read, named[self.picture.input]), strict=True):
            if isinstance(result, str):
                errors[row] = result
            else:
                good.append(row)
                found.append(result)
        if not good:
            return []
        if self._pixels is None:
            return [(good, {self.picture.input: np.array(found, object)})]
        array = np.stack(found)
        spec = self._pixels.inputs[0]
        return [(good, {spec.name: array[..., 0] if len(spec.shape) == 3 else array})]

    def _read(self, content: bytes) -> Any:
        """One picture, decoded if that is not the engine's work, or what is wrong with it."""
        assert self.picture is not None
        try:
            plain = pictures.checked([content], self.picture).contents[0]
            return plain if self._pixels is None else pictures.pixels(plain, self.picture, 0)
        except CloudMLError as problem:
            return words(problem)


def halved(
    make: Callable[[Any], Tensors], values: Any, rows: Sequence[int], errors: dict[int, str]
) -> list[tuple[Sequence[int], Tensors]]:
    """Tensors for all values that have any; a value by itself that has none is an error."""
    if not len(rows):
        return []
    try:
        return [(rows, make(values))]
    except CloudMLError as problem:
        if len(rows) == 1:
            errors[rows[0]] = words(problem)
            return []
    middle = len(rows) // 2
    return [
        *halved(make, values[:middle], rows[:middle], errors),
        *halved(make, values[middle:], rows[middle:], errors),
    ]


def words(problem: CloudMLError) -> str:
    """What is wrong with one instance, as one paragraph."""
    text = " ".join(part for part in (problem.what, problem.why, problem.next) if part)
    # Instances are counted within what is asked at once, which is none of the reader's business.
    text = text.replace("Instance 0 ", "The instance ")
    return text.replace(" at instance 0, ", " at ").replace(" at instance 0", "")


def _joined(found: list[tuple[Sequence[int], Tensors]]) -> list[tuple[Sequence[int], Tensors]]:
    """Neighbours of one shape as one."""
    groups: list[list[tuple[Sequence[int], Tensors]]] = []
    for each in found:
        if groups and _shapes(groups[-1][0][1]) == _shapes(each[1]):
            groups[-1].append(each)
        else:
            groups.append([each])
    return [group[0] if len(group) == 1 else _concatenated(group) for group in groups]


def _concatenated(group: list[tuple[Sequence[int], Tensors]]) -> tuple[Sequence[int], Tensors]:
    rows = [row for rows, _ in group for row in rows]
    return rows, {name: np.concatenate([tensors[name] for _, tensors in group]) for name in group[0][1]}


def _shapes(tensors: Tensors) -> list[tuple[int, ...]]:
    return [array.shape[1:] for array in tensors.values()]
