"""The fast engine: ONNX Runtime at float32, in a process that never imports TensorFlow."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from cloudml_magic.serving.certificate import Certificate
from cloudml_magic.serving.engines.engine import ModelRefusedError, Tensors

_MOST_THREADS = 4
# Smaller graphs are computed before a second thread is awake, and waiting threads take time from reading requests.
_SMALL_BYTES = 2 * 1024 * 1024


class OnnxEngine:
    """Runs the graphs of a certificate; each is loaded when it is first asked for."""

    name = "onnxruntime"
    # Its memory grows with the largest batch and stays; larger ones than these are hardly faster.
    batch_bytes = 2 * 1024 * 1024

    def __init__(self, folder: Path, certificate: Certificate) -> None:
        self.why = certificate.why
        self._folder = folder
        self._graphs = certificate.graphs
        self._sessions: dict[str, Any] = {}

    def answers(self, signature: str) -> bool:
        return signature in self._graphs

    def run(self, signature: str, inputs: Tensors) -> Tensors:
        outputs = self._graphs[signature].outputs
        session = self._sessions.get(signature) or self._session(signature)
        try:
            return dict(zip(outputs, session.run(list(outputs.values()), dict(inputs)), strict=True))
        except Exception as problem:
            # ONNX Runtime has one kind of exception per code, and says only in words that an index is beyond a table.
            if "out of data bounds" in str(problem) or type(problem).__name__ == "InvalidArgument":
                raise ModelRefusedError(str(problem).rpartition(":")[2].strip()[:300]) from None
            raise

    def _session(self, signature: str) -> Any:
        session = open_session(self._folder / self._graphs[signature].file)
        self._sessions[signature] = session
        return session


def open_session(path: Path) -> Any:
    """A loaded graph on the processor."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    is_small = path.stat().st_size < _SMALL_BYTES
    options.intra_op_num_threads = 1 if is_small else min(_MOST_THREADS, len(os.sched_getaffinity(0)))
    options.inter_op_num_threads = 1
    # Warnings of the optimiser are of no use to whoever reads the log.
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
