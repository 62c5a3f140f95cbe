"""The page: how soon a card is painted, how late an event is seen, and what fifty cards cost."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.measure import Row
from tests.browser.conftest import QUIET
from tests.browser.jupyter import Jupyter
from tests.browser.lab_page import LabPage

_LOAD = "%load_ext cloudml_magic"
_SPEAKING = """%%ml_train speaks
import time
import cloudml_magic
for number in range(100):
    print("sent", time.time(), flush=True)
    time.sleep(0.33)
"""
_RUNNING = """%%ml_train running{number}
import time
import cloudml_magic
for step in range(3000):
    cloudml_magic.report(step=step, loss=1 / (step + 1), accuracy=step / 3000)
    time.sleep(0.2)
"""
_ENDED = """%%ml_train ended{number}
import cloudml_magic
cloudml_magic.report(step=1, loss=0.5)
"""
_RUNNING_JOBS, _ENDED_JOBS = 10, 40
_WINDOW_SECONDS = 10.0
_WINDOWS = 7

# The moment at which an output reaches the notebook's model, and that of the frame that shows its card.
_PAINTING = """async code => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    const cell = notebook.widgets[0];
    cell.model.sharedModel.setSource(code);
    notebook.activeCellIndex = 0;
    notebook.deselectAll();
    let arrived = 0;
    const arrive = (_, change) => { arrived ||= change.type === 'add' ? performance.now() : 0; };
    cell.model.outputs.changed.connect(arrive);
    const painted = new Promise(resolve => {
        const look = () => {
            const isThere = arrived && cell.node.querySelector('.cloudml-Card .cloudml-State');
            isThere ? resolve(performance.now()) : requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
    });
    void window.jupyterapp.commands.execute('notebook:run-cell');
    return await painted - arrived;
}"""
_SHOWN = """() => {
    window.cloudmlLags = [];
    let last = '';
    const look = () => {
        const lines = [...document.querySelectorAll('.cloudml-Card')].map(card => card.innerText).join('\\n');
        const sent = [...lines.matchAll(/sent (\\d+\\.\\d+)/g)].map(match => match[1]).sort().at(-1) ?? '';
        if (sent > last) {
            last = sent;
            window.cloudmlLags.push(Date.now() - 1000 * Number(sent));
        }
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""
_HIDE = """isHidden => {
    const state = isHidden ? 'hidden' : 'visible';
    Object.defineProperty(document, 'visibilityState', {value: state, configurable: true});
    Object.defineProperty(document, 'hidden', {value: isHidden, configurable: true});
    document.dispatchEvent(new Event('visibilitychange'));
}"""


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[*QUIET, "--no-sandbox"])
        server = Jupyter(Path(folder), extra={"CLOUDML_CONCURRENT_JOBS": str(_RUNNING_JOBS + 2)}).start()
        try:
            yield Row(
                "page: output's arrival to first card, median", statistics.median(_painted(browser, server)), "ms", 100
            )
            yield Row(
                "page: line printed by a job to pixel, median", statistics.median(_lags(browser, server)), "ms", 250
            )
            visible, hidden = _shares(browser, server)
            cards = f"{_RUNNING_JOBS + _ENDED_JOBS} cards, {_RUNNING_JOBS} jobs running"
            yield Row(f"page: {cards}, share of one core above the page at rest, visible", 100 * visible, "%", 3)
            yield Row(f"page: {cards}, the same hidden", 100 * hidden, "%", 0.3)
        finally:
            server.stop()
            browser.close()


def _painted(browser: Browser, server: Jupyter) -> list[float]:
    lab = LabPage(browser.new_page(), server)
    lab.open(lab.write("painted.ipynb", [_LOAD, _ENDED.format(number="-seen")]))
    lab.run_cell(0)
    lab.run_cell(1)
    lab.expect_state(lab.card("ended-seen"), "Succeeded")
    lab.page.wait_for_timeout(1000)
    lab.saved("painted.ipynb")
    lab.open(lab.write("again.ipynb", ["1"]))
    code = (
        "import nbformat\nfrom IPython.display import display\n"
        "outputs = nbformat.read('painted.ipynb', 4).cells[1].outputs\n"
        "display(next(o['data'] for o in outputs if 'application/vnd.cloudml.job+json' in o.get('data', {})), raw=True)"
    )
    times = []
    for _ in range(_WINDOWS + 1):
        lab.command("notebook:clear-all-cell-outputs")
        times.append(lab.page.evaluate(_PAINTING, code))
    lab.page.close()
    return times[1:]


def _lags(browser: Browser, server: Jupyter) -> list[float]:
    lab = LabPage(browser.new_page(), server)
    lab.open(lab.write("lags.ipynb", [_LOAD, _SPEAKING]))
    lab.run_cell(0)
    lab.run_cell(1)
    lab.expect_state(lab.card("speaks"), "Running")
    lab.page.wait_for_timeout(2000)
    lab.page.evaluate(_SHOWN)
    lab.page.wait_for_timeout(15_000)
    lags = lab.page.evaluate("() => window.cloudmlLags")
    lab.page.close()
    return [float(lag) for lag in lags][1:]


def _shares(browser: Browser, server: Jupyter) -> tuple[float, float]:
    """Of one core, above what the same page costs when all of its jobs have ended."""
    lab = LabPage(browser.new_page(), server)
    cells = [_RUNNING.format(number=number) for number in range(_RUNNING_JOBS)]
    cells += [_ENDED.format(number=number) for number in range(_ENDED_JOBS)]
    name = lab.write(
        "many.ipynb", [_LOAD, *cells, "from cloudml_magic import jobs\nfor job in jobs():\n    job.cancel()"]
    )
    lab.open(name)
    for index in range(len(cells) + 1):
        lab.run_cell(index)
    lab.page.wait_for_timeout(60_000)
    lab.page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1; }")
    lab.page.evaluate("() => { document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0; }")
    visible = _processor_share(browser, lab)
    lab.page.evaluate(_HIDE, True)
    lab.page.wait_for_timeout(5000)
    hidden = _processor_share(browser, lab)
    lab.page.evaluate(_HIDE, False)
    lab.run_cell(len(cells) + 1)
    lab.page.wait_for_timeout(20_000)
    rest = _processor_share(browser, lab)
    lab.page.close()
    return visible - rest, hidden - rest


def _processor_share(browser: Browser, lab: LabPage) -> float:
    """The renderer's time on a processor, the median of some windows."""
    session = browser.new_browser_cdp_session()

    def spent() -> float:
        processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
        return sum(process["cpuTime"] for process in processes if process["type"] == "renderer")

    shares = []
    for _ in range(_WINDOWS):
        began, before = time.monotonic(), spent()
        lab.page.wait_for_timeout(1000 * _WINDOW_SECONDS)
        shares.append((spent() - before) / (time.monotonic() - began))
    session.detach()
    return statistics.median(shares)
