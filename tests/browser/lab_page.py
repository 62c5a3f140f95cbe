"""JupyterLab as its user sees and drives it, in Chromium."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Locator, Page, expect

from tests.browser.jupyter import Jupyter

PICTURES = Path(__file__).parent / "pictures"
_READY_SECONDS = 60_000
# Two pages of one workspace send each other on to new ones, and `?reset` may load a page twice.
_WORKSPACES = itertools.count(1)


class LabPage:
    """One page of one Jupyter server."""

    def __init__(self, page: Page, jupyter: Jupyter) -> None:
        self.page = page
        self.jupyter = jupyter
        self._workspace = ""

    def write(self, name: str, cells: Sequence[str]) -> str:
        """A notebook with these cells, each with an id of its own; returns its path."""
        notebook = nbformat.v4.new_notebook()
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook.cells = [nbformat.v4.new_code_cell(source) for source in cells]
        nbformat.write(notebook, self.jupyter.notebooks / name)
        return name

    def open(self, name: str | None = None, again: bool = False) -> LabPage:
        """Opens JupyterLab, with a notebook if one is named, and waits for its kernel; again as it was left, or as new."""
        if not again:
            self._workspace = f"/lab/workspaces/page-{next(_WORKSPACES)}"
        path = f"{self._workspace}/tree/{name}" if name else self._workspace
        self.page.goto(f"{self.jupyter.address}{path}?token={self.jupyter.token}")
        self.restored()
        if name:
            self.ready()
        return self

    def restored(self) -> None:
        """Waits until the application is up; a predicate that is waited for may not wait itself."""
        self.page.wait_for_function("Boolean(window.jupyterapp?.restored)", timeout=_READY_SECONDS)
        self.page.evaluate("async () => { await window.jupyterapp.restored; }")

    def ready(self) -> None:
        """Waits for the notebook that is open and its kernel."""
        self.page.wait_for_function("window.jupyterapp?.shell?.currentWidget?.context?.isReady", timeout=_READY_SECONDS)
        self.page.evaluate(
            """async () => {
                const session = window.jupyterapp.shell.currentWidget.context.sessionContext;
                await session.ready;
                await session.session.kernel.info;
            }"""
        )

    def command(self, name: str, arguments: dict[str, Any] | None = None) -> None:
        """Runs one of JupyterLab's commands, or ours, and waits until it is done."""
        self.page.evaluate(
            "async ([name, given]) => { await window.jupyterapp.commands.execute(name, given); }",
            [name, arguments or {}],
        )

    def run_all(self) -> None:
        """Run All, without waiting for its end."""
        self.page.evaluate("() => { void window.jupyterapp.commands.execute('notebook:run-all-cells'); }")

    def run_cell(self, index: int) -> None:
        """Runs one cell and waits for its end."""
        self.page.evaluate(
            """async index => {
                const notebook = window.jupyterapp.shell.currentWidget.content;
                notebook.activeCellIndex = index;
                notebook.deselectAll();
                await window.jupyterapp.commands.execute('notebook:run-cell');
            }""",
            index,
        )

    def train(self, name: str, *cells: str) -> Locator:
        """Opens a notebook that loads the magics, runs these cells one after the other, and returns the card of NAME."""
        self.open(self.write(f"{name}.ipynb", ["%load_ext cloudml_magic", *cells]))
        for index in range(len(cells) + 1):
            self.run_cell(index)
        return self.card(name)

    @property
    def cards(self) -> Locator:
        """The job cards that are drawn."""
        return self.page.locator(".jp-Notebook .cloudml-Card")

    def card(self, name: str) -> Locator:
        """The card of a job in the notebook."""
        return self.page.locator(".jp-Notebook").get_by_role("article", name=f"Job {name}", exact=True).first

    def expect_state(self, card: Locator, word: str, seconds: float = 60) -> None:
        """Waits until a card says this state; one that is not on the screen is not drawn."""
        card.scroll_into_view_if_needed(timeout=1000 * seconds)
        expect(card.locator(".cloudml-State")).to_have_text(word, timeout=1000 * seconds)

    def panel(self, tab: str | None = None) -> Locator:
        """The panel at the left, with one of its tabs in front."""
        self.command("cloudml:open-panel")
        panel = self.page.locator(".cloudml-Panel")
        expect(panel).to_be_visible()
        if tab:
            panel.get_by_role("tab", name=tab).click()
        return panel

    def dialog(self) -> Locator:
        """The dialog that is open."""
        return self.page.locator(".jp-Dialog-content")

    def saved(self, name: str) -> nbformat.NotebookNode:
        """The notebook as it lies on the disk, after saving."""
        self.command("docmanager:save")
        return nbformat.read(self.jupyter.notebooks / name, as_version=4)

    def theme(self, name: str) -> None:
        """Changes the theme, and waits for it."""
        self.command("apputils:change-theme", {"theme": name})
        self.page.wait_for_timeout(500)

    def picture(self, name: str, of: Locator | None = None) -> None:
        """Keeps a screenshot of the page, or of a part of it, among the test's artefacts."""
        PICTURES.mkdir(exist_ok=True)
        (of or self.page).screenshot(path=PICTURES / f"{name}.png")

    def violations(self, within: str) -> list[str]:
        """What axe-core finds wrong with the accessibility of a part of the page."""
        axe = Path(__file__).parents[2] / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
        self.page.add_script_tag(path=axe)
        found = self.page.evaluate(
            "async within => (await axe.run(within, {resultTypes: ['violations']})).violations"
            ".map(each => `${each.id}: ${each.nodes.map(node => node.html).join(' | ')}`)",
            within,
        )
        return [str(each) for each in found]
