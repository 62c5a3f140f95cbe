"""A user deploys and asks: real kernel, real platform, real predictor processes."""

from __future__ import annotations

import re
import threading
from pathlib import Path
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


PERSON = """
import keras, numpy as np, pandas as pd
age, height = keras.Input((1,), name="age"), keras.Input((1,), name="height")
both = keras.layers.Concatenate()([age, height])
score, kind = keras.layers.Dense(1, name="score"), keras.layers.Dense(3, activation="softmax", name="kind")
person = keras.Model([age, height], {"score": score(both), "kind": kind(both)})
frame = pd.DataFrame({"age": [25.0, 51.0], "height": [1.7, 1.8]})
expected = person.predict({name: frame[[name]].to_numpy() for name in frame}, verbose=0)
"""


@pytest.fixture(scope="module")
def deployed(kernel: Notebook) -> Outcome:
    """Run All: pictures are trained on, and the next cell deploys the job's model."""
    assert not kernel.run(PICTURES).error
    assert not kernel.run(TRAIN_PICTURES).error
    outcome = kernel.run("%ml_deploy leaves")
    assert not outcome.error, outcome.error
    return outcome


@pytest.fixture(scope="module")
def leaves(kernel: Notebook, deployed: Outcome) -> Notebook:
    """A kernel beside an endpoint that knows twelve kinds of leaves; it holds version 1 between tests."""
    return kernel


@pytest.fixture(scope="module")
def people(kernel: Notebook) -> Notebook:
    """A kernel beside an endpoint of a model with two inputs and two outputs."""
    assert not kernel.run(PERSON).error
    outcome = kernel.run("%ml_deploy person --as people/first")
    assert not outcome.error, outcome.error
    return kernel


def card(outcome: Outcome) -> dict[str, Any]:
    """The prediction that a cell shows, with all of its representations."""
    assert not outcome.error, outcome.error
    return next(data for data in outcome.displays.values() if PREDICTION in data)


def test_a_deployment_waits_for_its_job_and_then_answers(deployed: Outcome) -> None:
    """The job is waited for, and the card says where the version answers and by which engine."""
    text = next(data["text/plain"] for data in deployed.displays.values() if "deployed" in data["text/plain"])
    assert text.startswith("leaves/1 · deployed · this machine · 100 % of the traffic · in ")
    assert "Ask it: %%ml_predict leaves" in text
    assert re.search(r"onnxruntime|tensorflow", text)


def test_a_picture_file_is_answered_with_its_class(leaves: Notebook) -> None:
    """Twelve classes by name, best first, beside the thumbnail; in one display, three representations."""
    assert not leaves.run(
        "for kind in (4, 7):\n    Image.fromarray(leaf(kind)).resize((96, 96), 0).save(f'{KINDS[kind]}.png')"
    ).error
    shown = card(leaves.run("%ml_predict leaves cranesbill.png maize.png --into answers"))
    assert set(shown) == {"text/plain", "text/html", PREDICTION}
    assert shown["text/plain"].startswith("leaves/1 · 2 pictures · ")
    document = shown[PREDICTION]
    assert document["schema"] == 1
    assert [instance["name"] for instance in document["instances"]] == ["cranesbill.png", "maize.png"]
    assert [instance["outputs"][0]["classes"][0]["label"] for instance in document["instances"]] == [
        "cranesbill",
        "maize",
    ]
    assert all(instance["thumbnail"] for instance in document["instances"])
    assert shown["text/html"].count("data:image/") == 2
    assert leaves.run("print(np.shape(answers), [KINDS[np.argmax(a)] for a in answers])").printed.strip() == (
        "(2, 12) ['cranesbill', 'maize']"
    )


def test_the_same_picture_in_every_form_is_answered_alike(leaves: Notebook) -> None:
    """Bytes, an image, pixels, and what `model.predict` takes."""
    program = """
import cloudml_magic
one = leaf(9)
forms = [one, Image.fromarray(one), one.astype("float32"), [one], one[None]]
found = [cloudml_magic.predict("leaves", form) for form in forms]
print({each.instances[0].outputs[0].classes[0][0] for each in found}, {each.signature for each in found})
"""
    answer = leaves.run(program)
    assert "{'purse'}" in answer.printed and "tensors" in answer.printed, answer.error


def test_what_does_not_fit_is_explained_before_it_is_sent(leaves: Notebook) -> None:
    """The tutorial's wrong shape, with the smallest change."""
    wrong = leaves.run("%%ml_predict leaves\nx[:1][None][None]")
    assert "pass `x` instead of `[[x]]`" in wrong.error
    assert "Traceback" not in wrong.error


