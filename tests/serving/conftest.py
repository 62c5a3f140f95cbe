"""Models, exported once, and the processes that serve them, started once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serving.processes import ServingProcess


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders `table`, `two`, `words`, `flowers`, `scaled` and `constant`, as the exporter writes them."""
    import keras
    import numpy as np

    from cloudml_magic.trainer.export import export_model

    keras.utils.set_random_seed(3)
    layers = keras.layers
    place = tmp_path_factory.mktemp("models")

    def export(name: str, model: Any, **how: Any) -> None:
        export_model(model, str(place / name), name=name, **how)

    export("table", keras.Sequential([layers.Input((4,), name="x"), layers.Dense(3, "softmax")]))
    left, right = layers.Input((3,), name="left"), layers.Input((2,), dtype="int32", name="right")
    numbers = layers.Concatenate()([left, layers.Rescaling(1.0)(right)])
    two = {"sum": layers.Dense(1, name="sum")(numbers), "kinds": layers.Dense(2, "softmax", name="kinds")(numbers)}
    export("two", keras.Model({"left": left, "right": right}, two))
    words = layers.Input((1,), dtype="string", name="word")
    known = layers.StringLookup(vocabulary=["ash", "oak"], output_mode="one_hot")(words)
    export("words", keras.Model(words, layers.Dense(1)(known)))
    flowers = keras.Sequential(
        [
            layers.Input((32, 24, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, 2, activation="relu"),
            layers.AveragePooling2D(3),
            layers.Flatten(),
            layers.Dense(3, "softmax"),
        ]
    )
    export("flowers", flowers, labels=["ash", "oak", "elm"])
    age, height = layers.Input((1,), name="age"), layers.Input((1,), name="height")
    scale = layers.Normalization()
    scale.adapt(np.array([[10.0], [50.0]]))
    both = layers.Concatenate()([scale(age), height])
    export("scaled", keras.Model({"age": age, "height": height}, layers.Dense(2, "softmax")(both)))
    zeros = layers.Dense(3, "softmax", kernel_initializer="zeros")
    export("constant", keras.Sequential([layers.Input((4,), name="x"), zeros]))
    return place


@pytest.fixture(scope="session")
def certify(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, dict[str, Any]]]:
    """Certifies a model by the real command, once; the engine's folder and what the command said."""
    done: dict[str, tuple[Path, dict[str, Any]]] = {}

    def certified(name: str) -> tuple[Path, dict[str, Any]]:
        if name not in done:
            engine = tmp_path_factory.mktemp("engine") / name
            command = [sys.executable, "-m", "cloudml_magic.serving.certification", str(models / name), str(engine)]
            said = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
            done[name] = (engine, json.loads(said.stdout))
        return done[name]

    return certified


@pytest.fixture(scope="session")
def served(
    models: Path,
    certify: Callable[[str], tuple[Path, dict[str, Any]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., ServingProcess]]:
    """`served("table", fast=True)`: the process of a model, shared by all tests that only ask it."""
    running: dict[tuple[str, bool], ServingProcess] = {}

    def process(name: str, fast: bool = False) -> ServingProcess:
        if (name, fast) not in running:
            engine = certify(name)[0] if fast else None
            running[name, fast] = ServingProcess(models / name, tmp_path_factory.mktemp("s"), engine)
            assert running[name, fast].outcome()["outcome"] == "ready"
        return running[name, fast]

    yield process
    for each in running.values():
        each.end()
