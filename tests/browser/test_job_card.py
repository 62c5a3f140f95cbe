"""The job card in a real JupyterLab: it moves, survives kernels and reloads, cancels, and leads to the line that failed."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.lab_page import LabPage

JOB = "application/vnd.cloudml.job+json"
LOAD = "%load_ext cloudml_magic"
# A job that reports as a training does, without the seconds that a framework takes to import.
REPORTING = """\
%%ml_train {name}
import time
import cloudml_magic
for step in range({steps}):
    cloudml_magic.report(step=step + 1, loss=1 / (step + 1), accuracy=1 - 0.9 / (step + 1))
    print("step", step, flush=True)
    time.sleep({pause})
"""


LASTING = """%%ml_train {name}
import itertools
import pathlib
import time
import cloudml_magic
for step in itertools.count(1):
    cloudml_magic.report(step=step, loss=1 / step, accuracy=1 - 0.9 / step)
    print("step", step, flush=True)
    if pathlib.Path({file!r}).exists():
        break
    time.sleep(0.1)
"""


def lasting(lab: LabPage, name: str) -> str:
    """A cell whose job goes on until it is told that it is enough, however slow the machine is."""
    return LASTING.format(name=name, file=str(_enough(lab, name)))


def tell_enough(lab: LabPage, name: str) -> None:
    _enough(lab, name).touch()


def expect_saved_end(lab: LabPage, name: str, cell: int, seconds: float = 30) -> None:
    """Every representation of a cell's card says the end in the file, without the card being looked at."""
    deadline = time.monotonic() + seconds
    while True:
        outputs = lab.saved(name).cells[cell].outputs
        (data,) = [output["data"] for output in outputs if JOB in output.get("data", {})]
        if data[JOB]["state"] == "SUCCEEDED":
            break
        assert time.monotonic() < deadline, data[JOB]["state"]
        lab.page.wait_for_timeout(500)
    assert "SUCCEEDED" in "".join(data["text/plain"]) and "Succeeded" in "".join(data["text/html"])


def _enough(lab: LabPage, name: str) -> Path:
    return lab.jupyter.notebooks / f".{name}.enough"


def reporting(name: str, steps: int = 100, pause: float = 0.1) -> str:
    return REPORTING.format(name=name, steps=steps, pause=pause)


def test_a_card_moves_survives_its_kernel_and_the_page_and_is_saved_as_it_ended(lab: LabPage) -> None:
    """Run, watch, restart the kernel in mid-job, reload the page, and look into the notebook's file at the end."""
    name = lab.write("moves.ipynb", [LOAD, lasting(lab, "moves")])
    lab.open(name)
    lab.run_cell(0)
    lab.run_cell(1)
    card = lab.card("moves")
    lab.expect_state(card, "Running")
    expect(card.get_by_text("loss").first).to_be_visible()
    before = card.inner_text()
    lab.page.wait_for_timeout(1500)
    assert card.inner_text() != before
    lab.picture("card-running")

    lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.restart()")
    before = card.inner_text()
    lab.page.wait_for_timeout(2000)
    assert card.inner_text() != before, "A job outlives its kernel, and so does its card."

    lab.command("docmanager:save")
    lab.open(name, again=True)
    lab.expect_state(lab.card("moves"), "Running")
    tell_enough(lab, "moves")
    lab.expect_state(lab.card("moves"), "Succeeded")
    expect_saved_end(lab, name, 1)
    lab.picture("card-succeeded")


def test_cancel_asks_with_the_servers_name_and_stops_the_job(lab: LabPage) -> None:
    """Nothing happens when the user thinks better of it."""
    card = lab.train("cancels", reporting("cancels", 600))
    lab.expect_state(card, "Running")
    card.get_by_role("button", name="Cancel").click()
    expect(lab.dialog()).to_contain_text("cancels")
    lab.dialog().locator(".jp-mod-reject").click()
    lab.page.wait_for_timeout(500)
    expect(card.locator(".cloudml-State")).to_have_text("Running")
    card.get_by_role("button", name="Cancel").click()
    lab.dialog().locator(".jp-mod-accept").click()
    lab.expect_state(card, "Cancelled")


FAILING = """\
%%ml_train fails
depth = 3
values = [1, 2, 3]
print("before")
total = sum(values) / (depth - 3)
"""


