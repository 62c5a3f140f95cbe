"""The README's five minutes in JupyterLab; its pictures are the documentation's (`make pictures` brings them there)."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.lab_page import LabPage
from tests.browser.test_job_card import LOAD

DATA = """\
from sklearn.datasets import load_digits

digits = load_digits()
x, y = digits.images[..., None] / 16, digits.target
"""
MODEL = """\
import keras

def build(filters):
    model = keras.Sequential([
        keras.Input((8, 8, 1)), keras.layers.Conv2D(filters, 3, activation="relu"), keras.layers.Flatten(),
        keras.layers.Dense(32, "relu"), keras.layers.Dense(10, "softmax"),
    ])
    model.compile(keras.optimizers.Adam(3e-4), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
"""
TRAIN = """\
%%ml_train digits
model = build(filters=8)
model.fit(x, y, epochs=40, batch_size=16, validation_split=0.2)
"""
FAILS = """\
%%ml_train digits-small
model = build(filters=8)
cropped = x[:, 1:, 1:].reshape(-1, 8, 8, 1)
model.fit(cropped, y, epochs=40, validation_split=0.2)
"""


def test_the_readmes_five_minutes(lab: LabPage) -> None:
    """Train, fail, deploy, predict: the cards and the panel say each in its place."""
    cells = [LOAD, DATA, MODEL, TRAIN, FAILS, "%ml_deploy digits", "%%ml_predict digits\nx[:4]"]
    lab.page.set_viewport_size({"width": 1280, "height": 820})
    lab.open(lab.write("digits.ipynb", cells))
    # Notifications would lie on the pictures; another story looks at them.
    lab.page.add_style_tag(content=".Toastify { display: none }")
    for index in range(3):
        lab.run_cell(index)
    lab.run_cell(3)
    card = lab.card("digits")
    lab.expect_state(card, "Running", 120)
    expect(card).to_contain_text(re.compile(r"Epoch (1\d|2\d|3\d)"), timeout=120_000)
    lab.picture("documentation-card", card)
    panel = lab.panel("Jobs")
    lab.picture("documentation-lab")
    lab.expect_state(card, "Succeeded", 120)
    lab.run_cell(4)
    failed = lab.card("digits-small")
    lab.expect_state(failed, "Failed", 120)
    expect(failed).to_contain_text("cannot reshape array")
    lab.picture("documentation-failed", failed)
    lab.run_cell(5)
    lab.run_cell(6)
    prediction = lab.page.locator(".jp-Notebook .cloudml-Card").last
    expect(prediction).to_contain_text("class 0", timeout=60_000)
    lab.picture("documentation-prediction", prediction)
    panel.get_by_role("tab", name="Models").click()
    expect(panel).to_contain_text("100 %")
    lab.theme("JupyterLab Dark")
    lab.picture("documentation-dark")
    lab.theme("JupyterLab Light")
