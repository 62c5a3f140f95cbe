"""SavedModels by hand: enough of one to be uploaded, without TensorFlow."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path


def saved_model(*signatures: str) -> bytes:
    """A `saved_model.pb` whose signatures take one tensor `x` and give one tensor `y`."""
    tensor = _field(3, _field(2, _number(1, 2**64 - 1)) + _field(2, _number(1, 2))) + _number(2, 1)
    entries = b"".join(
        _field(5, _field(1, name.encode()) + _field(2, _field(1, _entry("x", tensor)) + _field(2, _entry("y", tensor))))
        for name in signatures
    )
    return _number(1, 1) + _field(2, _field(1, _field(5, b"2.21.0")) + entries)


def writing_node() -> bytes:
    """What follows a `saved_model.pb` so that its graph writes a file."""
    return _field(2, _field(2, _field(1, _entry("write", b"WriteFile"))))


def write_model(folder: Path, *signatures: str, manifest: bool = False) -> Path:
    """A model folder with a variable or two, and with a manifest if it is wanted."""
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(saved_model(*(signatures or ("serving_default",))))
    (folder / "variables" / "variables.index").write_bytes(b"index of " + folder.name.encode())
    (folder / "variables" / "variables.data-00000-of-00001").write_bytes(b"data" * 100)
    if manifest:
        names = ["saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"]
        files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
        tensors = {"x": {"dtype": "float32", "shape": [None, 2]}}
        signature = {"serving_default": {"inputs": tensors, "outputs": tensors}}
        document = {"schema": 1, "model": "m", "task": "other", "signatures": signature, "files": files}
        (folder / "cloudml.json").write_text(json.dumps(document))
    return folder


def _entry(name: str, value: bytes) -> bytes:
    return _field(1, name.encode()) + _field(2, value)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])
