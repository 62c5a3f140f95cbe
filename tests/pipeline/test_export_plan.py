"""What a job is told of the export of its model, before it trains."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cloudml_magic.connection import place
from cloudml_magic.errors import CloudMLError
from cloudml_magic.history import ExecutedCell
from cloudml_magic.pipeline.export_plan import plan_export
from cloudml_magic.pipeline.options import TrainOptions
from cloudml_magic.pipeline.prepare import Preparation, prepare
from cloudml_magic.records import CapturedSource, Target
from cloudml_magic.settings import Settings

VGG = "keras.applications.vgg16.preprocess_input"


def prepared(*cells: str, namespace: dict[str, Any] | None = None, **options: Any) -> Preparation:
    executed = [ExecutedCell(text, number) for number, text in enumerate(cells, 1)]
    settings = Settings()
    return prepare(
        executed[:-1], executed[-1], name="job", options=TrainOptions.of(options), namespace=namespace or {},
        folder=Path("/nonexistent"), settings=settings, place=place(settings, "local"),
    )  # fmt: skip


def told(preparation: Preparation) -> dict[str, Any]:
    export: dict[str, Any] = json.loads(dict(preparation.spec.environment)["CLOUDML_JOB"])["export"]
    return export


def test_the_job_is_told_what_was_asked(home: Path) -> None:
    """Names, a factor, how to resize, and which package the model will come from; nothing else."""
    done = prepared("print(1)", labels="cat, dog", preprocess="1 / 255", resize="crop", picture=False)
    assert told(done) == {
        "labels": ["cat", "dog"], "preprocess": "1/255", "resize": "crop", "picture": False, "source": done.package.sha256,
    }  # fmt: skip
    assert told(prepared("print(1)")) == {"source": prepared("print(1)").package.sha256}


def test_labels_of_the_kernel_go_along(home: Path) -> None:
    """A variable's names are sent; what only the job makes is looked up there; anything else is refused."""
    assert told(prepared("print(1)", namespace={"names": ("a", "b")}, labels="names"))["labels"] == ["a", "b"]
    assert told(prepared("print(1)", labels="names"))["labels"] == "names"
    with pytest.raises(CloudMLError) as refused:
        prepared("print(1)", namespace={"names": 3}, labels="names")
    assert str(refused.value) == (
        "--labels names: the variable is int, not a list of names.\n"
        "  Next: Give the names, as in --labels cat,dog, or a variable that holds a list of them.\n"
        "[bad-option]"
    )


def test_a_function_of_the_notebook_travels_with_what_it_needs(home: Path) -> None:
    """The trained cell itself does not name it."""
    done = prepared(
        "SCALE = 2", "def halve(x):\n    return x / SCALE", "def other(x): pass", "print(1)", preprocess="halve"
    )
    assert (
        done.module
        == "# %% cell 1\nSCALE = 2\n\n# %% cell 2\ndef halve(x):\n    return x / SCALE\n\n# %% cell 3\nprint(1)\n"
    )
    assert told(done)["preprocess"] == "halve"
    with pytest.raises(CloudMLError, match="The job uses `nothing`, which is not defined"):
        prepared("print(1)", preprocess="nothing")


def test_what_the_code_applies_is_found_by_itself(home: Path) -> None:
    """One of Keras's own functions, told in the preparation; the user's word goes first; two are a question."""
    cell = "import keras\nx = keras.applications.vgg16.preprocess_input(1)"
    done = prepared(cell)
    assert told(done)["preprocess"] == VGG
    assert done.export.notes == (f"Pictures are preprocessed by {VGG}, which the code applies.",)
    assert told(prepared(cell, preprocess="1/255"))["preprocess"] == "1/255"
    both = prepared(cell + "\nx = keras.applications.resnet50.preprocess_input(1)")
    assert "preprocess" not in told(both)
    assert both.warnings == (
        f"The code applies keras.applications.resnet50.preprocess_input, {VGG} before the model, so the exported model"
        " applies none to pictures that it is asked about: say which with --preprocess.",
    )


def test_a_scaling_is_noticed(home: Path) -> None:
    """The job is told, and asks about it if its model takes pictures; not where the code applies something by name."""
    assert told(prepared("x = 1\ny = x / 255"))["scaling"] == "1/255"
    cell = "import keras\nx = keras.applications.vgg16.preprocess_input(1)\ny = x / 255"
    assert "scaling" not in told(prepared(cell))
    assert "scaling" not in told(prepared("x = 1\ny = x / 255", preprocess="1"))


OWN = "import keras\nclass Own(keras.layers.Layer):\n    pass\nkeras.layers.Lambda(Own)"


def test_what_cannot_be_served_is_said_before_training(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The preparation warns, and the job says it on its card before the code runs."""
    assert prepared(OWN).warnings == ()
    monkeypatch.setattr("cloudml_magic.pipeline.prepare.kernel_backend", lambda: "torch")
    assert prepared("print(1)").warnings == ()
    done = prepared(OWN, requires=("keras",))
    sentence = (
        "The job will save its model, but perhaps not for serving: a model of the PyTorch backend is exported through"
        " Keras's own layers, and the code has Lambda, Own."
    )
    assert done.warnings == (sentence,)
    assert json.loads(dict(done.spec.environment)["CLOUDML_JOB"])["warnings"] == [sentence]


def test_a_runtime_without_tensorflow_is_said_before_training() -> None:
    """In the cloud the images of JAX and PyTorch hold none, unless it is required."""
    without = (
        "The job will save its model, but not for serving. A SavedModel is written by TensorFlow, which the backend's"
        " image does not hold. --requires tensorflow-cpu brings it."
    )
    for backend in ("jax", "torch"):
        plan = plan_export(TrainOptions(), CapturedSource(()), {}, backend, Target.CLOUD)
        assert plan.warnings == (without,)
        brought = CapturedSource((), requirements=("tensorflow-cpu==2.21.0",))
        assert plan_export(TrainOptions(), brought, {}, backend, Target.CLOUD).warnings == ()
    assert plan_export(TrainOptions(), CapturedSource(()), {}, "tensorflow", Target.CLOUD).warnings == ()


def test_a_resizing_that_there_is_not(home: Path) -> None:
    """Said before anything is sent."""
    with pytest.raises(CloudMLError) as refused:
        prepared("print(1)", resize="squeeze")
    assert str(refused.value) == (
        "--resize 'squeeze' is not understood.\n  Next: Use stretch, crop, pad.\n[bad-option]"
    )
