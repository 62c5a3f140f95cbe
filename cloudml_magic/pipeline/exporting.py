"""From a Keras model of the kernel, or a `.keras` file, to a model folder: in a bucket or on this machine."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cloudml_magic.connection import Connection
from cloudml_magic.errors import CloudMLError
from cloudml_magic.model_folder import MANIFEST
from cloudml_magic.packaging import slug
from cloudml_magic.pipeline.export_identity import Asked, identity_of
from cloudml_magic.pipeline.model_file import load_model
from cloudml_magic.pipeline.noticed import noticed_preprocessing
from cloudml_magic.pipeline.options import split_labels
from cloudml_magic.pipeline.session import connection, notebook_namespace
from cloudml_magic.storage import Address
from cloudml_magic.trainer.export import NotExportableError, export_model, saved_model_files
from cloudml_magic.trainer.export.calling import is_keras_model
from cloudml_magic.trainer.export.labels import Labels

__all__ = ["export", "is_keras_model"]


def export(
    model: Any,
    to: str | Path | None = None,
    *,
    labels: Labels = None,
    preprocess: str | Callable[..., Any] | None = None,
    resize: str | None = None,
    picture: bool | None = None,
    name: str | None = None,
    trust: bool = False,
    there: Connection | None = None,
) -> Address | Path:
    """Exports a Keras model, or a `.keras` file, and says where it is.

    `to` is a gs:// address or a folder; without it the folder is `models/NAME/DIGEST` in the bucket of jobs,
    where the same model is not exported twice. `labels`
    are names, or the variable that holds them; `preprocess` what training did to pictures: a function, its name, or a
    factor. `trust` loads a file also if it holds code. `there` reaches the bucket, by default where jobs go now.
    """
    name, there = name or name_of(model), there or connection()
    local = None if to is None or str(to).startswith("gs://") else Path(to).expanduser()
    if local is not None:
        _check_free(local)
    elif to is not None and there.storage.names(Address.parse(str(to))):
        raise _is_taken(str(to))
    asked = _asked(model, name, labels, preprocess, resize, picture, trust)
    if to is None:
        return _kept(asked, there)
    with tempfile.TemporaryDirectory(prefix="cloudml-") as temporary:
        _write(asked, Path(temporary))
        if local is not None:
            return _copied(Path(temporary), local)
        address = Address.parse(str(to))
        _upload(temporary, address, there)
    return address


def _asked(
    model: Any,
    name: str,
    labels: Labels,
    preprocess: str | Callable[..., Any] | None,
    resize: str | None,
    picture: bool | None,
    trust: bool,
) -> Asked:
    """The model, loaded from its file if it is in one, and what is said of it or can be seen."""
    source = None
    is_of_kernel = not isinstance(model, str | Path)
    if isinstance(model, str | Path):
        file = Path(model).expanduser()
        if not file.is_file():
            raise _no_file(str(model), file.is_dir())
        model = load_model(file, str(model), trust=trust, trusting="`--trust`")
        with file.open("rb") as stream:
            source = hashlib.file_digest(stream, "sha256").hexdigest()
    if not is_keras_model(model):
        raise CloudMLError(
            "no-keras-model",
            f"A value of type {type(model).__name__} is no Keras model.",
            next="Give the variable of a Keras model, or the path of a .keras file.",
        )
    if preprocess is None and is_of_kernel:
        with _explained(name):
            preprocess = noticed_preprocessing(model, picture, resize or "stretch")
    named = split_labels(labels) if isinstance(labels, str) else labels
    return Asked(model, name, named, preprocess, resize or "stretch", picture, source)


def _kept(asked: Asked, there: Connection) -> Address:
    """The folder of this very export in the bucket of jobs: the one that there is, or a new one."""
    folder = there.place.bucket / "models" / slug(asked.name)
    identity = identity_of(asked, notebook_namespace())
    if identity is not None:
        for name in sorted(there.storage.names(folder)):
            if name.startswith(f"{identity}-") and name.endswith(f"/{MANIFEST}"):
                return folder / name.removesuffix(f"/{MANIFEST}")
    with tempfile.TemporaryDirectory(prefix="cloudml-") as temporary:
        _write(asked, Path(temporary))
        digest = hashlib.sha256((Path(temporary) / MANIFEST).read_bytes()).hexdigest()[:16]
        address = folder / (f"{identity}-{digest}" if identity else digest)
        _upload(temporary, address, there)
    return address


def _upload(folder: str, address: Address, there: Connection) -> None:
    """Sends an export; its manifest goes last, so that nobody takes half of it for the whole."""
    names = list(saved_model_files(folder))
    there.uploader.send_folder(Path(folder), address, names[:-1])
    there.uploader.send_folder(Path(folder), address, names[-1:])


def _write(asked: Asked, folder: Path) -> None:
    """Exports into an empty folder of this machine."""
    with _explained(asked.name):
        export_model(
            asked.model,
            str(folder),
            name=asked.name,
            labels=asked.labels,
            preprocess=asked.preprocess,
            resize=asked.resize,
            picture=asked.picture,
            source_sha256=asked.source,
            captured=notebook_namespace(),
            warn=_refuse,
        )


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Says in our words why a model cannot be exported."""
    try:
        yield
    except NotExportableError as problem:
        raise CloudMLError(
            "not-exportable", f"The model {name} cannot be exported.", why=problem.why, next=problem.next
        ) from problem


def _refuse(message: str) -> None:
    # In a job this is a warning, since the training must not be lost; here the export is simply asked for again.
    raise CloudMLError("bad-option", message, next="Correct the option, or leave it out.")


def name_of(model: Any) -> str:
    """What a model is called: the variable that holds it, the file it lies in, or what it calls itself."""
    if isinstance(model, str | Path):
        return Path(model).stem
    for name, value in notebook_namespace().items():
        if value is model and not name.startswith("_"):
            return str(name)
    return str(getattr(model, "name", "model"))


def _no_file(given: str, is_folder: bool) -> CloudMLError:
    return CloudMLError(
        "no-model-file",
        f"{given} is a folder." if is_folder else f"There is no variable and no file called {given!r}.",
        why="A SavedModel folder is exported already: it can be deployed as it is." if is_folder else "",
        next="Give the variable of a Keras model, or the path of a .keras file.",
    )


def _check_free(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise _is_taken(str(folder))


def _is_taken(place: str) -> CloudMLError:
    return CloudMLError(
        "folder-not-empty",
        f"{place} is there already.",
        why="An export writes a new folder, so that no file of another model stays in it.",
        next="Choose another folder, or delete this one.",
    )


def _copied(source: Path, target: Path) -> Path:
    import shutil

    try:
        for name in saved_model_files(str(source)):
            file = target / name
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, file)
    except OSError as problem:
        raise CloudMLError(
            "folder-not-written",
            f"The model could not be written to {target}.",
            why=str(problem),
            next="Choose a folder of yours with enough space; what was written so far can be deleted.",
        ) from problem
    return target
