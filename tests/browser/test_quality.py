"""How good a model is, jobs beside each other, and a transfer: HTML that speaks for itself in the page."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.lab_page import LabPage
from tests.browser.test_job_card import LOAD
from tests.shades import SHADES

MAKING = f"""{SHADES}
for index, name in enumerate(COLOURS):
    for number in range(20):
        Image.fromarray(shade(index)).save(f"Test/{{name}}/{{number}}.png")
"""
TRAINING = """%%ml_train {name} --labels red,green,blue --tensorboard --wait
rate = {rate}
model = keras.Sequential([
    keras.Input((12, 12, 3)), keras.layers.Rescaling(1 / 255), keras.layers.GlobalAveragePooling2D(),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=15, verbose=0)
"""
CELLS = [
    LOAD,
    MAKING,
    TRAINING.format(name="colours", rate=0.1),
    TRAINING.format(name="slower", rate=0.01),
    "%ml_evaluate colours --data Test",
    "%ml_compare colours slower",
    "%ml_storage cp -r Test gs://cloudml-local/Test",
    "%ml_tensorboard colours slower",
]


def test_the_quality_of_a_model_is_seen_in_the_notebook(lab: LabPage) -> None:
    """Figures, the worst picture, curves, what was sent, and TensorBoard's frame; in both themes axe finds nothing."""
    lab.open(lab.write("quality.ipynb", CELLS))
    for index in range(len(CELLS)):
        lab.run_cell(index)
    notebook = lab.page.locator(".jp-Notebook")
    evaluation = notebook.get_by_role("group", name=re.compile("^Evaluation of colours"))
    comparison = notebook.get_by_role("group", name=re.compile("^Comparison of"))
    for theme in ("Light", "Dark"):
        lab.theme(f"JupyterLab {theme}")
        for name, card in (("evaluation", evaluation), ("comparison", comparison)):
            card.scroll_into_view_if_needed()
            lab.picture(f"{name}-{theme.lower()}", card)
        expect(evaluation).to_contain_text("taken for blue")
        expect(comparison).to_contain_text("rate")
        assert lab.violations(".jp-OutputArea-output [role=group]") == []
    sent = notebook.get_by_text("Copied 61 files")
    sent.scroll_into_view_if_needed()
    expect(sent).to_be_visible()
    frame = lab.page.frame_locator(".jp-OutputArea-output iframe")
    expect(frame.get_by_text("epoch_accuracy").first).to_be_visible(timeout=60_000)
    lab.picture("inline-tensorboard")
