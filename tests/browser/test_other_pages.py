"""Where a half is missing, and in Notebook 7."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.jupyter import Jupyter
from tests.browser.lab_page import LabPage
from tests.browser.test_job_card import LOAD, lasting, reporting, tell_enough


@pytest.fixture
def other(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Jupyter]:
    """A Jupyter server of another kind."""
    server = Jupyter(tmp_path_factory.mktemp("other"), **request.param).start()
    yield server
    server.stop()


@pytest.mark.parametrize("other", [{"with_server_half": False}], indirect=True)
def test_a_missing_server_half_is_said_with_the_fix(other: Jupyter, context: BrowserContext) -> None:
    """The card still lives through the kernel, a banner says what to install, and the page asks no more."""
    lab = LabPage(context.new_page(), other)
    asked: list[str] = []
    lab.page.on("request", lambda request: asked.append(request.url) if "cloudml/v1" in request.url else None)
    card = lab.train("alone", lasting(lab, "alone"))
    expect(card).to_contain_text("pip install", timeout=15_000)
    lab.expect_state(card, "Running")
    lab.picture("server-half-missing")
    tell_enough(lab, "alone")
    lab.expect_state(card, "Succeeded")
    count = len(asked)
    assert count < 10
    lab.page.wait_for_timeout(3000)
    assert len(asked) == count


@pytest.mark.parametrize("other", [{"application": "notebook"}], indirect=True)
def test_notebook_7_shows_the_card_and_the_panel(other: Jupyter, context: BrowserContext) -> None:
    """The same extension; there the panel is opened from the menu or the palette."""
    lab = LabPage(context.new_page(), other)
    name = lab.write("seven.ipynb", [LOAD, lasting(lab, "seven")])
    lab.page.goto(f"{other.address}/notebooks/{name}?token={other.token}")
    lab.restored()
    lab.ready()
    lab.run_cell(0)
    lab.run_cell(1)
    lab.expect_state(lab.card("seven"), "Running")
    tell_enough(lab, "seven")
    lab.expect_state(lab.card("seven"), "Succeeded")
    panel = lab.panel("Jobs")
    expect(panel.locator(".cloudml-JobRow").first).to_contain_text("seven")
    lab.picture("notebook-7")
    lab.card("seven").get_by_role("button", name="Logs").click()
    tab = lab.page.locator(".cloudml-Job")
    expect(tab).to_be_visible()
    expect(tab).to_contain_text("step 1")
    lab.picture("notebook-7-job")


def test_without_the_page_half_the_card_is_html(lab: LabPage) -> None:
    """What GitHub, nbconvert and VS Code show: no script, the same words."""
    lab.expect_state(lab.train("plain", reporting("plain", 3, 0.01)), "Succeeded")
    lab.page.wait_for_timeout(800)
    outputs = lab.saved("plain.ipynb").cells[1].outputs
    html = next("".join(output["data"]["text/html"]) for output in outputs if "text/html" in output.get("data", {}))
    assert "Succeeded" in html and not re.search(r"<script|<style|\son\w+=", html)