def test_two_versions_share_the_traffic_until_one_goes(leaves: Notebook) -> None:
    """A share for the new one; a version that is named answers alone; undeploying gives the rest to the other."""
    assert not leaves.run(TRAIN_PICTURES).error
    split = leaves.run("%ml_deploy leaves --traffic 30")
    assert not split.error, split.error
    assert "leaves/2 · deployed · this machine · 30 % of the traffic" in split.text
    table = leaves.run("%ml_models leaves").text
    assert re.search(r"leaves/1 +this machine +70 %", table) and re.search(r"leaves/2 +this machine +30 %", table)
    program = """
from collections import Counter
seen = Counter(cloudml_magic.predict("leaves", leaf(2)).version for _ in range(60))
print(sorted(seen), {cloudml_magic.predict("leaves/2", leaf(2)).version for _ in range(5)})
"""
    assert leaves.run(program).printed.strip() == "['1', '2'] {'2'}"
    assert leaves.run("%ml_undeploy leaves/2").printed.strip() == "leaves/2 · undeployed"
    assert re.search(r"leaves/2 +no", leaves.run("%ml_models").text)
    assert "leaves/2 is not deployed" in leaves.run("%%ml_predict leaves/2\nleaf(2)").error
    assert card(leaves.run("%%ml_predict leaves\nleaf(2)"))[PREDICTION]["version"] == "1"


def test_a_model_with_several_inputs_and_outputs_is_asked_by_name(people: Notebook) -> None:
    """A model of the kernel, exported and deployed in one line; a frame, a dictionary and JSON."""
    shown = card(people.run("%%ml_predict people --into of_frame\nframe"))
    assert re.search(r"age +height", shown["text/plain"]) and "score" in shown["text/plain"]
    json = '[{"age": 25, "height": 1.7}, {"age": 51, "height": 1.8}]'
    assert not people.run(f"%%ml_predict people/first --into of_json\n{json}").error
    check = people.run(
        "print(all(np.allclose(expected[name], [row[name] for row in rows], rtol=1e-4)"
        " for name in expected for rows in (of_frame, of_json)))"
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


def test_a_deployment_outlives_the_kernel_and_the_platform(leaves: Notebook, tmp_path: Path) -> None:
    """After a restart of both, the next question is answered."""
    program = (
        "%load_ext cloudml_magic\nimport numpy as np\nfrom cloudml_magic.local_platform import lifecycle\n"
        "assert lifecycle.stop()"
    )
    with Notebook(tmp_path) as another:
        assert not another.run(program).error
        shown = card(another.run("%%ml_predict leaves\nnp.zeros((12, 12, 3), 'uint8')"))
    assert shown[PREDICTION]["version"] == "1"


def test_an_interrupted_deployment_changes_nothing(people: Notebook) -> None:
    """Ctrl-C in the middle: the cell says so, the model answers as before, and the next attempt works."""
    before = card(people.run('%%ml_predict people\n{"age": 25, "height": 1.7}'))[PREDICTION]["version"]
    assert not people.run("_ = score.bias.assign([1000.0])").error
    sent = people.send("%ml_deploy person --as people")
    threading.Timer(2.0, people.interrupt).start()
    stopped = people.outcome(sent)
    assert "The deployment of person was interrupted and cancelled." in stopped.error
    assert "Traceback" not in stopped.error
    assert "not deployed" in stopped.text
    assert card(people.run('%%ml_predict people\n{"age": 25, "height": 1.7}'))[PREDICTION]["version"] == before
    again = people.run("%ml_deploy person --as people")
    assert not again.error, again.error
    assert not people.run('%%ml_predict people --into value\n{"age": 25, "height": 1.7}').error
    assert people.run("print(value[0]['score'][0] > 500)").printed.strip() == "True"
    assert not people.run("_ = score.bias.assign([0.0])\n%ml_deploy person --as people").error


def test_deleting_asks_for_undeploying_first_and_then_takes_all(people: Notebook) -> None:
    """What is deployed is refused by name; afterwards nothing is left."""
    assert not people.run("%ml_deploy person --as passing").error
    refused = people.run("%ml_delete passing --yes")
    assert "passing cannot be deleted while it is deployed." in refused.error
    assert not people.run("%ml_undeploy passing").error
    assert people.run("%ml_delete passing --yes").printed.strip() == (
        "Deleted model passing with version 1 and its endpoint."
    )
    assert "passing" not in people.run("%ml_models").text
    assert "There is no model 'passing'." in people.run("%%ml_predict passing\n[1]").error
