"""A user deploys and asks: real kernel, real platform, real predictor processes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from real_notebook import Notebook, Outcome

pytestmark = pytest.mark.slow

PREDICTION = "application/vnd.cloudml.prediction+json"
PICTURES = """
import keras
import numpy as np
from pathlib import Path
from PIL import Image

KINDS = ["beet", "cleavers", "charlock", "chickweed", "cranesbill", "fat-hen", "grass", "maize", "mayweed", "purse", "wheat", "bent"]
noise = np.random.default_rng(3)

def leaf(kind):
    "A bright bar at a place of its own for each kind, on noise."
    picture = noise.integers(0, 60, (12, 12, 3))
    picture[kind, :, kind % 3] += 190
    return picture.astype("uint8")

y = np.arange(480) % 12
x = np.stack([leaf(kind) for kind in y]).astype("float32")
"""
TRAIN_PICTURES = """%%ml_train leaves --labels KINDS
model = keras.Sequential([
    keras.Input((12, 12, 3)), keras.layers.Rescaling(1 / 255), keras.layers.Flatten(),
    keras.layers.Dense(12, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.03), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=12)
"""


@pytest.fixture(scope="module")
def trained(kernel: Notebook) -> Notebook:
    """Three trainings are sent; each deployment waits for its own."""
    assert not kernel.run(PICTURES).error
    assert not kernel.run(TRAIN_PICTURES).error
    return kernel


def card(outcome: Outcome) -> dict[str, Any]:
    """The prediction that a cell shows, with all of its representations."""
    assert not outcome.error, outcome.error
    return next(data for data in outcome.displays.values() if PREDICTION in data)


def test_a_deployment_waits_for_its_job_and_then_answers(trained: Notebook) -> None:
    """Run All works: the job is waited for, and the card says where the version answers and by which engine."""
    deployed = trained.run("%ml_deploy leaves")
    assert not deployed.error, deployed.error
    text = next(data["text/plain"] for data in deployed.displays.values() if "deployed" in data["text/plain"])
    assert text.startswith("leaves/1 · deployed · this machine · 100 % of the traffic · in ")
    assert "Ask it: %%ml_predict leaves" in text
    assert re.search(r"onnxruntime|tensorflow", text)


def test_a_picture_file_is_answered_with_its_class(trained: Notebook) -> None:
    """Twelve classes by name, best first, beside the thumbnail; in one display, three representations."""
    assert not trained.run(
        "for kind in (4, 7):\n    Image.fromarray(leaf(kind)).resize((96, 96), 0).save(f'{KINDS[kind]}.png')"
    ).error
    shown = card(trained.run("%ml_predict leaves cranesbill.png maize.png --into answers"))
    assert set(shown) == {"text/plain", "text/html", PREDICTION}
    assert shown["text/plain"].startswith("leaves/1 · 2 instances · ")
    document = shown[PREDICTION]
    assert document["schema"] == 1
    assert [instance["name"] for instance in document["instances"]] == ["cranesbill.png", "maize.png"]
    assert [instance["outputs"][0]["classes"][0]["label"] for instance in document["instances"]] == [
        "cranesbill",
        "maize",
    ]
    assert all(instance["thumbnail"] for instance in document["instances"])
    assert shown["text/html"].count("data:image/") == 2
    assert trained.run("print(np.shape(answers), [KINDS[np.argmax(a)] for a in answers])").printed.strip() == (
        "(2, 12) ['cranesbill', 'maize']"
    )


def test_the_same_picture_in_every_form_is_answered_alike(trained: Notebook) -> None:
    """Bytes, an image, pixels, and what `model.predict` takes."""
    program = """
import cloudml_magic
one = leaf(9)
forms = [one, Image.fromarray(one), one.astype("float32"), [one], one[None]]
found = [cloudml_magic.predict("leaves", form) for form in forms]
print({each.instances[0].outputs[0].classes[0][0] for each in found}, {each.signature for each in found})
"""
    answer = trained.run(program)
    assert "{'purse'}" in answer.printed and "tensors" in answer.printed, answer.error


def test_what_does_not_fit_is_explained_before_it_is_sent(trained: Notebook) -> None:
    """The tutorial's wrong shape, with the smallest change."""
    wrong = trained.run("%%ml_predict leaves\nx[:1][None][None]")
    assert "pass `x` instead of `[[x]]`" in wrong.error
    assert "Traceback" not in wrong.error


def test_two_versions_share_the_traffic_until_one_goes(trained: Notebook) -> None:
    """A share for the new one; a version that is named answers alone; undeploying gives the rest to the other."""
    assert not trained.run(TRAIN_PICTURES).error
    split = trained.run("%ml_deploy leaves --traffic 30")
    assert not split.error, split.error
    assert "leaves/2 · deployed · this machine · 30 % of the traffic" in split.text
    table = trained.run("%ml_models leaves").text
    assert re.search(r"leaves/1 +this machine +70 %", table) and re.search(r"leaves/2 +this machine +30 %", table)
    program = """
from collections import Counter
seen = Counter(cloudml_magic.predict("leaves", leaf(2)).version for _ in range(60))
print(sorted(seen), {cloudml_magic.predict("leaves/2", leaf(2)).version for _ in range(5)})
"""
    assert trained.run(program).printed.strip() == "['1', '2'] {'2'}"
    assert trained.run("%ml_undeploy leaves/1").printed.strip() == "leaves/1 · undeployed"
    assert re.search(r"leaves/1 +no", trained.run("%ml_models").text)
    assert "leaves/1 is not deployed" in trained.run("%%ml_predict leaves/1\nleaf(2)").error
    assert card(trained.run("%%ml_predict leaves\nleaf(2)"))[PREDICTION]["version"] == "2"


def test_a_model_with_several_inputs_and_outputs_is_asked_by_name(kernel: Notebook) -> None:
    """A model of the kernel, exported and deployed in one line; a frame, a dictionary and JSON."""
    program = """
import keras, numpy as np, pandas as pd
age, height = keras.Input((1,), name="age"), keras.Input((1,), name="height")
both = keras.layers.Concatenate()([age, height])
person = keras.Model([age, height], {"score": keras.layers.Dense(1, name="score")(both), "kind": keras.layers.Dense(3, activation="softmax", name="kind")(both)})
frame = pd.DataFrame({"age": [25.0, 51.0], "height": [1.7, 1.8]})
expected = person.predict({name: frame[[name]].to_numpy() for name in frame}, verbose=0)
"""
    assert not kernel.run(program).error
    deployed = kernel.run("%ml_deploy person --as people/first")
    assert not deployed.error, deployed.error
    shown = card(kernel.run("%%ml_predict people --into of_frame\nframe"))
    assert re.search(r"age +height", shown["text/plain"]) and "score" in shown["text/plain"]
    assert not kernel.run(
        '%%ml_predict people/first --into of_json\n[{"age": 25, "height": 1.7}, {"age": 51, "height": 1.8}]'
    ).error
    check = kernel.run(
        "print(all(np.allclose(expected[name], [row[name] for row in rows], rtol=1e-4) for name in expected for rows in (of_frame, of_json)))"
    )
    assert check.printed.strip() == "True", check.error


def test_a_model_of_texts_is_asked_with_texts(kernel: Notebook) -> None:
    """Its vocabulary is in the model; it stays on TensorFlow, and the table says why."""
    program = """
import keras, numpy as np
texts = np.array([["good film"], ["bad film"], ["very good"], ["very bad"]] * 20)
liked = np.array([1, 0, 1, 0] * 20)
words = keras.layers.TextVectorization(max_tokens=50, output_sequence_length=4)
words.adapt(texts)
review = keras.Sequential([keras.Input((1,), dtype="string"), words, keras.layers.Embedding(50, 8), keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(1, activation="sigmoid")])
review.compile(keras.optimizers.Adam(0.05), "binary_crossentropy")
import tensorflow as tf
_ = review.fit(tf.constant(texts), liked, epochs=15, verbose=0)
"""
    assert not kernel.run(program).error
    deployed = kernel.run("%ml_deploy review --labels disliked,liked")
    assert not deployed.error, deployed.error
    shown = card(kernel.run('%%ml_predict review\n["good film", "very bad film"]'))
    labels = [each["outputs"][0]["classes"][0]["label"] for each in shown[PREDICTION]["instances"]]
    assert labels == ["liked", "disliked"]
    assert "tensorflow" in kernel.run("%ml_models review").text


def test_a_deployment_outlives_the_kernel_and_the_platform(trained: Notebook) -> None:
    """After a restart of both, the next question is answered."""
    trained.restart()
    program = (
        "%load_ext cloudml_magic\nimport numpy as np\nfrom cloudml_magic.local_platform import lifecycle\n"
        "assert lifecycle.stop()"
    )
    assert not trained.run(program).error
    shown = card(trained.run("%%ml_predict leaves\nnp.zeros((12, 12, 3), 'uint8')"))
    assert shown[PREDICTION]["version"] == "2"


def test_deleting_asks_for_undeploying_first_and_then_takes_all(kernel: Notebook) -> None:
    """What is deployed is refused by name; afterwards nothing is left."""
    refused = kernel.run("%ml_delete people --yes")
    assert "people cannot be deleted while it is deployed." in refused.error
    assert not kernel.run("%ml_undeploy people").error
    assert (
        kernel.run("%ml_delete people --yes").printed.strip() == "Deleted model people with version 1 and its endpoint."
    )
    assert "people" not in kernel.run("%ml_models").text
    assert "There is no model 'people'." in kernel.run("%%ml_predict people\n[1]").error
