"""Asks a deployed model about whatever the user has: what `%%ml_predict` does, from Python."""

from __future__ import annotations

import fnmatch
import glob
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cloudml_magic.connection import Connection
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.deployment.artifact import read_artifact
from cloudml_magic.pipeline.deployment.lookup import DeployedModel, deployed_model
from cloudml_magic.pipeline.prediction.answers import instances_of
from cloudml_magic.pipeline.prediction.given import Given, given
from cloudml_magic.pipeline.prediction.pictures_given import FileName
from cloudml_magic.pipeline.prediction.requests import (
    LARGEST_PICTURE,
    PredictRequest,
    check_count,
    check_requests,
    requests_of,
)
from cloudml_magic.pipeline.session import connection
from cloudml_magic.records import Answer, ModelInterface, Prediction
from cloudml_magic.storage import Address
from cloudml_magic.wording import place_words

_AT_ONCE = 4
Read = Callable[[str, Connection], bytes]
_WILD = "*?["
_INTERFACES: dict[tuple[str, str], ModelInterface] = {}


def predict(model: str, instances: Any, *, read: Read | None = None) -> Prediction:
    """Asks MODEL or MODEL/VERSION; builds the requests from what the model says it takes.

    `read` brings what an instance names in place of holding it: a file or a gs:// object, if nothing else is said.
    """
    asked = deployed_model(model)
    interface = _interface(asked)
    what = given(instances, interface, lambda where: (read or content_of)(where, asked.connection), LARGEST_PICTURE)
    check_count(what.count, model)
    # The stand-in of this machine reads arrays as NumPy writes them; TensorFlow Serving reads JSON.
    requests = requests_of(what, takes_binary=asked.connection.place.takes_binary)
    check_requests(requests, what.count, model)
    began = time.perf_counter()
    answers = _ask(asked, what, requests)
    seconds = time.perf_counter() - began
    values = [value for answer in answers for value in answer.predictions]
    notes = [picture.note for picture in what.pictures if picture.note]
    if len(requests) > 1:
        notes.append(f"Sent in {len(requests)} requests, each within the service's limit of 1.5 MB.")
    versions = sorted({answer.version for answer in answers if answer.version}, key=lambda version: version.zfill(9))
    return Prediction(
        model=asked.name,
        version=", ".join(versions) or asked.version.version,
        instances=instances_of(what, interface, values),
        values=values,
        seconds=seconds,
        signature=what.signature.name,
        where=place_words(asked.connection.place.target, asked.connection.place.region),
        requests=len(requests),
        notes=tuple(notes),
    )


def files_of(patterns: Sequence[str]) -> list[FileName]:
    """The files and gs:// objects that words with wildcards name, in the order of the words."""
    found: list[FileName] = []
    for pattern in patterns:
        matches = _matches(pattern)
        if not matches:
            raise CloudMLError(
                "no-such-file",
                f"There is no file {pattern!r}.",
                next="Give files relative to the notebook, or gs:// addresses, in quotes where they hold spaces;"
                " * and ? stand for other characters.",
            )
        found += map(FileName, matches)
    return found


def _matches(pattern: str) -> list[str]:
    if pattern.startswith("gs://"):
        if not any(sign in pattern for sign in _WILD):
            return [pattern]
        fixed = pattern[: min(pattern.index(sign) for sign in _WILD if sign in pattern)].rpartition("/")[0]
        folder = Address.parse(fixed)
        names = connection().storage.names(folder)
        return [str(folder / name) for name in names if _fits(str(folder / name), pattern)]
    plain = str(Path(pattern).expanduser())
    return [plain] if Path(plain).exists() else sorted(glob.glob(plain, recursive=True))  # noqa: PTH207 (absolute patterns too)


def _fits(address: str, pattern: str) -> bool:
    """Whether an address matches part by part: `*` does not reach across `/`."""
    parts, wanted = address.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))


def content_of(where: str, there: Connection) -> bytes:
    """A picture's bytes; only files of this machine and objects of buckets are read, nothing is fetched from a URL."""
    if where.startswith("gs://"):
        content = there.storage.read(Address.parse(where))
        if content is None:
            raise CloudMLError(
                "no-such-file", f"There is no object {where}.", next="`*` in a name finds what there is."
            )
        return content
    if "://" in where:
        raise CloudMLError(
            "no-address-fetched",
            f"{where[:200]} is not fetched.",
            why="A prediction reads files and gs:// objects only.",
            next="Download it, and give the file.",
        )
    try:
        return Path(where).expanduser().read_bytes()
    except OSError as problem:
        raise CloudMLError(
            "no-such-file",
            f"The picture {where[:200]!r} cannot be read.",
            why=f"{problem.strerror or problem}.",
            next="Give a file relative to the notebook, or a gs:// address.",
        ) from None


def _interface(asked: DeployedModel) -> ModelInterface:
    """Read once: what lies at a version's address does not change."""
    key = (asked.version.resource_name, asked.version.artifact_uri)
    if key not in _INTERFACES:
        _INTERFACES[key] = read_artifact(Address.parse(asked.version.artifact_uri), asked.connection)
    return _INTERFACES[key]


def _ask(asked: DeployedModel, what: Given, requests: Sequence[PredictRequest]) -> list[Answer]:
    pinned = asked.deployed.id if asked.is_pinned else None
    models = asked.connection.client.models

    def ask(request: PredictRequest) -> Answer:
        if request.content is None:
            return models.predict(asked.endpoint, request.instances, pinned)
        return models.raw_predict(asked.endpoint, request.content, request.content_type, what.signature.name, pinned)

    if len(requests) == 1:
        return [ask(requests[0])]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(ask, requests))
