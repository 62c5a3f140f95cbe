"""Text stays text: whatever a job or a bucket says, nothing of it becomes an element, a handler or a request."""

from __future__ import annotations

import json

from playwright.sync_api import Page, expect

from tests.browser.hostile_texts import TEXTS
from tests.browser.lab_page import LabPage
from tests.browser.test_job_card import JOB, LOAD, forged

HOSTILE_JOB = """\
%%ml_train hostile
import json
import cloudml_magic
for number, text in enumerate(json.loads({texts!r})):
    print(text)
    cloudml_magic.report(step=number, **{{text[:90]: float(number)}})
raise ValueError("".join(json.loads({texts!r}))[:390])
"""


def test_what_a_job_says_stays_text_everywhere(lab: LabPage) -> None:
    """Its log, its metrics and its failure, in the card, the panel, the tab, the notification and the saved notebook."""
    requests = watched(lab.page)
    name = lab.write("hostile.ipynb", [LOAD, HOSTILE_JOB.format(texts=json.dumps(TEXTS))])
    lab.open(name)
    lab.run_cell(0)
    lab.run_cell(1)
    card = lab.card("hostile")
    lab.expect_state(card, "Failed")
    lab.panel("Jobs").locator(".cloudml-JobRow").filter(has_text="hostile").first.click()
    expect(lab.page.locator(".cloudml-Job")).to_contain_text("hostile")
    lab.page.wait_for_timeout(1000)
    check(lab.page, ".cloudml-Job, .cloudml-Panel, .Toastify")
    lab.picture("hostile-tab")
    lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.close()")
    check(lab.page, ".cloudml-Card")
    lab.saved(name)
    lab.open(name, again=True)
    lab.expect_state(lab.card("hostile"), "Failed")
    check(lab.page, ".cloudml-Card")
    assert not [each for each in requests if "hostile.invalid" in each]


def test_a_forged_card_of_each_text_in_each_field_stays_text(lab: LabPage) -> None:
    """An untrusted notebook with a card per text, which is in every field that takes text."""
    requests = watched(lab.page)
    name = lab.write("forgeries.ipynb", ["1"] * len(TEXTS))
    path = lab.jupyter.notebooks / name
    notebook = json.loads(path.read_text())
    for cell, text in zip(notebook["cells"], TEXTS, strict=True):
        data = {JOB: forged(text[:100]), "text/plain": ["forged"]}
        cell["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": data}]
    path.write_text(json.dumps(notebook))
    lab.open(name)
    seen = 0
    for index in range(len(TEXTS)):
        lab.page.evaluate(
            "async index => { const notebook = window.jupyterapp.shell.currentWidget.content;"
            " await notebook.scrollToItem(index, 'start'); }",
            index,
        )
        cell = lab.page.locator(f".jp-Cell[data-windowed-list-index='{index}'] .cloudml-Card")
        expect(cell).to_be_attached()
        seen += cell.count()
    check(lab.page, ".cloudml-Card")
    assert seen >= len(TEXTS)
    assert not [each for each in requests if "hostile.invalid" in each]


def watched(page: Page) -> list[str]:
    """The addresses that a page asks for from now on."""
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("dialog", lambda dialog: requests.append(f"hostile.invalid dialog {dialog.message}"))
    return requests


def check(page: Page, within: str) -> None:
    """No element that only a text could have brought, no handler, and nothing has been called."""
    assert page.evaluate("() => window.hacked") is None
    found = page.evaluate(
        """within => [...document.querySelectorAll(within)].flatMap(root => [...root.querySelectorAll('*')]).filter(node =>
            ['SCRIPT', 'IFRAME', 'OBJECT', 'EMBED', 'STYLE', 'LINK', 'META', 'BASE', 'FORM', 'VIDEO', 'MATH', 'TEMPLATE', 'PICTURE'].includes(node.tagName)
            || node.hasAttribute('data-commandlinker-command')
            || [...node.attributes].some(each => each.name.startsWith('on'))
            || (node.tagName === 'A' && /^(javascript|data):/i.test(node.getAttribute('href') ?? ''))
            || (node.tagName === 'IMG' && !(node.getAttribute('src') ?? '').startsWith('data:image/'))
        ).map(node => node.outerHTML.slice(0, 200))""",
        within,
    )
    assert found == []
    shown = page.evaluate(
        "within => [...document.querySelectorAll(within)].map(root => root.textContent).join('')", within
    )
    assert not set(shown) & set("\u202e\u2066\x1b\x07")
