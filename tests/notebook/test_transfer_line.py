"""How far a transfer is: what the bar says, redrawn in place in a notebook and in a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from cloudml_magic.notebook.transfer_line import TransferLine, words_of
from cloudml_magic.pipeline.files import Progress

Later = Callable[[float], None]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """A clock that goes on only when it is told to."""
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def go_on(seconds: float) -> None:
        now[0] += seconds

    return go_on


def found(count: int, size: int) -> Progress:
    """All of so many files is known, and nothing of them has gone over."""
    progress = Progress()
    assert len(list(progress.counted(range(count), lambda _: size))) == count
    return progress


def test_the_rate_and_the_time_left(later: Later) -> None:
    """Of the last seconds: a transfer that has become faster says so."""
    progress = found(1000, 20_000)
    later(2)
    progress.done_files = 50
    progress.moved(1_000_000)
    assert words_of(progress) == "50 of 1,000 files · 1.0 MB of 20.0 MB · 500.0 KB/s · 38 s left"
    for _ in range(6):
        later(1)
        progress.moved(2_000_000)
        words = words_of(progress)
    assert words == "50 of 1,000 files · 13.0 MB of 20.0 MB · 2.0 MB/s · 3 s left"


def test_what_is_not_known_is_not_said(later: Later) -> None:
    """A folder that is still being looked through has no total, and a transfer that stands has no end in sight."""
    progress = Progress()
    progress.found(20_000)
    later(1)
    progress.moved(500)
    assert words_of(progress) == "0 files · 500 B · 500 B/s" and progress.share is None
    standing = found(2, 10)
    later(9)
    assert words_of(standing) == "0 of 2 files · 0 B of 20 B · 0 B/s" and standing.share == 0


def test_what_is_there_already_counts_as_done(later: Later) -> None:
    """But not as bytes that had to go over."""
    progress = found(4, 100)
    for _ in range(3):
        progress.is_as_it_was(100)
    later(1)
    progress.moved(50)
    assert words_of(progress) == "3 of 4 files · 50 B of 100 B · 50 B/s · 1 s left"


def test_in_a_notebook_one_bar_is_redrawn(later: Later) -> None:
    """Five times a second at most, not at all for what is done at once; the outcome takes its place."""
    shell, progress = InteractiveShell.instance(), found(4, 100)
    try:
        with capture_output() as seen:
            line = TransferLine(SimpleNamespace(kernel=object()), "copying <all>")
            line.show(progress)
            later(1)
            progress.moved(100)
            line.show(progress)
            line.show(progress)
            later(1)
            line.say("tried again")
            progress.moved(200)
            line.show(progress)
            line.end("Copied 4 files")
    finally:
        InteractiveShell.clear_instance()
    assert shell is not None and seen.stdout == ""
    assert [output.data["text/plain"] for output in seen.outputs] == [
        "copying <all> · 0 of 4 files · 100 B of 400 B · 100 B/s · 3 s left",
        "copying <all> · 0 of 4 files · 300 B of 400 B · 150 B/s · 0 s left · tried again",
        "Copied 4 files",
    ]
    assert [output.update for output in seen.outputs] == [False, True, True]
    assert len({output.transient["display_id"] for output in seen.outputs}) == 1
    html = seen.outputs[0].data["text/html"]
    assert '<progress value="0.2500" max="1"' in html and "copying &lt;all&gt;" in html


def test_in_a_terminal_one_line_is_redrawn(later: Later, monkeypatch: pytest.MonkeyPatch) -> None:
    """And wiped before the outcome; into a file goes the outcome alone."""
    ours, theirs = os.openpty()
    progress = found(4, 100)
    with open(theirs, "w") as terminal, open(ours, "rb", buffering=0) as screen:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdout", terminal)
        line = TransferLine(None, "copying")
        later(1)
        progress.moved(100)
        line.show(progress)
        line.end("Copied 4 files")
        terminal.flush()
        drawn = b""
        while not drawn.endswith(b"\n"):
            # A terminal hands over what has come so far.
            drawn += screen.read(4096)
    assert drawn.decode() == (
        f"\r\x1b[K{'━' * 6}{'╌' * 18} copying · 0 of 4 files · 100 B of 400 B · 100 B/s · 3 s left"
        "\r\x1b[KCopied 4 files\r\n"
    )


def test_into_a_file_goes_the_outcome_alone(later: Later, capsys: pytest.CaptureFixture[str]) -> None:
    progress = found(4, 100)
    line = TransferLine(None, "copying")
    later(1)
    line.show(progress)
    line.end("Copied 4 files")
    assert capsys.readouterr().out == "Copied 4 files\n"
