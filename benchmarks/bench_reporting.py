"""What live reporting adds to `fit`: with and without it, in one process, taking turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from tempfile import TemporaryDirectory

from benchmarks.measure import Row

_PROGRAM = """
import json, os, sys, time
import numpy as np
import keras
from cloudml_magic.trainer.fit_reports import FitReports
from cloudml_magic.trainer.reporting import EventFile

x, y = np.random.random((19200, 784)).astype("float32"), np.random.randint(0, 10, 19200)
model = keras.Sequential([keras.layers.Dense(128, "relu"), keras.layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

# Reports watch Keras's list of callbacks: the two cases differ in what that class holds, and in nothing else.
watched = keras.callbacks.CallbackList
plain = dict(vars(watched))
FitReports(EventFile(os.path.join(sys.argv[1], "events.jsonl"))).install()
reporting = {name: value for name, value in vars(watched).items() if plain.get(name) is not value}
assert "on_train_batch_end" in reporting

def fit(methods):
    for name in reporting:
        if name in methods:
            setattr(watched, name, methods[name])
    began = time.perf_counter(), time.process_time()
    model.fit(x, y, epochs=1, batch_size=64, verbose=0)
    return time.perf_counter() - began[0], time.process_time() - began[1]

fit(plain), fit(reporting)
pairs = [(fit(plain), fit(reporting)) for _ in range(25)]
lines = open(os.path.join(sys.argv[1], "events.jsonl")).read().splitlines()
assert sum(json.loads(line)["kind"] == "epoch" for line in lines) == 26, lines
print(json.dumps(pairs))
"""
_STEPS = 300


def rows() -> Iterator[Row]:
    with TemporaryDirectory() as folder:
        answer = subprocess.run(
            [sys.executable, "-c", _PROGRAM, folder],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        )
    pairs = json.loads(answer.stdout.splitlines()[-1])
    # The block noise of shared machines is larger than what is measured: the fastest of each says most.
    plain, reporting = min(pair[0][0] for pair in pairs), min(pair[1][0] for pair in pairs)
    yield Row("fit with live reporting, against fit without", reporting / plain, "×", 1.03)
    yield Row("live reporting, a step", max(0.0, reporting - plain) / _STEPS * 1e6, "µs", 50)
    spent = [min(pair[case][1] for pair in pairs) for case in (0, 1)]
    yield Row("the same in processor seconds", spent[1] / spent[0], "×", 1.03)
