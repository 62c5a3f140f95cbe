"""What the runtime writes and prints: events that hold no secret, reports that are the same in kernel and job."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cloudml_magic.trainer.hints import hint_for
from cloudml_magic.trainer.reporting import EventFile, report, report_to


def test_no_event_holds_the_value_of_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception may quote it; neither card nor `events.jsonl` may. A longer secret is masked before a shorter one."""
    monkeypatch.setenv("CLOUDML_SECRETS", "API_KEY,PREFIX,SHORT,ABSENT")
    monkeypatch.setenv("API_KEY", "open sesame")
    monkeypatch.setenv("PREFIX", "open")
    monkeypatch.setenv("SHORT", "1")
    file = tmp_path / "events.jsonl"
    events = EventFile(str(file))
    events.write("failure", message="RuntimeError: open sesame", line=1, traceback="In [1]: open sesame\nopen door")
    written = file.read_text()
    assert "sesame" not in written
    event = json.loads(written)
    assert event["message"] == "RuntimeError: ***"
    assert event["traceback"] == "In [1]: ***\n*** door"
    assert event["line"] == 1


def test_a_report_in_the_kernel_is_a_printed_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """In a job it is an event as well."""
    report_to(None)
    report(3, loss=0.25, rate=1)
    assert capsys.readouterr().out == "step 3 · loss 0.25 · rate 1\n"
    events = EventFile(str(tmp_path / "events.jsonl"))
    report_to(events)
    report(4, loss=float("nan"))
    report_to(None)
    lines = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["metric", "warning"]
    assert (lines[0]["step"], lines[0]["metrics"]) == (4, {"loss": "nan"})


def test_what_is_no_number_cannot_be_reported() -> None:
    """The error names the type and the shape."""
    with pytest.raises(TypeError, match=r"report\(\) takes single numbers, not list of shape \?"):
        report(loss=[1, 2])


def test_a_missing_tensorboard_is_answered_with_the_option() -> None:
    """The callback of the tutorials needs a package that TensorFlow does not bring."""
    assert hint_for("TBNotInstalledError", "TensorBoard is not installed, missing implementation for tf.summary") == (
        "TensorBoard is not installed in the job.",
        "Add --requires tensorboard, or use --tensorboard in place of the callback.",
    )
