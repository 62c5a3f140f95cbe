"""The card: one view, three representations, and nothing of a job's claims that could act."""

from __future__ import annotations

import json
import math
import random
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudml_magic.cards.job import JOB_MIME, JobView, bundle
from cloudml_magic.cards.job.view import about, figure, ordinal
from cloudml_magic.pipeline.progress import JobProgress
from cloudml_magic.records import JobEvent, JobOrigin, JobSnapshot, Target
from cloudml_magic.states import JobState
from cloudml_magic.wording import clean, duration
from tests.cards.schemas import check

NOW = 1_700_000_000.0


def event(kind: str, at: float = NOW, **fields: object) -> JobEvent:
    return JobEvent(kind, at, fields)


def card(events: list[JobEvent], name: str = "digits") -> dict[str, object]:
    progress = JobProgress()
    for one in events:
        progress.apply(one)
    snapshot = JobSnapshot("1", "jobs/1", name, progress.state, Target.LOCAL, "gs://b/j", created=NOW - 400)
    return bundle(JobView.of(snapshot, progress, NOW))


FAILED = [
    event(
        "failure",
        message="No.",
        cell="In [2]",
        line=7,
        source_line="model.fit(train)",
        source=[{"line": 6, "text": "model.add(…)"}, {"line": 7, "text": "model.fit(train)"}, {"line": "8"}, "9"],
    ),
    event("state", state="FAILED"),
]
LONG = st.sampled_from(["\t" * 750 + "x" * 2000, "\t" * 2000, "👩‍🚀" * 700, "[1m" * 500 + "\t" * 90])
MANY = st.integers(90, 99).map(lambda count: {f"{n}\t\t{'x' * 95}": n for n in range(count)})
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | LONG | MANY,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=6,
)
FIELDS = (
    *(
        "state",
        "position",
        "note",
        "error",
        "fit",
        "epoch",
        "epochs",
        "step",
        "steps",
        "seconds",
        "metrics",
        "done",
        "total",
    ),
    *(
        "failed",
        "name",
        "count",
        "message",
        "artifact",
        "path",
        "cell",
        "line",
        "source",
        "source_line",
        "next",
        "text",
    ),
)
KINDS = ("state", "fit", "step", "epoch", "metric", "rows", "device", "warning", "artifact", "failure", "log")
EVENTS = st.lists(
    st.builds(
        JobEvent,
        st.sampled_from(KINDS),
        st.floats(0, 1e12),
        st.dictionaries(
            st.sampled_from(FIELDS),
            ANYTHING
            | LONG
            | MANY
            | st.sampled_from([state.value for state in JobState])
            | st.dictionaries(st.text(), st.floats() | st.sampled_from(["nan", "inf", "x" * 3000]), max_size=4),
        ),
    ),
    max_size=12,
)
TRAINING = [
    event("state", NOW - 372, state="RUNNING"),
    event("device", name="CPU", type="cpu", count=1),
    event("fit", fit=1, epochs=20, steps=95),
    *(
        event("epoch", epoch=n, epochs=20, seconds=26.0, metrics={"loss": 1 / n, "val_loss": 2 / n, "accuracy": 0.943})
        for n in range(1, 13)
    ),
    event("step", epoch=13, epochs=20, step=41, steps=95, metrics={"loss": 0.08}),
    event("log", text="Epoch 12/20 · 95/95 · 26 s", severity="INFO"),
]


def test_a_running_job_shows_where_it_stands() -> None:
    """Name, state, place, elapsed time, epoch, step, time left, curves and the last log lines."""
    shown = card(TRAINING)
    assert shown["text/plain"] == (
        "digits · RUNNING · this machine · CPU · 6 min 12 s\n"
        "  epoch 13 of 20 · step 41 of 95 · about 3 min left\n"
        "  loss      █▄▃▂▂▂▁▁▁▁▁▁  0.083  val 0.167\n"
        "  accuracy  ▁▁▁▁▁▁▁▁▁▁▁▁  94.3 %\n"
        "  | Epoch 12/20 · 95/95 · 26 s"
    )
    html = str(shown["text/html"])
    for words in (
        "Running",
        "digits",
        "this machine · CPU",
        "6 min 12 s",
        "step 41 of 95",
        "about 3 min left",
        "94.3 %",
    ):
        assert words in html
    assert html.count("data:image/svg+xml;base64,") == 2


