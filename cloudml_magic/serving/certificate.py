"""The certificate of a fast engine: which graphs stand in for which signatures of which export, or why none do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cloudml_magic.model_folder import MANIFEST, SAVED_MODEL

FILE = "certificate.json"
_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Graph:
    """One ONNX file, its digest, and what its outputs are called by the signature's names."""

    file: str
    sha256: str
    outputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Certificate:
    """`engine` is onnxruntime or tensorflow; `why` says in words why; `digest` names the export it was given to."""

    engine: str
    why: str
    digest: str
    graphs: Mapping[str, Graph] = field(default_factory=dict)


def write_certificate(folder: Path, certificate: Certificate) -> None:
    """Whole or not at all; it is written after the graphs that it names."""
    document = {
        "schema": _SCHEMA,
        "engine": certificate.engine,
        "why": certificate.why,
        "digest": certificate.digest,
        "signatures": {name: asdict(graph) for name, graph in certificate.graphs.items()},
    }
    temporary = folder / f".{FILE}"
    temporary.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    temporary.replace(folder / FILE)


def read_certificate(folder: Path) -> Certificate | None:
    """None where there is none, or none that this version can use: then TensorFlow serves."""
    try:
        document = json.loads((folder / FILE).read_bytes())
        if document["schema"] != _SCHEMA:
            return None
        graphs = {str(name): _graph(item) for name, item in document["signatures"].items()}
        certificate = Certificate(str(document["engine"]), str(document["why"]), str(document["digest"]), graphs)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    if any(not _holds(folder, graph) for graph in graphs.values()):
        return None
    return certificate


def digest_of(folder: Path) -> str:
    """What names an export: the digests of its SavedModel's files, which the manifest has counted already."""
    digests = _listed(folder) or {
        path.relative_to(folder).as_posix(): _sha256(path)
        for path in (folder / SAVED_MODEL, *(folder / "variables").rglob("*"), *(folder / "assets").rglob("*"))
        if path.is_file()
    }
    return hashlib.sha256(json.dumps(sorted(digests.items())).encode()).hexdigest()


def _listed(folder: Path) -> dict[str, str]:
    """The digests of the manifest, which are compared with the files before anything is loaded."""
    try:
        return dict(json.loads((folder / MANIFEST).read_bytes()).get("files") or {})
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _graph(document: Mapping[str, Any]) -> Graph:
    outputs = {str(name): str(own) for name, own in document["outputs"].items()}
    return Graph(str(document["file"]), str(document["sha256"]), outputs)


def _holds(folder: Path, graph: Graph) -> bool:
    path = folder / graph.file
    return Path(graph.file).name == graph.file and path.is_file() and _sha256(path) == graph.sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
