"""What a page knows of jobs that it does not show: status bar, notifications, palette, and the notebook that is saved."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Locator, expect

from tests.browser.lab_page import LabPage
from tests.browser.test_job_card import LOAD, expect_saved_end, lasting, reporting, tell_enough

_FILLING = [f"line_{number} = '''{'.' * 40}\n{'.' * 40}\n'''" for number in range(30)]
_SEES = """state => {
    Object.defineProperty(document, 'visibilityState', {configurable: true, get: () => state});
    document.dispatchEvent(new Event('visibilitychange'));
}"""


def toast(lab: LabPage, words: str) -> Locator:
    return lab.page.locator(".Toastify__toast").filter(has_text=words)


def status_bar(lab: LabPage) -> Locator:
    return lab.page.locator("#jp-main-statusbar .cloudml-StatusItem")


def test_with_the_panel_closed_and_no_card_in_sight_the_page_knows_what_runs_and_tells_its_end(lab: LabPage) -> None:
    """Another page, with nothing of ours on it, counts the job, offers it in the palette, and leads to it when it ends."""
    lab.expect_state(lab.train("elsewhere", lasting(lab, "elsewhere")), "Running")
    other = LabPage(lab.page.context.new_page(), lab.jupyter).open()
    lab.saved("elsewhere.ipynb")
    lab.page.goto("about:blank")
    expect(status_bar(other)).to_contain_text(re.compile(r"\d running"))
    for command in ("cloudml:cancel-job", "cloudml:open-latest-job"):
        assert other.page.evaluate("name => window.jupyterapp.commands.isEnabled(name)", command)
    tell_enough(lab, "elsewhere")
    told = toast(other, "elsewhere succeeded")
    expect(told).to_have_count(1, timeout=60_000)
    told.get_by_role("button", name="Go to cell").click()
    expect(other.card("elsewhere")).to_be_visible(timeout=20_000)
    expect(status_bar(other)).to_contain_text("nothing runs")


def test_the_end_of_a_job_that_is_over_at_once_is_told_too(lab: LabPage) -> None:
    """Once, however often the page hears of it."""
    lab.expect_state(lab.train("instant", reporting("instant", 1, 0)), "Succeeded")
    expect(toast(lab, "instant succeeded")).to_have_count(1)
    lab.command("cloudml:refresh")
    lab.page.wait_for_timeout(2000)
    expect(toast(lab, "instant")).to_have_count(1)


def test_ends_that_come_together_are_told_in_one_sentence(lab: LabPage) -> None:
    """As after a while in which nobody looked."""
    names = ["together-one", "together-two", "together-three"]
    waiting = "from cloudml_magic import job\nfor name in ('together-two', 'together-three'):\n    job(name).wait()"
    lab.open(lab.write("together.ipynb", [LOAD, *[reporting(name, 2, 0.01) for name in names], waiting]))
    lab.run_cell(0)
    lab.run_cell(1)
    lab.expect_state(lab.card(names[0]), "Succeeded")
    expect(toast(lab, "together-one succeeded")).to_have_count(1)
    lab.page.evaluate(_SEES, "hidden")
    lab.run_cell(2)
    lab.run_cell(3)
    lab.run_cell(4)
    lab.page.evaluate(_SEES, "visible")
    told = toast(lab, "2 jobs ended: 2 succeeded")
    expect(told).to_have_count(1, timeout=10_000)
    told.get_by_role("button", name="Open panel").click()
    expect(lab.page.locator(".cloudml-Panel")).to_be_visible()


def test_a_page_on_which_nothing_ran_asks_once(lab: LabPage) -> None:
    """No lease, no polling."""

    def answer_without_jobs(route: object) -> None:
        response = route.fetch()  # type: ignore[attr-defined]
        route.fulfill(response=response, json={**response.json(), "jobs": []})  # type: ignore[attr-defined]

    asked: list[str] = []
    lab.page.on("request", lambda each: asked.append(f"{each.method} {each.url}") if "cloudml/v1" in each.url else None)
    lab.page.route(re.compile("cloudml/v1/jobs"), answer_without_jobs)
    lab.open()
    lab.page.wait_for_timeout(8000)
    assert len(asked) == 1 and "GET" in asked[0], asked


def test_a_card_that_was_scrolled_away_is_saved_as_its_job_ended(lab: LabPage) -> None:
    """Its kernel was restarted in mid-job, so nobody but the page can say the end."""
    name = lab.write("scrolled.ipynb", [LOAD, lasting(lab, "scrolled"), *_FILLING])
    lab.open(name)
    lab.run_cell(0)
    lab.run_cell(1)
    lab.expect_state(lab.card("scrolled"), "Running")
    lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.restart()")
    lab.page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 31; }")
    lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.scrollToItem(31)")
    expect(lab.card("scrolled")).not_to_be_in_viewport()
    tell_enough(lab, "scrolled")
    expect(toast(lab, "scrolled succeeded")).to_have_count(1, timeout=60_000)
    expect(lab.card("scrolled")).not_to_be_in_viewport()
    expect_saved_end(lab, name, 1, 5)


def test_a_notebook_is_saved_with_the_ends_that_came_while_it_was_closed(lab: LabPage) -> None:
    """Its card lies far below what is on the screen."""
    name = lab.write("closed.ipynb", [LOAD, *_FILLING, lasting(lab, "closed")])
    lab.open(name)
    lab.run_cell(0)
    lab.run_cell(31)
    lab.expect_state(lab.card("closed"), "Running")
    lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.restart()")
    assert "RUNNING" in str(lab.saved(name).cells[31].outputs)
    lab.page.goto("about:blank")
    tell_enough(lab, "closed")
    time.sleep(6)
    lab.open(name)
    expect(lab.card("closed")).not_to_be_in_viewport()
    expect_saved_end(lab, name, 31)