def test_the_data_representation_follows_schema_one() -> None:
    """It is JSON with finite numbers, at most 200 points a curve and 20 log lines."""
    many = [
        event("epoch", epoch=n, epochs=900, seconds=1, metrics={"loss": "nan" if n == 5 else n}) for n in range(1, 900)
    ]
    lines = [event("log", text=str(n)) for n in range(100)]
    document = card([event("state", state="RUNNING"), *many, *lines])[JOB_MIME]
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert isinstance(document, dict)
    assert document["schema"] == 1
    check("job", document)
    (loss,) = document["curves"]
    assert len(loss["values"]) == len(loss["steps"]) == 200 and loss["validation"] is None
    assert (loss["steps"][0], loss["values"][0], loss["steps"][-1], loss["values"][-1]) == (1.0, 1.0, 899.0, 899.0)
    assert [line["text"] for line in document["log"]] == [str(n) for n in range(80, 100)]


def test_a_twin_shares_the_steps_of_its_metric() -> None:
    """`val_loss` is no curve of its own."""
    loss, accuracy = card(TRAINING)[JOB_MIME]["curves"]  # type: ignore[index]
    assert (loss["name"], accuracy["name"]) == ("loss", "accuracy")
    assert loss["validation"][:2] == [2.0, 1.0] and accuracy["validation"] is None


def test_what_was_reported_out_of_order_is_shown_as_it_came() -> None:
    """A chart is drawn from left to right."""
    reported = [event("metric", step=step, metrics={"reward": step}) for step in (10, 30, 20)]
    (reward,) = card(reported)[JOB_MIME]["curves"]  # type: ignore[index]
    assert (reward["steps"], reward["values"]) == ([1, 2, 3], [10.0, 30.0, 20.0])


def test_the_data_says_where_the_job_was_sent_from() -> None:
    """Notebook, cell, the ids of its cells, and plain values of its code."""
    origin = JobOrigin("a.ipynb", "In [3]", {"In [3]": "abc", "In [2]": "def"}, (("width", "64"),))
    progress = JobProgress()
    for each in FAILED:
        progress.apply(each)
    snapshot = JobSnapshot("1", "jobs/1", "digits", progress.state, Target.LOCAL, "gs://b/j", created=NOW)
    document = bundle(JobView.of(snapshot, progress, NOW, origin))[JOB_MIME]
    check("job", document)
    assert document["origin"] == {"notebook": "a.ipynb", "cell": "In [3]", "cell_id": "abc"}
    assert document["parameters"] == [{"name": "width", "value": "64"}]
    assert document["failure"]["cell_id"] == "def"
    assert document["failure"]["source"] == [
        {"line": 6, "text": "model.add(…)"},
        {"line": 7, "text": "model.fit(train)"},
    ]


@given(events=EVENTS)
def test_whatever_a_job_reports_the_data_follows_its_schema(events: list[JobEvent]) -> None:
    """A front end refuses what does not."""
    check("job", card(events)[JOB_MIME])


