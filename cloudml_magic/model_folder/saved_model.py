"""Reads the signatures of a `saved_model.pb` without TensorFlow, whose import takes seconds.

Only the few fields that say what a model takes and gives are followed; the rest of the file is skipped. The numbers
are the field numbers of TensorFlow's `saved_model.proto` and `meta_graph.proto`.
"""

from __future__ import annotations

from collections.abc import Iterator

from cloudml_magic.records import Shape, Signature, TensorSpec

_DTYPES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 7: "string", 8: "complex64",
    9: "int64", 10: "bool", 14: "bfloat16", 17: "uint16", 18: "complex128", 19: "float16", 22: "uint32", 23: "uint64",
}  # fmt: skip
# Keras and TensorFlow write a signature of their own that nobody asks.
_INTERNAL = "__saved_model_init_op"
_LONGEST_VARINT = 70

Field = tuple[int, "int | memoryview"]


class UnreadableError(Exception):
    """The bytes are no SavedModel, or not all of one."""


def read_saved_model(content: bytes) -> tuple[dict[str, Signature], str | None]:
    """The signatures by name, and the version of TensorFlow that wrote them."""
    signatures: dict[str, Signature] = {}
    version: str | None = None
    for graph in messages(memoryview(content), 2):
        for info in messages(graph, 1):
            for text in messages(info, 5):
                version = text_of(text)
        for entry in messages(graph, 5):
            name = "".join(text_of(key) for key in messages(entry, 1))
            for value in messages(entry, 2):
                if name != _INTERNAL:
                    signatures[name] = Signature(name, _tensors(value, 1), _tensors(value, 2))
    return dict(sorted(signatures.items())), version


def holds_objects(content: bytes) -> bool:
    """Whether it is one of TensorFlow 2, which always has a checkpoint beside it."""
    return any(True for graph in messages(memoryview(content), 2) for _ in messages(graph, 7))


def _tensors(signature: memoryview, number: int) -> tuple[TensorSpec, ...]:
    found = []
    for entry in messages(signature, number):
        name = "".join(text_of(key) for key in messages(entry, 1))
        for info in messages(entry, 2):
            found.append(_tensor(name, info))
    # A map of the format has no order of its own.
    return tuple(sorted(found, key=lambda tensor: tensor.name))


def _tensor(name: str, info: memoryview) -> TensorSpec:
    dtype = "unknown"
    shape: Shape = ()
    for number, value in fields(info):
        if number == 2 and isinstance(value, int):
            dtype = _DTYPES.get(value, "unknown")
        elif number == 3 and not isinstance(value, int):
            shape = tuple(_size(dimension) for dimension in messages(value, 2))
    return TensorSpec(name, dtype, shape)


def _size(dimension: memoryview) -> int | None:
    for number, value in fields(dimension):
        if number == 1 and isinstance(value, int):
            # Negative numbers are written as 64 bits.
            return None if value >= 1 << 63 else value
    return 0


def messages(content: memoryview, number: int) -> Iterator[memoryview]:
    """The messages, or texts, that a field of a message holds."""
    for found, value in fields(content):
        if found == number:
            if isinstance(value, int):
                raise UnreadableError(f"Field {number} is a number where a message belongs.")
            yield value


def fields(content: memoryview) -> Iterator[Field]:
    """The numbers of a message's fields with what they hold, but for fixed-width numbers."""
    position = 0
    while position < len(content):
        key, position = _varint(content, position)
        kind = key & 7
        if kind == 0:
            value, position = _varint(content, position)
            yield key >> 3, value
        elif kind in (1, 5):
            position += 8 if kind == 1 else 4
        elif kind == 2:
            length, position = _varint(content, position)
            if position + length > len(content):
                raise UnreadableError("It ends in the middle of a field: the file was cut off, or is none of these.")
            yield key >> 3, content[position : position + length]
            position += length
        else:
            raise UnreadableError(f"It holds a field of kind {kind}, which no SavedModel has.")


def _varint(content: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(content) and shift < _LONGEST_VARINT:
        byte = content[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
        shift += 7
    raise UnreadableError("It ends in the middle of a number: the file was cut off, or is none of these.")


def text_of(content: memoryview) -> str:
    """A field's text."""
    return bytes(content).decode("utf-8", "replace")
