"""From what a user calls a model (a job, a variable, a path, gs://…) to the address of its exported folder."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloudml_magic.connection import Connection
from cloudml_magic.errors import CloudMLError
from cloudml_magic.model_folder import MANIFEST, SAVED_MODEL, check_files, read_interface
from cloudml_magic.packaging import slug
from cloudml_magic.pipeline import exporting
from cloudml_magic.pipeline.deployment.lookup import versions_of
from cloudml_magic.pipeline.lookup import find_job
from cloudml_magic.pipeline.sent_job import Job
from cloudml_magic.pipeline.session import notebook_namespace
from cloudml_magic.records import ModelInterface, ModelVersion
from cloudml_magic.storage import Address

Wait = Callable[[Job], None]
_TELLING = (SAVED_MODEL, "variables/variables.index")


@dataclass(frozen=True, slots=True)
class Artifact:
    """An exported model in a bucket; `name` is what it is called unless the user says otherwise.

    `digest` tells it from another one that was exported to the same address, `version` is the one that was asked for.
    """

    address: Address
    name: str
    interface: ModelInterface
    digest: str
    version: ModelVersion | None = None


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What an export has to be told, for models that are not exported yet."""

    choices: Mapping[str, Any] = field(default_factory=dict)
    trust: bool = False


def artifact_of(
    what: Any, there: Connection, options: ExportOptions, wait: Wait, on_stage: Callable[[str], None]
) -> Artifact:
    """Finds the model, exports and uploads it where that has not happened, and waits for a job that is not done."""
    if isinstance(what, Job):
        return _of_job(what, there, wait)
    if isinstance(what, ModelVersion):
        return _at(Address.parse(what.artifact_uri), what.name, there, what)
    if not isinstance(what, str | Path):
        return _exported(what, exporting.name_of(what), there, options, on_stage)
    text = str(what)
    if text.startswith("gs://"):
        return _in_bucket(Address.parse(text), there, options, on_stage)
    if isinstance(what, str) and (job := find_job(text)) is not None:
        return _of_job(job, there, wait)
    value = notebook_namespace().get(text) if text.isidentifier() else None
    if isinstance(value, Job):
        return _of_job(value, there, wait)
    if value is not None and exporting.is_keras_model(value):
        return _exported(value, text, there, options, on_stage)
    path = Path(text).expanduser()
    if path.exists():
        return _of_path(path, there, options, on_stage)
    if (version := _known_version(text, there)) is not None:
        return _at(Address.parse(version.artifact_uri), version.name, there, version)
    raise _unknown(text, value)


def read_artifact(address: Address, there: Connection) -> ModelInterface:
    """What the exported model at an address takes and gives."""
    return read_interface(lambda name: there.storage.read(address / name), str(address))


def _at(address: Address, name: str, there: Connection, version: ModelVersion | None = None) -> Artifact:
    return Artifact(address, name, read_artifact(address, there), _digest(address, there), version)


def _digest(address: Address, there: Connection) -> str:
    """What an exported model holds: its manifest lists digests, a checkpoint's index has a checksum of each tensor."""
    storage = there.storage
    contents = [storage.read(address / MANIFEST)]
    if contents == [None]:
        names = [name for name in sorted(storage.names(address)) if name.startswith("assets/") or name in _TELLING]
        contents = [storage.read(address / name) for name in names]
    digest = hashlib.sha256()
    for content in contents:
        digest.update(hashlib.sha256(content or b"").digest())
    return digest.hexdigest()[:32]


def _of_job(job: Job, there: Connection, wait: Wait) -> Artifact:
    address = job.folder / "model"
    ended = _ended(job, wait)
    is_exported = there.storage.size(address / SAVED_MODEL) is not None
    if ended is not None:
        if not is_exported:
            raise ended
        warnings.warn(f"{ended.what} This is its model as it was then.", stacklevel=2)
    if not is_exported:
        raise CloudMLError(
            "job-left-no-export",
            f"Job {job.name} left no model that can be served.",
            why="Its folder holds no SavedModel: the job trained no Keras model, or the model could not be exported."
            " The job's card names the reason.",
            next=f"`%ml_job {job.name}` shows the card. A model that loads here can be exported here:"
            " `model = job.model()`, then `%ml_deploy model`.",
        )
    return _at(address, job.name, there)


def _ended(job: Job, wait: Wait) -> CloudMLError | None:
    """Waits for a job; how it ended if it did not succeed, for it may have saved a model all the same."""
    try:
        wait(job)
    except CloudMLError as ended:
        if ended.reference not in ("job-failed", "job-cancelled"):
            raise
        return ended
    return None


def _in_bucket(
    address: Address, there: Connection, options: ExportOptions, on_stage: Callable[[str], None]
) -> Artifact:
    if address.name.endswith(".keras"):
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / address.name.rpartition("/")[2]
            there.storage.download(address, file)
            return _of_path(file, there, options, on_stage)
    name = address.name.rpartition("/")[2] or address.bucket
    return _at(address, name, there)


def _known_version(text: str, there: Connection) -> ModelVersion | None:
    """The version that MODEL/VERSION names, if there is one."""
    name, separator, wanted = text.partition("/")
    if not name or not separator:
        return None
    return next((each for each in versions_of(name, there) if wanted in (each.version, *each.aliases)), None)


def _of_path(path: Path, there: Connection, options: ExportOptions, on_stage: Callable[[str], None]) -> Artifact:
    if path.is_file() and path.name == SAVED_MODEL:
        path = path.parent
    if path.is_dir():
        check_files(path)
        return _uploaded(path, path.resolve().name, there)
    return _exported(path, path.stem, there, options, on_stage)


def _exported(
    model: Any, name: str, there: Connection, options: ExportOptions, on_stage: Callable[[str], None]
) -> Artifact:
    on_stage("exporting")
    address = exporting.export(model, name=name, trust=options.trust, there=there, **options.choices)
    assert isinstance(address, Address)
    return _at(address, name, there)


def _uploaded(folder: Path, name: str, there: Connection) -> Artifact:
    """A SavedModel of this machine, under a name that follows from its content; the manifest goes last."""
    read_interface(lambda file: _content(folder / file), str(folder))
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    digest = hashlib.sha256()
    for file in files:
        with (folder / file).open("rb") as stream:
            digest.update(f"{file}\0{hashlib.file_digest(stream, 'sha256').hexdigest()}\0".encode())
    address = there.place.bucket / "models" / slug(name) / digest.hexdigest()[:16]
    there.uploader.send_folder(folder, address, [file for file in files if file != MANIFEST])
    if MANIFEST in files:
        there.uploader.send_folder(folder, address, [MANIFEST])
    return _at(address, name, there)


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def _unknown(text: str, value: Any) -> CloudMLError:
    why = f"The variable {text} is of type {type(value).__name__}, no Keras model." if value is not None else ""
    return CloudMLError(
        "nothing-to-deploy",
        f"There is no job, model variable or path called {text!r}.",
        why=why,
        next="`%ml_jobs` lists the jobs. A variable must hold a Keras model; a path must lead to a SavedModel folder"
        " or a .keras file.",
    )