def test_a_line_with_tabs_is_cut_as_it_is_shown() -> None:
    """A tab becomes four spaces, so what fits as it was written may not fit as it is shown."""
    tabs = "\t" * 750 + "x" * 1250
    source = [{"line": 1, "text": tabs}]
    claims = [
        event("log", text=tabs),
        event("warning", message=tabs),
        event("device", name=tabs),
        event("metric", step=1, metrics={"\t" * 90: 1}),
        event("failure", message=tabs, next=tabs, cell=tabs, source=source),
        event("state", state="FAILED", error=tabs),
    ]
    for count in range(1, len(claims) + 1):
        check("job", card(claims[:count], name=tabs)[JOB_MIME])
    origin = JobOrigin(tabs, tabs, {tabs: tabs}, ((tabs, tabs),))
    snapshot = JobSnapshot("1", "jobs/1", tabs, JobState.QUEUED, Target.CLOUD, "gs://b/j", machine=tabs, created=NOW)
    waiting = JobProgress()
    waiting.apply(event("state", state="QUEUED", note=tabs))
    check("job", bundle(JobView.of(snapshot, waiting, NOW, origin))[JOB_MIME])


def test_a_failed_job_shows_its_cause_and_the_line() -> None:
    """One sentence, the cell and line as the editor counts them, and what to do next."""
    shown = card(
        [
            event("state", NOW - 9, state="RUNNING"),
            event(
                "failure",
                message="The last layer has 10 outputs, the labels go up to 11.",
                cell="In [14]",
                line=7,
                source_line="model.fit(train)",
                next="Give Dense 12 units.",
            ),
            event("state", state="FAILED"),
        ]
    )
    assert shown["text/plain"] == (
        "digits · FAILED · this machine · 9 s\n"
        "  The last layer has 10 outputs, the labels go up to 11.\n"
        "  In [14], line 7: model.fit(train)\n"
        "  Next: Give Dense 12 units."
    )
    assert "In [14], line 7" in str(shown["text/html"])


def test_a_failure_without_a_report_shows_what_the_platform_says() -> None:
    """A killed job cannot speak for itself."""
    shown = card([event("state", state="FAILED", error="The replica workerpool0-0 ran out of memory")])
    assert "The replica workerpool0-0 ran out of memory" in str(shown["text/plain"])


def test_a_waiting_job_says_its_place_in_line() -> None:
    """QUEUED with its position."""
    assert "2nd in line" in str(card([event("state", state="QUEUED", position=2)])["text/plain"])


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<a href=javascript:alert(1)>x</a>",
    "<style>*{display:none}</style>",
    "&lt;b&gt;",
    "\x1b]8;;http://x.test\x07link\x1b]8;;\x07",
    "\x1b[31mred\x1b[0m",
    "a\u202eb\u2066c",
    "nul\0byte",
    "<!--",
    "]]>",
    "{{7*7}}",
    "\ud800 lone",
    "line\r\nfeed",
    "x" * 100_000,
]


