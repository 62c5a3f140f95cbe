"""Examples whose truth is known, batch by batch: pictures in a folder for each class, arrays, a frame, or a dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.prediction.pictures import Picture
from cloudml_magic.pipeline.prediction.tensors_given import is_frame
from cloudml_magic.pipeline.prediction.thumbnails import thumbnails_of_arrays

_ROWS_AT_ONCE = 256
_MOST_COLUMNS = 16
_USUAL_LABELS = ("label", "class", "target", "y")


@dataclass(frozen=True, slots=True)
class Batch:
    """Some examples with their truth: values, or pictures."""

    truths: Any
    values: Any = None
    pictures: Sequence[Picture] = ()

    def shown(self, index: int) -> tuple[str, bytes | None, Mapping[str, Any]]:
        """What a card shows of an example: its name, a thumbnail, its columns."""
        if self.pictures:
            return self.pictures[index].name, self.pictures[index].thumbnail, {}
        if is_frame(self.values):
            row = self.values.iloc[index]
            return "", None, {str(name): _plain(row[name]) for name in list(self.values.columns)[:_MOST_COLUMNS]}
        if isinstance(self.values, Mapping):
            columns = list(self.values.items())[:_MOST_COLUMNS]
            return "", None, {str(name): _plain(column[index]) for name, column in columns if _size(column[index]) == 1}
        return "", _thumbnail(self.values[index]), _columns(self.values[index])


@dataclass(slots=True)
class Examples:
    """All examples, to be run through once; `class_names` as the data says them, in its order."""

    batches: Callable[[], Iterator[Batch]]
    class_names: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)


def examples_of_values(data: Any, label: str | None, rank: int | None) -> Examples:
    """The examples of a pair (x, y), of a frame with a column of labels, or of a dataset of TensorFlow.

    `rank` is how many dimensions a batch has for the model.
    """
    if is_frame(data):
        column = _label_column(data, label)
        return _of_pair(data.drop(columns=[column]), data[column])
    if isinstance(data, tuple) and len(data) == 2:
        return _of_pair(*data)
    if hasattr(data, "element_spec") and hasattr(data, "as_numpy_iterator"):
        names = tuple(map(str, getattr(data, "class_names", ())))
        return Examples(lambda: _of_dataset(data, rank, names), names)
    raise CloudMLError(
        "unclear-examples",
        f"A value of type {type(data).__name__} is no examples with their truth.",
        next="Give a folder with a folder of pictures for each class, a pair `(x, y)`, a frame with a column of labels,"
        " or a tf.data.Dataset of such pairs.",
    )


def _of_pair(values: Any, truths: Any) -> Examples:
    import numpy as np

    truths = np.asarray(truths)
    count = _length(values)
    if not truths.ndim or count != len(truths):
        raise CloudMLError(
            "truth-does-not-fit",
            f"There are {count} examples, but {len(truths) if truths.ndim else 'no'} truths.",
            next="Give as many of one as of the other.",
        )
    if not is_frame(values) and not isinstance(values, Mapping):
        values = np.asarray(values)

    def batches() -> Iterator[Batch]:
        for begin in range(0, count, _ROWS_AT_ONCE):
            part = slice(begin, begin + _ROWS_AT_ONCE)
            yield Batch(truths[part], _part(values, part))

    names = tuple(sorted(set(truths.ravel().astype(str)))) if truths.dtype.kind in "OUS" else ()
    return Examples(batches, names)


def _of_dataset(dataset: Any, rank: int | None, names: tuple[str, ...]) -> Iterator[Batch]:
    """The batches of a dataset; one that is not batched is batched first."""
    import numpy as np

    spec = dataset.element_spec
    if not isinstance(spec, tuple) or len(spec) not in (2, 3):
        raise CloudMLError(
            "unclear-examples",
            "The dataset does not give pairs of an example and its truth.",
            next="Map it to `(x, y)` first.",
        )
    batched = dataset if _is_batched(spec[0], spec[1], rank) else dataset.batch(_ROWS_AT_ONCE)
    for values, truths, *_ in batched.as_numpy_iterator():
        yield Batch(_by_name(np.asarray(truths), names), values)


def _by_name(truths: Any, names: tuple[str, ...]) -> Any:
    """The truths in words where the dataset knows them: its classes need not be numbered as the model's are."""
    import numpy as np

    if not names or truths.dtype.kind not in "iufb":
        return truths
    if truths.ndim == 2 and truths.shape[1] == len(names) > 1:
        return np.array(names)[truths.argmax(axis=1)]
    return np.array(names)[truths.reshape(len(truths)).astype(np.int64)] if truths.size == len(truths) else truths


def _is_batched(values: Any, truths: Any, rank: int | None) -> bool:
    """Whether examples and truths begin with one common dimension; of unknown shapes the usual is taken for granted."""
    first = next(iter(values.values())) if isinstance(values, Mapping) else values
    if isinstance(first, tuple) or first.shape.rank is None or truths.shape.rank is None:
        return True
    if not truths.shape.rank or not first.shape.rank or first.shape[0] != truths.shape[0]:
        return False
    # Two features and two columns of ones and zeros look like two examples: then the model's own shape decides.
    return truths.shape[0] is None or rank is None or first.shape.rank >= rank


def _label_column(frame: Any, label: str | None) -> str:
    columns = [str(name) for name in frame.columns]
    usual = [name for name in columns if name.lower() in _USUAL_LABELS]
    found = label if label is not None else usual[0] if len(usual) == 1 else None
    if found in columns:
        return found
    raise CloudMLError(
        "no-label-column",
        f"The frame has no column {label!r}." if label else "Nothing says which column of the frame is the truth.",
        why=f"Its columns are {', '.join(columns[:12])}{' …' if len(columns) > 12 else ''}.",
        next="Name it: `--label COLUMN`.",
    )


def _length(values: Any) -> int:
    first = next(iter(values.values()), ()) if isinstance(values, Mapping) else values
    return len(first)


def _part(values: Any, part: slice) -> Any:
    if isinstance(values, Mapping):
        return {name: column[part] for name, column in values.items()}
    return values.iloc[part] if is_frame(values) else values[part]


def _thumbnail(value: Any) -> bytes | None:
    """An array that looks like a picture, as one."""
    shape = value.shape
    if len(shape) == 3 and shape[-1] in (1, 3, 4):
        return thumbnails_of_arrays(value[None])[0]
    return thumbnails_of_arrays(value[None, ..., None])[0] if len(shape) == 2 and min(shape) >= 8 else None


def _columns(value: Any) -> dict[str, Any]:
    if value.ndim > 1 or value.size > _MOST_COLUMNS:
        return {}
    return {str(index): _plain(item) for index, item in enumerate(value.reshape(-1))}


def _size(value: Any) -> int:
    return int(getattr(value, "size", 1))


def _plain(value: Any) -> Any:
    plain = value.item() if hasattr(value, "item") else value
    return plain.decode("utf-8", "replace") if isinstance(plain, bytes) else plain