def test_a_failed_job_leads_to_its_line(lab: LabPage) -> None:
    """The cause in a sentence with its line; a click opens the cell, places the cursor, and marks the line."""
    name = lab.write("fails.ipynb", [LOAD, *[f"note_{n} = {n}" for n in range(30)], FAILING])
    lab.open(name)
    lab.run_cell(0)
    lab.run_cell(31)
    card = lab.card("fails")
    lab.expect_state(card, "Failed")
    expect(card).to_contain_text("division by zero")
    expect(card).to_contain_text("line 5")
    expect(card).to_contain_text("total = sum(values) / (depth - 3)")
    lab.picture("card-failed")
    card.get_by_role("button", name="Go to cell").click()
    marked = lab.page.locator(".cm-line.cloudml-MarkedLine")
    expect(marked).to_have_text("total = sum(values) / (depth - 3)")
    line = lab.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.activeCell.editor.getCursorPosition().line"
    )
    assert line == 4, "The editor counts from nought here; the card says line 5."
    lab.picture("card-failed-line")


def test_logs_open_as_a_tab_with_a_search(lab: LabPage) -> None:
    """The whole log, full size."""
    card = lab.train("logs", reporting("logs", 40, 0.02))
    lab.expect_state(card, "Succeeded")
    card.get_by_role("button", name="Logs").click()
    tab = lab.page.locator(".cloudml-Job")
    expect(tab).to_contain_text("step 39")
    tab.get_by_role("searchbox").fill("step 7")
    expect(tab).to_contain_text("2 of 80 lines")
    lab.picture("job-tab-1280")
    lab.page.set_viewport_size({"width": 1920, "height": 1080})
    lab.page.wait_for_timeout(500)
    lab.picture("job-tab-1920")


def test_copy_python_brings_the_job_back(lab: LabPage) -> None:
    """What lands on the clipboard runs in the notebook, and is that job."""
    card = lab.train("copies", reporting("copies", 3, 0.02))
    lab.expect_state(card, "Succeeded")
    card.get_by_role("button", name=re.compile("Copy")).click()
    lab.page.wait_for_timeout(300)
    python = lab.page.evaluate("() => navigator.clipboard.readText()")
    lab.page.evaluate(
        "text => window.jupyterapp.shell.currentWidget.content.model.sharedModel.insertCell(2, {cell_type: 'code', source: text})",
        python + "\ncopies_job.name, copies_job.state.value",
    )
    lab.run_cell(2)
    expect(lab.page.locator(".jp-OutputArea-output").last).to_contain_text("('copies', 'SUCCEEDED')")


def test_a_card_from_elsewhere_can_do_nothing(lab: LabPage) -> None:
    """A forged output of an untrusted notebook shows what it says, as text, and no button acts."""
    name = lab.write("forged.ipynb", ["1"])
    path = lab.jupyter.notebooks / name
    notebook = json.loads(path.read_text())
    hostile = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
    document = forged(hostile)
    notebook["cells"][0]["outputs"] = [
        {"output_type": "display_data", "metadata": {}, "data": {JOB: document, "text/plain": ["forged"]}}
    ]
    path.write_text(json.dumps(notebook))
    asked: list[str] = []
    lab.page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    lab.open(name)
    card = lab.cards.first
    expect(card).to_contain_text("<img src=x onerror")
    lab.page.wait_for_timeout(1500)
    assert lab.page.evaluate("() => window.hacked") is None
    buttons = card.get_by_role("button").all()
    assert len(buttons) >= 3
    for button in buttons:
        # Those that refuse are clicked too.
        button.dispatch_event("click")
    lab.page.wait_for_timeout(500)
    changing = [each for each in asked if each.startswith("POST") and "cloudml/v1" in each and "/watch" not in each]
    assert changing == []
    assert card.locator("img, script, iframe, a[href]").count() == 0
    lab.picture("card-forged")


def forged(text: str) -> dict[str, object]:
    """A document as the schema wants it, of a job that nobody knows."""
    return {
        "schema": 1, "id": "99999999999", "name": text, "kind": "training", "state": "RUNNING", "target": "local",
        "where": text, "note": text, "created": time.time(), "started": time.time(), "ended": None, "remaining": None,
        "fraction": 0.5, "epoch": 1, "epochs": 2, "step": None, "steps": None, "rows": text, "curves": [], "warnings": [text],
        "log": [{"time": time.time(), "severity": "INFO", "text": text}], "failure": None, "cost": None,
        "artifacts": ["model", "export", "tensorboard"], "origin": {"notebook": text, "cell": text, "cell_id": text},
        "parameters": [{"name": text, "value": text}], "updated_at": time.time(),
    }  # fmt: skip


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Dark High Contrast"])
def test_a_card_can_be_read_in_every_theme(lab: LabPage, theme: str) -> None:
    """axe-core finds nothing wrong, its colour contrast included."""
    lab.expect_state(lab.train("themes", reporting("themes", 4, 0.02), FAILING), "Succeeded")
    lab.expect_state(lab.card("fails"), "Failed")
    assert lab.violations(".cloudml-Card") == []
    lab.theme(theme)
    lab.picture(f"card-{theme.split()[-1].lower()}")
    found = lab.violations(".cloudml-Card")
    lab.theme("JupyterLab Light")
    assert found == []
