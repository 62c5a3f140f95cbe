"""From a trained job to an answer, without a line of code: deploy from the card, drop an image, see its class."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import expect

from tests.browser.lab_page import LabPage
from tests.browser.test_job_card import LOAD

# Two kinds of pictures that a tiny network tells apart: dark and light ones.
TRAINING = """\
%%ml_train shades --labels dark,light --picture --tensorboard
import keras
import numpy as np
rng = np.random.default_rng(0)
y = rng.integers(0, 2, 256)
x = (rng.random((256, 16, 16, 3)) * 60 + y[:, None, None, None] * 180).astype("uint8")
model = keras.Sequential([
    keras.Input((16, 16, 3)), keras.layers.Rescaling(1 / 255), keras.layers.GlobalAveragePooling2D(),
    keras.layers.Dense(8, "relu"), keras.layers.Dense(2, "softmax"),
])
model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_split=0.2)
"""


def test_a_model_is_deployed_from_its_card_and_asked_by_dropping_an_image(lab: LabPage, tmp_path: Path) -> None:
    """The story of the panel's models: Deploy, the version's row, Try it, the answer; then Undeploy and Delete."""
    Image.fromarray(np.full((40, 40, 3), 20, "uint8")).save(lab.jupyter.notebooks / "dark.png")
    lab.open(lab.write("models.ipynb", [LOAD, TRAINING, "%ml_predict shades dark.png"]))
    lab.run_cell(0)
    lab.run_cell(1)
    card = lab.card("shades")
    lab.expect_state(card, "Succeeded", 180)
    lab.picture("card-training")
    card.get_by_role("button", name="Deploy").click()
    lab.dialog().locator(".jp-mod-accept").click()
    panel = lab.panel("Models")
    version = panel.locator(".cloudml-Version").first
    expect(version).to_contain_text("100 %", timeout=120_000)
    expect(card).to_contain_text(re.compile("shades/1|Deployed"))
    panel.get_by_role("button", name=re.compile("^Try")).first.click()

    light = tmp_path / "light.png"
    Image.fromarray(np.full((40, 40, 3), 230, "uint8")).save(light)
    drop(lab, ".cloudml-DropZone", light)
    answer = panel.locator(".cloudml-TryIt-answer")
    expect(answer).to_contain_text("light", timeout=60_000)
    expect(answer).to_contain_text("%")
    lab.picture("panel-try-it")

    lab.run_cell(2)
    prediction = lab.page.locator(".jp-Notebook").get_by_role("article", name="shades").last
    expect(prediction).to_contain_text("dark.png")
    expect(prediction.locator("img")).to_have_attribute("src", re.compile(r"^data:image/(png|jpeg);base64,"))
    assert lab.violations(".jp-Notebook .cloudml-Card") == []
    lab.picture("prediction-card")

    panel.get_by_role("button", name=re.compile("Undeploy")).first.click()
    lab.dialog().locator(".jp-mod-accept").click()
    expect(version).not_to_contain_text("100 %", timeout=60_000)
    panel.get_by_role("button", name=re.compile("Delete")).first.click()
    expect(lab.dialog()).to_contain_text("shades")
    lab.picture("panel-delete")
    lab.dialog().locator(".jp-mod-accept").click()
    expect(panel.locator(".cloudml-Version")).to_have_count(0, timeout=30_000)


def drop(lab: LabPage, zone: str, file: Path) -> None:
    """Drops a file as a user drags it from a folder."""
    data = lab.page.evaluate_handle(
        """([name, bytes]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], name, {type: 'image/png'}));
            return transfer;
        }""",
        [file.name, list(file.read_bytes())],
    )
    lab.page.dispatch_event(zone, "dragover", {"dataTransfer": data})
    lab.page.dispatch_event(zone, "drop", {"dataTransfer": data})


def test_tensorboard_opens_beside_the_notebook_through_the_jupyter_server(lab: LabPage) -> None:
    """Its frames come from under the server's own address, and show what the job wrote."""
    asked: list[str] = []
    lab.page.on("request", lambda request: asked.append(request.url))
    card = lab.train("board", TRAINING.replace("ml_train shades", "ml_train board"))
    lab.expect_state(card, "Succeeded", 180)
    card.get_by_role("button", name="TensorBoard").click()
    frame = lab.page.frame_locator("iframe[src*='cloudml/v1/tensorboard']")
    expect(frame.get_by_text("epoch_accuracy").first).to_be_visible(timeout=60_000)
    lab.picture("tensorboard")
    elsewhere = [each for each in asked if not each.startswith((lab.jupyter.address, "data:", "blob:", "ws:"))]
    assert elsewhere == []
