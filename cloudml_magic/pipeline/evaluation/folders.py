"""Pictures in a folder for each class, on this machine or in a bucket: the classes are the folders' names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.evaluation.examples import Batch, Examples
from cloudml_magic.pipeline.prediction.pictures import Picture, picture_of
from cloudml_magic.pipeline.prediction.predicting import content_of
from cloudml_magic.pipeline.prediction.requests import LARGEST_PICTURE
from cloudml_magic.pipeline.session import connection
from cloudml_magic.records import PictureInput
from cloudml_magic.storage import Address

_SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff")
_AT_ONCE = 32
_NAMED = 3


def examples_of_folder(where: str, wanted: PictureInput) -> Examples:
    """The pictures beneath a folder; one that cannot be read is left out, and the notes say so."""
    read: Callable[[str], bytes]
    if where.startswith("gs://"):
        there, folder = connection(), Address.parse(where)
        names, read = sorted(there.storage.names(folder)), lambda name: content_of(str(folder / name), there)
    else:
        place = Path(where).expanduser()
        names, read = _names_in(place), lambda name: (place / name).read_bytes()
    files = [name for name in names if "/" in name and name.lower().endswith(_SUFFIXES)]
    if not files:
        raise _no_pictures(where, names)
    notes: list[str] = []
    # Keras's own folder loaders number the classes in this order.
    classes = tuple(sorted({name.partition("/")[0] for name in files}))
    return Examples(lambda: _batches(files, read, wanted, notes), classes, notes)


def _names_in(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise CloudMLError(
            "data-not-found",
            f"There is no folder {str(folder)!r}.",
            next="Give a folder that has a folder of pictures for each class, a variable, or a gs:// address.",
        )
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _batches(files: list[str], read: Callable[[str], bytes], wanted: PictureInput, notes: list[str]) -> Iterator[Batch]:
    import numpy as np

    refused: list[CloudMLError] = []
    for begin in range(0, len(files), _AT_ONCE):
        found: list[tuple[str, Picture]] = []
        for name in files[begin : begin + _AT_ONCE]:
            try:
                found.append((name.partition("/")[0], picture_of(read(name), name, LARGEST_PICTURE, wanted)))
            except CloudMLError as problem:
                refused.append(problem)
        if found:
            yield Batch(np.array([name for name, _ in found]), pictures=[picture for _, picture in found])
    if len(refused) == len(files):
        raise refused[0]
    notes += [f"Left out: {problem.what} {problem.why}".strip() for problem in refused[:_NAMED]]
    if len(refused) > _NAMED:
        notes.append(f"Left out: {len(refused) - _NAMED} more pictures that cannot be read.")


def _no_pictures(where: str, names: list[str]) -> CloudMLError:
    why = "It is empty."
    if names:
        has_pictures = any(name.lower().endswith(_SUFFIXES) for name in names)
        why = "Its pictures lie in no folders." if has_pictures else f"What lies there is no picture: {names[0]}."
    return CloudMLError(
        "no-pictures",
        f"There are no pictures in folders of classes in {where}.",
        why=why,
        next="Give a folder that has a folder of pictures for each class: cat/1.jpg, dog/2.jpg.",
    )
