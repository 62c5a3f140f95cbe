"""Real batch processes on models that need no TensorFlow: a hand-made export with an ONNX graph that stands in for it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloudml_magic.serving.batch.specification import ERRORS, RESULTS
from cloudml_magic.serving.certificate import Certificate, Graph, digest_of, write_certificate
from tests.local_platform.saved_models import write_model

Tensor = dict[str, Any]


def write_engine(model: Path, engine: Path, nodes: Any, inputs: list[Any], outputs: dict[str, Any]) -> None:
    """A certified engine of a model folder, whose one signature is this graph."""
    import onnx

    engine.mkdir(parents=True)
    graph = onnx.helper.make_graph(nodes.pop("nodes"), "g", inputs, list(outputs.values()), **nodes)
    made = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
    content = made.SerializeToString()
    (engine / "g.onnx").write_bytes(content)
    named = {name: value.name for name, value in outputs.items()}
    one = Graph("g.onnx", hashlib.sha256(content).hexdigest(), named)
    write_certificate(engine, Certificate("onnxruntime", "It agrees.", digest_of(model), {"serving_default": one}))


def write_doubler(model: Path) -> Path:
    """A model that takes two numbers and gives twice as much of each."""
    write_model(model, manifest=True)
    return model


def write_doubling_engine(model: Path, engine: Path) -> None:
    from onnx import TensorProto, helper

    shape = ["n", 2]
    write_engine(
        model, engine, {"nodes": [helper.make_node("Add", ["x", "x"], ["twice"])]},
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        {"x": helper.make_tensor_value_info("twice", TensorProto.FLOAT, shape)},
    )  # fmt: skip


def write_table(folder: Path) -> tuple[Path, Path]:
    """A model of two inputs, `index` and `weight`: it refuses an index beyond its three."""
    from onnx import TensorProto, helper, numpy_helper

    model, engine = folder / "table", folder / "table-engine"
    write_model(model, manifest=True)
    document = json.loads((model / "cloudml.json").read_bytes())
    inputs = {"index": {"dtype": "int64", "shape": [None]}, "weight": {"dtype": "float32", "shape": [None]}}
    outputs = {"picked": {"dtype": "float32", "shape": [None]}, "weight": {"dtype": "float32", "shape": [None]}}
    document["signatures"] = {"serving_default": {"inputs": inputs, "outputs": outputs}}
    (model / "cloudml.json").write_text(json.dumps(document))
    nodes = [
        helper.make_node("Gather", ["values", "index"], ["picked"]),
        helper.make_node("Add", ["weight", "weight"], ["twice"]),
    ]
    write_engine(
        model, engine,
        {"nodes": nodes, "initializer": [numpy_helper.from_array(np.array([10, 20, 30], np.float32), "values")]},
        [helper.make_tensor_value_info("index", TensorProto.INT64, ["n"]),
         helper.make_tensor_value_info("weight", TensorProto.FLOAT, ["n"])],
        {"picked": helper.make_tensor_value_info("picked", TensorProto.FLOAT, ["n"]),
         "weight": helper.make_tensor_value_info("twice", TensorProto.FLOAT, ["n"])},
    )  # fmt: skip
    return model, engine


@dataclass
class Batch:
    """One batch in folders of its own, run by real processes."""

    folder: Path
    model: Path
    engine: Path | None
    format: str = "jsonl"
    inputs: list[Path] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def output(self) -> Path:
        return self.folder / "buckets" / "b" / "out"

    def add(self, name: str, content: bytes) -> Path:
        path = self.folder / "buckets" / "b" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.inputs.append(path)
        return path

    def start(self) -> subprocess.Popen[bytes]:
        """The process, as the platform starts it."""
        for folder in (self.state, self.output, self.replica):
            folder.mkdir(parents=True, exist_ok=True)
        inputs = [
            {"address": f"gs://b/{path.name}", "path": str(path), "size": path.stat().st_size, "modified_ns": path.stat().st_mtime_ns}
            for path in self.inputs
        ]  # fmt: skip
        document = {
            "model": "m@1", "model_folder": str(self.model), "engine_folder": str(self.engine) if self.engine else None,
            "format": self.format, "inputs": inputs, "buckets": str(self.folder / "buckets"),
            "output": str(self.output), "output_address": "gs://b/out", "state": str(self.state),
            "batch_size": None, "workers": 1, **self.fields,
        }  # fmt: skip
        file = self.state / "specification.json"
        file.write_text(json.dumps(document))
        return subprocess.Popen(
            [sys.executable, "-m", "cloudml_magic.serving.batch", str(file)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "CLOUDML_REPLICA": str(self.replica), "CLOUDML_STOPPING": str(self.replica / "stopping")},
        )  # fmt: skip

    @property
    def replica(self) -> Path:
        return self.folder / "replica"

    def run(self) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of the whole batch."""
        process = self.start()
        said, errors = process.communicate(timeout=120)
        return process.returncode, said.decode(), errors.decode()

    def results(self) -> list[Any]:
        return [json.loads(line) for line in (self.output / RESULTS).read_bytes().splitlines()]

    def errors(self) -> list[Any]:
        return [json.loads(line) for line in (self.output / ERRORS).read_bytes().splitlines()]

    def outputs(self) -> tuple[bytes, bytes]:
        return (self.output / RESULTS).read_bytes(), (self.output / ERRORS).read_bytes()

    def confirmed(self) -> int:
        """How many instances are confirmed."""
        found = 0
        for path in self.state.glob("confirmed-*.json"):
            document = json.loads(path.read_bytes())
            found += document["succeeded"] + document["failed"]
        return found

    def kill_after(self, count: int) -> bool:
        """Starts it and kills it, as `kill -9` does, once so many more instances are confirmed; false if it ended before."""
        wanted = self.confirmed() + count
        process = self.start()
        try:
            while process.poll() is None and self.confirmed() < wanted:
                time.sleep(0.002)
            if process.poll() is not None:
                return False
            process.send_signal(signal.SIGKILL)
        finally:
            process.communicate()
        return True


Make = Callable[..., Batch]


@pytest.fixture(scope="session")
def doubler(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("doubler")
    model = write_doubler(folder / "model")
    write_doubling_engine(model, folder / "engine")
    return model, folder / "engine"


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_table(tmp_path_factory.mktemp("table"))


@pytest.fixture
def batch(tmp_path: Path, doubler: tuple[Path, Path]) -> Iterator[Make]:
    """Makes batches of a model that doubles two numbers."""
    count = iter(range(100))

    def make(content: bytes = b"", name: str = "rows.jsonl", **fields: Any) -> Batch:
        format = fields.pop("format", "jsonl")
        model, engine = fields.pop("model", doubler)
        found = Batch(tmp_path / str(next(count)), model, engine, format, fields=fields)
        if content:
            found.add(name, content)
        return found

    yield make


def rows(count: int) -> bytes:
    """JSON lines of two numbers that tell which line they are."""
    return b"".join(b"[%d, %d.5]\n" % (number, number) for number in range(count))
