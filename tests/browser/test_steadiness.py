"""What a page costs while jobs run, and what becomes of it where pushes do not come: nothing jumps, little is asked."""

from __future__ import annotations

import itertools
import re
import time

import pytest
from playwright.sync_api import expect

from tests.browser.lab_page import LabPage
from tests.browser.test_job_card import LOAD, lasting, reporting, tell_enough

_SHIFTS = """() => {
    window.shifts = [];
    new PerformanceObserver(list => list.getEntries().forEach(entry => {
        const nodes = entry.sources.map(source => source.node?.closest?.('.cloudml-Card, .cloudml-Panel')).filter(Boolean);
        if (nodes.length) { window.shifts.push(entry.value); }
    })).observe({type: 'layout-shift'});
}"""


def test_nothing_jumps_while_a_job_goes_on(lab: LabPage) -> None:
    """The browser itself counts shifts of the layout within the card and the panel."""
    card = lab.train("steady", lasting(lab, "steady"))
    lab.panel("Jobs")
    lab.expect_state(card, "Running")
    lab.page.wait_for_timeout(1000)
    lab.page.evaluate(_SHIFTS)
    lab.page.wait_for_timeout(2500)
    assert sum(lab.page.evaluate("() => window.shifts")) < 0.002
    tell_enough(lab, "steady")


_PLACES = """name => {
    window.places = [];
    let last = '';
    const look = () => {
        const card = document.querySelector(`[aria-label="Job ${name}"]`);
        if (card) {
            const box = card.getBoundingClientRect();
            const buttons = [...card.querySelectorAll('.cloudml-Buttons button')]
                .filter(button => getComputedStyle(button).visibility === 'visible')
                .map(button => [button, button.getBoundingClientRect()])
                .map(([button, {left, top}]) => [button.textContent, Math.round(left - box.left), Math.round(top - box.top)]);
            const place = {state: card.querySelector('.cloudml-State').textContent, height: Math.round(box.height), buttons};
            const now = JSON.stringify(place);
            if (now !== last) { window.places.push(place); }
            last = now;
        }
        requestAnimationFrame(look);
    };
    look();
}"""


@pytest.mark.parametrize("width", [1280, 700])
def test_nothing_moves_under_the_hand_from_the_first_picture_to_the_end(lab: LabPage, width: int) -> None:
    """Curves, log and buttons have their places before they are there; the end may change the height, but moves no button."""
    name = f"whole-{width}"
    lab.page.set_viewport_size({"width": width, "height": 900})
    lab.open(lab.write(f"{name}.ipynb", [LOAD, lasting(lab, name)]))
    lab.run_cell(0)
    lab.page.evaluate(_PLACES, name)
    lab.run_cell(1)
    lab.expect_state(lab.card(name), "Running")
    lab.page.wait_for_timeout(1000)
    tell_enough(lab, name)
    lab.expect_state(lab.card(name), "Succeeded")
    lab.page.wait_for_timeout(1000)
    places = lab.page.evaluate("() => window.places")
    assert {"Running", "Succeeded"} <= {each["state"] for each in places}
    assert len({each["height"] for each in places if each["state"] != "Succeeded"}) == 1, places
    assert len({each["height"] for each in places if each["state"] == "Succeeded"}) == 1, places
    where: dict[str, set[tuple[int, int]]] = {}
    for words, left, top in [button for each in places for button in each["buttons"]]:
        where.setdefault(words, set()).add((left, top))
    assert {words for words, spots in where.items() if len(spots) > 1} == set(), where
    under = {spot: words for words, spots in where.items() for spot in spots}
    assert len(under) == len(where), "One button came where another had been."


def test_a_page_asks_at_most_once_a_second_for_all_its_cards(lab: LabPage) -> None:
    """What is pushed is not asked for."""
    asked: list[float] = []
    lab.page.on(
        "request",
        lambda request: (
            asked.append(time.monotonic())
            if request.method == "GET" and re.search(r"cloudml/v1/(jobs(\?|$)|status)", request.url)
            else None
        ),
    )
    lab.train("modest-one", reporting("modest-one", 150, 0.05), reporting("modest-two", 150, 0.05))
    lab.panel("Jobs")
    lab.page.wait_for_timeout(5000)
    gaps = [later - earlier for earlier, later in itertools.pairwise(asked)]
    assert gaps, "The list and the cards' documents at least."
    assert all(gap > 0.9 for gap in gaps), gaps


def test_where_no_push_comes_the_card_moves_by_asking(lab: LabPage) -> None:
    """A proxy that breaks web sockets of events breaks no card."""
    lab.page.route_web_socket(re.compile("api/events/subscribe"), lambda socket: socket.close())
    card = lab.train("asking", reporting("asking", 300, 0.1))
    lab.expect_state(card, "Running")
    words = card.inner_text()
    lab.page.wait_for_timeout(4000)
    assert card.inner_text() != words
    card.get_by_role("button", name="Cancel").click()
    lab.dialog().locator(".jp-mod-accept").click()
    lab.expect_state(card, "Cancelled")


def test_halves_of_different_versions_say_so_with_the_fix(lab: LabPage) -> None:
    """The page compares what the server says of itself with its own version."""

    def answer_as_older(route: object) -> None:
        response = route.fetch()  # type: ignore[attr-defined]
        route.fulfill(response=response, headers={**response.headers, "x-cloudml-version": "0.0.1"})  # type: ignore[attr-defined]

    lab.page.route(re.compile("cloudml/v1/"), answer_as_older)
    lab.open()
    panel = lab.panel("Jobs")
    expect(panel).to_contain_text("The two halves of cloudml-magic are of different versions.")
    expect(panel).to_contain_text("pip install --upgrade cloudml-magic")
    lab.picture("version-mismatch")


def test_everything_of_the_panel_is_reached_by_the_keyboard(lab: LabPage) -> None:
    """Arrows between tabs and rows, Space selects, Enter opens, Escape leaves a dialog."""
    lab.train("keys-one", reporting("keys-one", 3, 0.01), reporting("keys-two", 3, 0.01))
    lab.expect_state(lab.card("keys-two"), "Succeeded")
    panel = lab.panel("Jobs")
    panel.get_by_role("searchbox").fill("keys-")
    rows = panel.locator(".cloudml-JobRow")
    expect(rows).to_have_count(2)
    keyboard = lab.page.keyboard
    panel.get_by_role("tab", name="Jobs").focus()
    keyboard.press("ArrowRight")
    expect(panel.get_by_role("tab", name="Models")).to_be_focused()
    keyboard.press("ArrowLeft")
    panel.get_by_role("searchbox").focus()
    for _ in range(6):
        keyboard.press("Tab")
        if "JobRow" in lab.page.evaluate("() => document.activeElement.className"):
            break
    keyboard.press("ArrowDown")
    keyboard.press("Space")
    keyboard.press("ArrowUp")
    keyboard.press("Space")
    expect(panel).to_contain_text("2 selected")
    lab.picture("panel-keyboard")
    keyboard.press("Enter")
    expect(lab.page.locator(".cloudml-Job")).to_contain_text("keys-")
    more = rows.first.get_by_role("button", name=re.compile("More of"))
    more.focus()
    keyboard.press("Enter")
    expect(lab.page.locator(".lm-Menu")).to_be_visible()
    keyboard.press("Escape")
    expect(more).to_be_focused()
