"""`cloudml serve`: answers with one model folder, in this terminal, until it is interrupted."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from cloudml_magic.errors import CloudMLError

_MODEL = "model"


def declare(commands: Any) -> None:
    """Declares the command."""
    parser = commands.add_parser(
        "serve",
        help="answer requests with an exported model",
        description="Serves one model folder over HTTP, as Vertex containers and TensorFlow Serving do.",
    )
    parser.add_argument("folder", metavar="MODEL_FOLDER", help="an exported model: a path, or gs://…")
    parser.add_argument("--port", type=int, default=8080, help="where to listen (8080)")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1: this machine only)")
    parser.add_argument("--name", help="MODEL in /v1/models/MODEL:predict (the folder's name)")
    parser.add_argument(
        "--engine",
        choices=("tensorflow", "auto"),
        default="tensorflow",
        help="auto: first try whether ONNX Runtime gives the same answers, which takes up to a minute, and use it then",
    )
    parser.add_argument("--trust", action="store_true", help="also serve a model that does more than compute")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    _check(options)
    is_remote = options.folder.startswith("gs://")
    source = options.folder.rstrip("/") if is_remote else str(Path(options.folder).resolve())
    name = options.name or source.rpartition("/")[2] or _MODEL
    with tempfile.TemporaryDirectory(prefix="engine-") as engine_folder:
        environment = {
            **os.environ,
            "AIP_STORAGE_URI": source,
            "AIP_HTTP_PORT": str(options.port),
            "CLOUDML_SERVING_HOST": options.host,
            "CLOUDML_SERVING_MODEL": name,
            **({"CLOUDML_SERVING_TRUST": "1"} if options.trust else {}),
        }
        if options.engine == "auto":
            _certify(source, engine_folder, environment)
            environment["CLOUDML_SERVING_ENGINE"] = engine_folder
        return _serve(environment, f"http://{options.host}:{options.port}/v1/models/{name}")


def _check(options: argparse.Namespace) -> None:
    if not 0 < options.port < 65536:
        raise CloudMLError(
            "bad-port", f"--port {options.port} is no port.", next="Give a whole number from 1 to 65535."
        )
    if options.name is not None and not re.fullmatch(r"[\w.-]+", options.name, re.ASCII):
        raise CloudMLError(
            "bad-model-name",
            f"--name {options.name!r} cannot stand in /v1/models/MODEL:predict.",
            next="Use letters, digits, `.`, `_` and `-`.",
        )
    if options.folder.endswith(".keras"):
        raise CloudMLError(
            "no-model-folder",
            f"{options.folder} is no model folder.",
            why="A .keras file has to be exported before it is served.",
            next="In a notebook: `%ml_export FILE --to FOLDER`; then `cloudml serve FOLDER`.",
        )


def _certify(source: str, engine_folder: str, environment: dict[str, str]) -> None:
    print("Trying the fast engine …", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "cloudml_magic.serving.certification", source, engine_folder]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    _outcome(done.stdout)


def _serve(environment: dict[str, str], address: str) -> int:
    process = subprocess.Popen([sys.executable, "-m", "cloudml_magic.serving"], env=environment, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        outcome = _outcome(process.stdout.readline())
        print(f"{address} answers ({outcome['engine']}). {outcome['why']}")
        print(f"curl {address}/metadata")
        print(f"curl {address}:predict -d '{{\"instances\": […]}}'", flush=True)
        return process.wait()
    except KeyboardInterrupt:
        # The terminal has interrupted the process too: it answers what is under way and ends.
        return process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def _outcome(line: bytes) -> dict[str, Any]:
    """What the process says of itself; its error becomes ours."""
    try:
        outcome: dict[str, Any] = json.loads(line)
    except ValueError:
        raise CloudMLError(
            "serving-failed",
            "The serving process ended before it could say why.",
            next="Its last lines are above.",
        ) from None
    if outcome["outcome"] == "error":
        reference, what, why, next = outcome["error"]
        raise CloudMLError(reference, what, why=why, next=next)
    return outcome
