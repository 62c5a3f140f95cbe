"""The small model with eight clients behind MLServer, LitServe and BentoML, in turns with our own server."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.load import ask, per_second
from benchmarks.measure import Row, median, side_by_side
from benchmarks.served_models import certified, request_bytes, serving, write_dense

_CLIENTS, _SECONDS = 8, 0.7
_OURS, _REFERENCE = "ours as deployed", "ours on TensorFlow"
_START_SECONDS = 90
_END_SECONDS = 15
_HERE = Path(__file__).parent / "peers"
_ENVIRONMENTS = Path.home() / ".cache" / "cloudml-magic" / "peers"


def rows() -> Iterator[Row]:
    import numpy as np

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    row = np.random.default_rng(1).random((1, 784), np.float32).round(7).astype(float)
    ours = request_bytes(json.dumps({"instances": row.tolist()}).encode())
    tensor = {"name": "x", "shape": [1, 784], "datatype": "FP32", "data": row[0].tolist()}
    requests = {
        "mlserver": request_bytes(json.dumps({"inputs": [tensor]}).encode(), path="/v2/models/model/infer"),
        "litserve": request_bytes(json.dumps({"instances": row.tolist()}).encode(), path="/predict"),
        "bentoml": request_bytes(json.dumps({"instances": row.tolist()}).encode(), path="/predict"),
    }
    with TemporaryDirectory() as folder, ExitStack() as servers:
        model = Path(folder) / "model"
        write_dense(model)
        certified(model, Path(folder) / "engine")
        served = servers.enter_context(serving(model, Path(folder) / "engine"))
        reference = servers.enter_context(serving(model, port=served.port + 1))
        cases: dict[str, Callable[[], float]] = {
            _OURS: lambda: per_second(served.port, ours, _CLIENTS, _SECONDS),
            _REFERENCE: lambda: per_second(reference.port, ours, _CLIENTS, _SECONDS),
        }
        for number, (name, request) in enumerate(requests.items()):
            port = 18800 + number
            try:
                servers.enter_context(_peer(name, model, port, request))
            except (subprocess.SubprocessError, OSError, TimeoutError) as problem:
                print(f"{name} is left out: it could not be installed or started ({str(problem)[:200]}).")
                continue
            cases[name] = lambda port=port, request=request: per_second(port, request, _CLIENTS, _SECONDS)
        taken = dict(zip(cases, side_by_side(*cases.values()), strict=True))
    print("answers per second: " + ", ".join(f"{name} {median(rates):.0f}" for name, rates in taken.items()))
    peers = [name for name in taken if name not in (_OURS, _REFERENCE)]
    if peers:
        best = max(peers, key=lambda name: median(taken[name]))
        for mine in (_OURS, _REFERENCE):
            ratio = median([one / other for one, other in zip(taken[mine], taken[best], strict=True)])
            yield Row(f"dense, JSON, 8 clients: {mine} over the best peer ({best})", ratio, "x", 3, at_least=True)


@contextmanager
def _peer(name: str, model: Path, port: int, request: bytes) -> Iterator[None]:
    """A peer's server that has answered once; ended with all its processes."""
    python = _environment(name)
    command = [str(python), f"with_{name}.py", str(model), str(port)]
    if name == "bentoml":
        command = [str(python), "-m", "bentoml", "serve", "with_bentoml:Model", "--port", str(port)]
    quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = {**os.environ, "MODEL_FOLDER": str(model), "BENTOML_DO_NOT_TRACK": "1"}
    process = subprocess.Popen(command, cwd=_HERE, env=environment, start_new_session=True, **quiet)
    try:
        _wait_for_answer(process, port, request)
        yield
    finally:
        # BentoML's workers are ended by their parent only.
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for_answer(process: subprocess.Popen[bytes], port: int, request: bytes) -> None:
    began = time.monotonic()
    while True:
        try:
            ask(port, request)
            return
        except (OSError, AssertionError):
            if process.poll() is not None or time.monotonic() - began > _START_SECONDS:
                raise TimeoutError("it did not answer") from None
            time.sleep(0.2)


def _environment(name: str) -> Path:
    """An environment that holds the peer; TensorFlow it takes from this one, after all of its own."""
    folder = _ENVIRONMENTS / name
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "-q", "--clear", "--python", sys.executable, str(folder)], check=True)
        subprocess.run([*uv, "pip", "install", "-q", "--python", str(python), name], check=True)
        (folder / "installed").touch()
    inside = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], capture_output=True, check=True
    )
    (Path(inside.stdout.decode().strip()) / "tensorflow_of_bench.pth").write_text(sysconfig.get_path("purelib"))
    return python
