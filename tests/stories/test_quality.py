"""A user looks how good a model is: a job's while it still trains, the same one deployed, on pictures in folders."""

from __future__ import annotations

import pytest
from real_notebook import Notebook

from tests.shades import SHADES

pytestmark = pytest.mark.slow

EVALUATION = "application/vnd.cloudml.evaluation+json"
PICTURES = f"""{SHADES}
# Far more red than anything else.
for index in range(40):
    Image.fromarray(shade(0)).save(f"Test/red/{{index}}.png")
for index in range(4):
    Image.fromarray(shade(1)).save(f"Test/green/{{index}}.png")
    Image.fromarray(shade(2)).save(f"Test/blue/{{index}}.png")
"""
TRAIN = """%%ml_train shades --labels COLOURS
model = keras.Sequential([
    keras.Input((12, 12, 3)), keras.layers.Rescaling(1 / 255), keras.layers.GlobalAveragePooling2D(),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=15, verbose=0)
"""


def value(kernel: Notebook, expression: str) -> str:
    outcome = kernel.run(expression)
    assert outcome.value is not None, outcome.error
    return str(outcome.value["text/plain"])


def test_a_job_is_waited_for_and_scored(kernel: Notebook) -> None:
    """By the labels of its export, not by the alphabet; the picture that lies wrong is seen."""
    assert not kernel.run(PICTURES).error
    assert not kernel.run(TRAIN).error
    outcome = kernel.run("%ml_evaluate shades --data Test --into quality")
    assert not outcome.error, outcome.error
    (document,) = [display[EVALUATION] for display in outcome.displays.values() if EVALUATION in display]
    assert document["count"] == 49
    assert document["classes"]["confusion"] == {
        "labels": ["red", "green", "blue"],
        "rows": [[40, 0, 0], [0, 4, 1], [0, 0, 4]],
    }
    (worst,) = document["worst"]
    assert worst["name"] == "green/lost.png" and worst["thumbnail"]
    assert document["notes"] == ["Always answering 'red' would be right for 81.6 %."]
    assert value(kernel, "[round(one.recall, 3) for one in quality.scores.classes]") == "[1.0, 0.8, 1.0]"


def test_a_deployed_model_gets_the_same_figures(kernel: Notebook) -> None:
    """Asked over its endpoint, about files and about arrays."""
    assert not kernel.run("%ml_deploy shades").error
    assert not kernel.run("deployed = %ml_evaluate shades/1 --data Test").error
    assert value(kernel, "deployed.scores == quality.scores") == "True"
    assert not kernel.run("numbers = %ml_evaluate shades/1 --data x,y").error
    assert value(kernel, "numbers.count, numbers.scores.accuracy") == "(150, 1.0)"


OF_ANOTHER_BACKEND = """%%ml_train with_{0} --labels COLOURS --env KERAS_BACKEND={0} --preprocess prepared --wait
def prepared(pixels):
    return pixels / 255
model = keras.Sequential([
    keras.Input((12, 12, 3)), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(prepared(x), y, epochs=15, verbose=0)
"""


def test_a_function_that_only_the_job_knows(kernel: Notebook) -> None:
    """The job's export holds it, so another function of that name here changes nothing; pictures from a bucket."""
    assert not kernel.run(OF_ANOTHER_BACKEND.format("jax")).error
    assert not kernel.run("%ml_storage mb gs://pictures-of-mine").error
    assert not kernel.run("%ml_storage cp -r Test gs://pictures-of-mine/").error
    assert not kernel.run("prepared = lambda pixels: pixels * 0").error
    assert not kernel.run("found = %ml_evaluate with_jax --data gs://pictures-of-mine/Test").error
    assert value(kernel, "found.scores.confusion") == "((40, 0, 0), (0, 4, 1), (0, 0, 4))"
    assert not kernel.run("some = x[:9] / 255\ntruths = y[:9]\nfound = %ml_evaluate with_jax --data some,truths").error
    assert value(kernel, "found.count, found.scores.accuracy") == "(9, 1.0)"


def test_a_job_without_an_export(kernel: Notebook) -> None:
    """What its submission said still counts: the order of the labels, and a function that has to be here then."""
    assert not kernel.run(OF_ANOTHER_BACKEND.format("torch")).error
    assert not kernel.run("del prepared").error
    outcome = kernel.run("%ml_evaluate with_torch --data Test")
    assert "There is no function 'prepared' to preprocess pictures with." in outcome.error
    assert not kernel.run("prepared = lambda pixels: pixels / 255").error
    assert not kernel.run("found = %ml_evaluate with_torch --data Test").error
    assert value(kernel, "found.scores.confusion") == "((40, 0, 0), (0, 4, 1), (0, 0, 4))"


def test_each_version_of_a_model_by_itself(kernel: Notebook) -> None:
    """Whatever share of the questions each of them gets."""
    cell = (
        "other = keras.Sequential([keras.Input((12, 12, 3)), keras.layers.GlobalAveragePooling2D(),"
        " keras.layers.Dense(3, activation='softmax')])\nother.layers[-1].set_weights([np.zeros((3, 3)), np.array([0, 9, 0])])"
    )
    assert not kernel.run(cell).error
    assert not kernel.run("%ml_deploy other --as shades --labels COLOURS --traffic 50").error
    for version, right in ((1, 48), (2, 5)):
        assert not kernel.run(f"found = %ml_evaluate shades/{version} --data Test").error
        assert value(kernel, "round(found.scores.accuracy * found.count)") == str(right)


def test_what_the_line_lacks_is_said(kernel: Notebook) -> None:
    """Before anything is loaded."""
    outcome = kernel.run("%ml_evaluate shades")
    assert "Nothing says on what shades is evaluated." in outcome.error
    outcome = kernel.run("%ml_evaluate shades --data x_tset,y")
    assert "There is no variable x_tset." in outcome.error
    assert "--data x_tset,y names no folder either." in outcome.error


def test_two_jobs_beside_each_other(kernel: Notebook) -> None:
    """The same cell with another value: the curves of both, and the value that differs."""
    cell = (
        "%%ml_train steps{} --wait\nrate = {}\nmodel = keras.Sequential([keras.Input((12, 12, 3)),"
        " keras.layers.Flatten(), keras.layers.Rescaling(1 / 255), keras.layers.Dense(3)])\n"
        'model.compile(keras.optimizers.SGD(rate), "mse")\nmodel.fit(x, keras.utils.to_categorical(y), epochs=2)'
    )
    for number, rate in enumerate((0.001, 0.01)):
        assert not kernel.run(cell.format(number, rate)).error
    outcome = kernel.run("%ml_compare steps0 steps1")
    assert outcome.value is not None, outcome.error
    document = outcome.value["application/vnd.cloudml.comparison+json"]
    (rate_row,) = [row for row in document["parameters"] if row["name"] == "rate"]
    assert rate_row == {"name": "rate", "differs": True, "cells": ["0.001", "0.01"]}
    (loss,) = [curve for curve in document["curves"] if curve["name"] == "loss"]
    assert [len(curve["values"]) for curve in loss["values"]] == [2, 2]


def test_a_comparison_is_of_several_jobs(kernel: Notebook) -> None:
    """The same job twice is one; a name that no job has is said to be unknown."""
    assert "One job is named; a comparison is of at least two." in kernel.run("%ml_compare steps0 steps0").error
    assert "There is no job 'nothing'." in kernel.run("%ml_compare steps0 nothing").error
