"""Where an exported model is served from, and by which image: in the cloud as TensorFlow Serving wants to have it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from cloudml_magic.connection import Connection
from cloudml_magic.pipeline.deployment.artifact import Artifact
from cloudml_magic.pipeline.images.registry import serving_address
from cloudml_magic.pipeline.runtime import serving_image
from cloudml_magic.records import DialectName, Target

_FOLDER = "models/served"
_NUMBER = "1"


@dataclass(frozen=True, slots=True)
class Served:
    """An artifact and the image that serves it; a numbered one is called 1, alone in the folder that holds it."""

    artifact: Artifact
    image: str
    is_numbered: bool = False


def served(artifact: Artifact, image: str | None, there: Connection, on_stage: Callable[[str], None]) -> Served:
    """How an artifact is served; an image that the user names gets the folder as it is.

    TensorFlow Serving takes a folder of numbered ones. The local platform and the older API read the export itself; for
    Vertex AI it is copied, inside Cloud Storage, to one that is called 1.
    """
    if image is not None:
        return Served(artifact, image)
    public = serving_image(artifact.interface.tensorflow)
    if there.place.target is Target.LOCAL or there.place.dialect is DialectName.ML_V1:
        return Served(artifact, public)
    mirrored = serving_address(public, there)
    if artifact.address.name.startswith(f"{_FOLDER}/"):
        return Served(artifact, mirrored, is_numbered=True)
    folder = there.place.bucket / f"{_FOLDER}/{artifact.digest[:16]}/{_NUMBER}"
    # A .keras file beside the export is not served.
    names = {name for name in there.storage.names(artifact.address) if not name.endswith(".keras")}
    if missing := names.difference(there.storage.names(folder)):
        on_stage("copying the model to where it is served from")
        there.storage.copy_folder(artifact.address, folder, sorted(missing))
    return Served(replace(artifact, address=folder), mirrored, is_numbered=True)
