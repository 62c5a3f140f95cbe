"""The panel: every job, model and bucket one glance away."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.lab_page import LabPage
from tests.browser.test_job_card import LOAD, reporting


def test_the_panel_lists_jobs_running_first_and_finds_them(lab: LabPage) -> None:
    """Search, filters, the status line and the status bar's number; a click opens the job as a tab."""
    name = lab.write(
        "lists.ipynb",
        [
            LOAD,
            reporting("quick-one", 3, 0.01),
            reporting("quick-two", 3, 0.01),
            reporting("lasting", 400),
            "%ml_cancel lasting",
        ],
    )
    lab.open(name)
    for index in range(4):
        lab.run_cell(index)
    lab.expect_state(lab.card("quick-two"), "Succeeded")
    lab.expect_state(lab.card("lasting"), "Running")
    panel = lab.panel("Jobs")
    rows = panel.locator(".cloudml-JobRow")
    expect(rows.first).to_contain_text("lasting")
    expect(panel).to_contain_text(re.compile("1 running"))
    expect(lab.page.locator("#jp-main-statusbar")).to_contain_text("1 running")
    lab.picture("panel-jobs")
    panel.get_by_role("searchbox").fill("quick-t")
    expect(rows).to_have_count(1)
    panel.get_by_role("searchbox").fill("")
    assert lab.violations(".cloudml-Panel") == []
    rows.filter(has_text="lasting").first.click()
    tab = lab.page.locator(".cloudml-Job")
    expect(tab).to_contain_text("lasting")
    lab.picture("panel-job-tab")
    lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.close()")
    lab.run_cell(4)
    expect(lab.page.locator(".Toastify__toast, .jp-Notification-Toast").first).to_contain_text("lasting")


def test_two_jobs_are_compared_in_one_plot(lab: LabPage) -> None:
    """Curves together, parameters side by side."""
    cells = [LOAD, "width = 16", reporting("wide", 20, 0.01) + "print(width)", "width = 64"]
    lab.open(lab.write("compares.ipynb", [*cells, reporting("wider", 20, 0.01) + "print(width)"]))
    for index in range(5):
        lab.run_cell(index)
    lab.expect_state(lab.card("wide"), "Succeeded")
    lab.expect_state(lab.card("wider"), "Succeeded")
    panel = lab.panel("Jobs")
    panel.get_by_role("searchbox").fill("wide")
    rows = panel.locator(".cloudml-JobRow")
    expect(rows).to_have_count(2)
    for row in rows.all():
        row.hover()
        row.get_by_role("checkbox").check()
    panel.get_by_role("button", name=re.compile("Compare")).click()
    comparison = lab.page.locator(".cloudml-Job")
    expect(comparison).to_contain_text("width")
    expect(comparison).to_contain_text("16")
    expect(comparison).to_contain_text("64")
    expect(comparison.locator("canvas").first).to_be_visible()
    lab.picture("compare")


def test_a_bucket_is_browsed_filled_and_emptied_into_the_browser(lab: LabPage, tmp_path: Path) -> None:
    """Folders, a preview, an upload by dropping a file, a name that exists already, a download."""
    lab.expect_state(lab.train("fills", reporting("fills", 3, 0.01)), "Succeeded")
    panel = lab.panel("Buckets")
    panel.get_by_role("button", name="cloudml-local").click()
    panel.get_by_role("button", name="jobs", exact=True).click()
    lab.picture("panel-buckets")
    expect(panel).to_contain_text("fills-")
    panel.get_by_role("button", name="cloudml-local").first.click()
    odd = tmp_path / "odd #1? name.txt"
    odd.write_text("first words")
    panel.locator("input[type=file]").set_input_files(odd)
    expect(panel).to_contain_text("odd #1? name.txt")
    odd.write_text("other words")
    panel.locator("input[type=file]").set_input_files(odd)
    expect(lab.dialog()).to_contain_text("odd #1? name.txt")
    lab.dialog().locator(".jp-mod-accept").click()
    panel.get_by_role("button", name=re.compile("^odd #1")).click()
    expect(panel).to_contain_text("other words")
    lab.picture("panel-preview")
    with lab.page.expect_download() as download:
        panel.get_by_role("button", name=re.compile("Download")).first.click()
    assert Path(download.value.path()).read_text() == "other words"
    # Chromium itself writes no question mark into a file name.
    assert download.value.suggested_filename == "odd #1_ name.txt"


def test_the_panel_fits_three_hundred_pixels(lab: LabPage) -> None:
    """Nothing is cut off at the side."""
    lab.open()
    panel = lab.panel("Jobs")
    lab.page.evaluate("() => { document.querySelector('#jp-left-stack').style.width = '300px'; }")
    for tab in ("Jobs", "Models", "Buckets"):
        panel.get_by_role("tab", name=tab).click()
        lab.page.wait_for_timeout(400)
        wide = panel.evaluate("panel => panel.scrollWidth - panel.clientWidth")
        assert wide <= 0, tab
        lab.picture(f"panel-300-{tab.lower()}")
