"""One JupyterLab and one browser for all these tests, as one user has; each test opens a page of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.jupyter import Jupyter
from tests.browser.lab_page import PICTURES, LabPage

_SIZE = {"width": 1280, "height": 900}
QUIET = ("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs the browser and takes its time; it comes last.

    Playwright keeps an event loop running in the main thread, beside which no other test could have one of its own.
    """
    mine = [item for item in items if Path(__file__).parent in Path(item.fspath).parents]
    for item in mine:
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.slow)
    items[:] = [item for item in items if item not in set(mine)] + mine


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium of this machine, or the one that Playwright has installed."""
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    # A container's root may not make the sandbox's namespaces; the pages are our own.
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=[*QUIET, *sandbox])
        yield started
        started.close()


@pytest.fixture(scope="session")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """JupyterLab with both halves of the extension."""
    server = Jupyter(tmp_path_factory.mktemp("lab")).start()
    yield server
    server.stop()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser's memory of its own for each test."""
    opened = browser.new_context(viewport=_SIZE, permissions=["clipboard-read", "clipboard-write"])
    yield opened
    opened.close()


@pytest.fixture
def lab(context: BrowserContext, jupyter: Jupyter, request: pytest.FixtureRequest) -> Iterator[LabPage]:
    """A page of JupyterLab; what it complains of is an error of the test, a screenshot is kept where one fails."""
    page = LabPage(context.new_page(), jupyter)
    problems: list[str] = []
    page.page.on("pageerror", lambda problem: problems.append(str(problem)))
    yield page
    if getattr(request.node, "has_failed", False):
        PICTURES.mkdir(exist_ok=True)
        page.page.screenshot(path=PICTURES / f"failed-{request.node.name}.png")
    assert not problems


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome: Any = yield
    item.has_failed = getattr(item, "has_failed", False) or outcome.get_result().failed  # type: ignore[attr-defined]
