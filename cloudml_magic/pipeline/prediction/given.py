"""What a user gave to a prediction (arrays, frames, lists, dicts, pictures, paths, bytes), told apart by the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.prediction.pictures import Picture
from cloudml_magic.pipeline.prediction.pictures_given import Read, pictures_in, refuse_pictures
from cloudml_magic.pipeline.prediction.tensors_given import by_input, is_frame, tensors_in
from cloudml_magic.pipeline.prediction.thumbnails import thumbnails_of_arrays
from cloudml_magic.records import ModelInterface, Signature

DEFAULT_SIGNATURE = "serving_default"
TENSORS_SIGNATURE = "tensors"
MOST_SHOWN = 24
"""So many pictures are told of; thumbnails and shares of more are not made."""
MOST_ROWS = 120
"""So many instances without pictures."""
_MOST_ITERATED = 1_000_000


@dataclass(frozen=True, slots=True)
class Given:
    """What goes to a signature: the tensors of its inputs, or pictures; and what the card shows of each instance."""

    signature: Signature
    tensors: Mapping[str, Any] = field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()
    thumbnails: tuple[bytes | None, ...] = ()

    @property
    def count(self) -> int:
        """How many instances there are."""
        return len(self.pictures) or len(next(iter(self.tensors.values())))


def given(value: Any, interface: ModelInterface, read: Read, largest: int) -> Given:
    """Decides by the model what a value is; raises CloudMLError with the smallest change where it does not fit.

    `read` fetches a path or gs:// address; `largest` is the size of a picture that can be sent, in bytes.
    """
    value = _plain(value, interface)
    if _is_empty(value):
        raise CloudMLError("no-instances", "There are no instances.", next="Give at least one.")
    if interface.picture is not None:
        pictures = pictures_in(value, interface.picture, read, largest)
        if pictures is not None:
            return Given(interface.signatures[DEFAULT_SIGNATURE], pictures=tuple(pictures))
    else:
        refuse_pictures(value, interface)
    signature = _tensor_signature(value, interface)
    tensors = tensors_in(value, signature)
    first = tensors[signature.inputs[0].name]
    thumbnails = thumbnails_of_arrays(first[:MOST_SHOWN]) if interface.picture is not None else []
    return Given(signature, tensors, thumbnails=tuple(thumbnails))


def _tensor_signature(value: Any, interface: ModelInterface) -> Signature:
    """The signature whose inputs are named, or else the one that takes what `model.predict` takes."""
    row = value[0] if isinstance(value, list) and value else value
    if isinstance(row, Mapping):
        for signature in interface.signatures.values():
            if set(by_input(row, signature)) == {spec.name for spec in signature.inputs}:
                return signature
    wanted = TENSORS_SIGNATURE if interface.picture is not None else DEFAULT_SIGNATURE
    if wanted in interface.signatures:
        return interface.signatures[wanted]
    if len(interface.signatures) == 1:
        return next(iter(interface.signatures.values()))
    raise CloudMLError(
        "no-default-signature",
        f"The model has no signature `{wanted}`.",
        why=f"It has {', '.join(interface.signatures)}.",
        next="Export the model with `%ml_export`, or name the signature when it is saved.",
    )


def _plain(value: Any, interface: ModelInterface) -> Any:
    """Tensors of any framework and series as NumPy arrays, what can be run through as a list; the rest as it is."""
    import numpy as np

    module = type(value).__module__.partition(".")[0]
    if module == "torch" and hasattr(value, "detach"):
        return value.detach().cpu().numpy()
    if module in ("tensorflow", "jax", "jaxlib") and hasattr(value, "dtype"):
        return np.asarray(value)
    if module == "pandas" and hasattr(value, "to_numpy") and not hasattr(value, "columns"):
        return dict(value) if _is_row(value, interface) else value.to_numpy()
    if isinstance(value, set | frozenset):
        raise _refused("A set has no order.", "Give a list in its place.")
    if isinstance(value, np.ma.MaskedArray) and np.ma.getmaskarray(value).any():
        raise _refused("An array with masked values has no number there.", "Fill them first: `x.filled(0)`.")
    if isinstance(value, Mapping):
        return {name: _plain(item, interface) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return [_plain(item, interface) for item in value] if _holds_objects(value) else list(value)
    return _run_through(value) if isinstance(value, Iterator) else value


def _run_through(values: Iterator[Any]) -> list[Any]:
    found = list(islice(values, _MOST_ITERATED + 1))
    if len(found) > _MOST_ITERATED:
        raise _refused(f"The iterator gives more than {_MOST_ITERATED:,} instances.", "Give a list or an array.")
    return found


def _holds_objects(values: Sequence[Any]) -> bool:
    return any(not isinstance(item, int | float | str | bytes | list | tuple) for item in islice(values, MOST_SHOWN))


def _is_row(series: Any, interface: ModelInterface) -> bool:
    """Whether a series is a row of a frame: its index names inputs of the model."""
    names = {spec.name for signature in interface.signatures.values() for spec in signature.inputs}
    return any(isinstance(key, str) and key in names for key in series.index)


def _is_empty(value: Any) -> bool:
    if isinstance(value, Mapping | str | bytes | bytearray) or not (hasattr(value, "__len__") or is_frame(value)):
        return False
    return getattr(value, "ndim", 1) > 0 and len(value) == 0


def _refused(why: str, next: str) -> CloudMLError:
    return CloudMLError("unclear-instances", "What is asked cannot be sent.", why=why, next=next)
