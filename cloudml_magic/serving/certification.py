"""`python -m cloudml_magic.serving.certification MODEL_FOLDER ENGINE_FOLDER`: may the fast engine serve a model?

The model is converted to ONNX, both engines answer the same inputs, and only where they agree on inputs whose
outputs really differ is a certificate given. A refusal is a certificate too: it says why TensorFlow serves.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cloudml_magic.errors import CloudMLError
from cloudml_magic.model_folder import read_folder
from cloudml_magic.records import ModelInterface, Signature
from cloudml_magic.serving.certificate import Certificate, digest_of, write_certificate
from cloudml_magic.serving.model_source import local_folder
from cloudml_magic.serving.predictor import PIXELS

_FLOATS = ("float32", "float64", "float16")


def certify(source: str, engine_folder: Path) -> Certificate:
    """Writes the certificate and, where it is given, the graphs that it names."""
    folder = local_folder(source)
    interface = read_folder(folder)
    engine_folder.mkdir(parents=True, exist_ok=True)
    reason = _impossible(interface)
    if reason is None:
        # Only now: importing TensorFlow takes seconds.
        from cloudml_magic.serving.agreement import NotCertifiedError, agreeing_graphs

        try:
            graphs, why = agreeing_graphs(folder, interface, engine_folder)
            certificate = Certificate("onnxruntime", why, digest_of(folder), graphs)
        except NotCertifiedError as refused:
            reason = str(refused)
    if reason is not None:
        certificate = Certificate("tensorflow", reason, digest_of(folder))
    write_certificate(engine_folder, certificate)
    return certificate


def graph_signatures(interface: ModelInterface) -> list[Signature]:
    """The signatures that become graphs; encoded pictures are decoded in front of `pixels`."""
    return [item for item in interface.signatures.values() if not _is_encoded_picture(interface, item)]


def _impossible(interface: ModelInterface) -> str | None:
    """Why the interface alone rules the fast engine out."""
    if interface.picture is not None and PIXELS not in interface.signatures:
        return f"The model takes pictures, but has no signature `{PIXELS}` for decoded ones."
    for signature in graph_signatures(interface):
        if not signature.inputs:
            return f"The signature `{signature.name}` takes no inputs."
        for spec in signature.inputs:
            if spec.dtype == "string":
                return f"The model takes text (`{spec.name}`), which only TensorFlow computes."
            if spec.dtype not in _FLOATS:
                return (
                    f"The model takes {spec.dtype} (`{spec.name}`); the engines treat numbers out of range differently."
                )
        for spec in (*signature.inputs, *signature.outputs):
            if not spec.shape or spec.shape[0] is not None:
                return f"`{spec.name}` has no free number of rows."
            if spec in signature.outputs and spec.dtype not in _FLOATS:
                return f"The output `{spec.name}` is {spec.dtype}; only floats are compared."
    return None


def _is_encoded_picture(interface: ModelInterface, signature: Signature) -> bool:
    picture = interface.picture
    return picture is not None and [spec.name for spec in signature.inputs] == [picture.input]


def main(arguments: Sequence[str]) -> int:
    """0 with one JSON line that says which engine serves and why; 1 where the folder holds no model."""
    source, engine_folder = arguments
    try:
        certificate = certify(source, Path(engine_folder))
    except CloudMLError as problem:
        outcome = {"outcome": "error", "error": [problem.reference, problem.what, problem.why, problem.next]}
    else:
        outcome = {"outcome": "certified", "engine": certificate.engine, "why": certificate.why}
    sys.stdout.write(json.dumps(outcome) + "\n")
    return 1 if outcome["outcome"] == "error" else 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    # TensorFlow takes a second to be torn down.
    os._exit(code)