class Elements(HTMLParser):
    """Collects elements and attributes as a browser would see them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[str] = set()
        self.sources: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.sources |= {(value or "")[:26] for name, value in attrs if name in ("src", "href")}


@pytest.mark.parametrize("payload", HOSTILE, ids=range(len(HOSTILE)))
def test_what_a_job_claims_stays_text(payload: str) -> None:
    """No field of any event becomes an element, an attribute, an address or a control sequence."""
    shown = card(
        [
            event("state", state="RUNNING", note=payload),
            event("device", name=payload),
            event("fit", fit=1, epochs=3),
            event(
                "epoch", epoch=1, epochs=3, seconds=1, metrics={payload: 1.0, f"val_{payload}": 2.0, "loss": payload}
            ),
            event("metric", step=payload, metrics={payload: 3}),
            event("warning", message=payload),
            event("log", text=payload, severity=payload),
            event("artifact", artifact=payload, path=payload),
            event("failure", message=payload, cell=payload, line=3, source_line=payload, next=payload),
            event("state", state="FAILED", error=payload),
        ],
        name=payload,
    )
    seen = Elements()
    seen.feed(str(shown["text/html"]))
    assert seen.found <= {"div", "span", "img"}
    assert seen.attributes <= {"style", "role", "aria-label", "src", "alt", "width", "height"}
    assert seen.sources <= {"data:image/svg+xml;base64,"}
    for text in (str(shown["text/plain"]), str(shown["text/html"]), json.dumps(shown[JOB_MIME], ensure_ascii=False)):
        assert not any(character in text for character in "\x1b\0\u202e\u2066\ud800\r")
    assert len(str(shown["text/html"])) < 100_000


def test_events_of_any_shape_are_survived() -> None:
    """A job may write anything into its own file: 3,000 random events change nothing but the picture."""
    chance = random.Random(5)
    odd = [None, True, -1, 0, 3, 2**70, 1e308, math.inf, "nan", "x", [], {}, [1], {"loss": 1}, {"loss": None}, {1: 2}]
    names = [
        "state",
        "position",
        "epoch",
        "epochs",
        "step",
        "steps",
        "fit",
        "seconds",
        "metrics",
        "message",
        "line",
        "text",
    ]
    kinds = ["state", "fit", "step", "epoch", "metric", "device", "warning", "artifact", "failure", "log", "other"]
    progress = JobProgress()
    for _ in range(3000):
        fields = {name: chance.choice(odd) for name in chance.sample(names, 5)}
        if chance.random() < 0.3:
            fields["state"] = chance.choice(list(JobState)).value
        progress.apply(event(chance.choice(kinds), **fields))
        snapshot = JobSnapshot("1", "jobs/1", "n", progress.state, Target.LOCAL, "gs://b/j", created=NOW)
        json.dumps(bundle(JobView.of(snapshot, progress, NOW)), allow_nan=False)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (duration(9.7), "9 s"),
        (duration(372), "6 min 12 s"),
        (duration(7500), "2 h 5 min"),
        (duration(-4), "0 s"),
        (about(4), "a few seconds left"),
        (about(42), "about 40 s left"),
        (about(180), "about 3 min left"),
        (figure("accuracy", 0.943), "94.3 %"),
        (figure("loss", 0.3611), "0.361"),
        (figure("loss", 1.2e-5), "1.20e-05"),
        (figure("loss", math.nan), "nan"),
        (ordinal(1), "1st"),
        (ordinal(12), "12th"),
        (ordinal(22), "22nd"),
        (clean("a\tb\x1b[1mc"), "a    bc"),
    ],
)
def test_words(words: str, expected: str) -> None:
    """Times and numbers as people read them."""
    assert words == expected


def test_a_gpu_that_is_not_there_is_a_warning_that_stays() -> None:
    """The job runs all the same, and its card says on what, also when it has ended."""
    asked = "The job asks for 1 × NVIDIA_TESLA_T4, but this machine has no GPU: it trains on the CPU."
    shown = card([event("state", state="RUNNING", note=asked), event("state", state="SUCCEEDED")])
    assert f"warning: {asked}" in str(shown["text/plain"])
    assert asked in str(shown["text/html"])


@pytest.mark.parametrize(
    ("after", "words"),
    [
        ([event("fit", fit=1, epochs=5, done=3)], "Interrupted once, resumed at epoch 4."),
        ([event("started"), event("fit", fit=1, epochs=5, done=4)], "Interrupted 2 times, resumed at epoch 5."),
        ([event("fit", fit=1, epochs=2, done=2), event("fit", fit=2, epochs=9)], "Interrupted once, resumed at epoch 1 of fit 2."),
        ([event("fit", fit=1, epochs=5)], "Interrupted once, begun again."),
        ([], "Interrupted once, begun again."),
    ],
)  # fmt: skip
def test_an_interruption_is_told_with_where_training_went_on(after: list[JobEvent], words: str) -> None:
    """It explains the time that a job took; all three representations say it."""
    shown = card([event("started"), event("state", state="RUNNING"), event("started"), *after])
    check("job", shown[JOB_MIME])
    assert shown[JOB_MIME]["warnings"] == [words]  # type: ignore[index]
    assert words in str(shown["text/plain"]) and words in str(shown["text/html"])
