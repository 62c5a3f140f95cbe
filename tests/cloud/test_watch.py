"""The watch of jobs that have to be asked for: sparing, whole, and honest about what it cannot know."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from cloudml_magic.client.calls import LostReplyError
from cloudml_magic.client.cloud_watch import CloudWatch
from cloudml_magic.client.cloud_watch.pace import Pace
from cloudml_magic.client.watching import Reading
from cloudml_magic.dialects.logging_v2 import LogEntry
from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import JobEvent, JobSnapshot, Target
from cloudml_magic.states import JobState
from cloudml_magic.storage import Growth, ReadSoFar


def snapshot(id: str, state: JobState = JobState.RUNNING) -> JobSnapshot:
    return JobSnapshot(
        id, f"jobs/{id}", f"job-{id}", state, Target.CLOUD, f"gs://b/jobs/{id}", created=100.0, started=110.0,
        ended=200.0 if state.is_final else None,
    )  # fmt: skip


def entry(id: str, number: int, moment: float) -> LogEntry:
    return LogEntry(f"{number}", id, moment, "INFO", f"line {number}")


def has_ended(thread: threading.Thread | None) -> bool:
    """Whether it ends, with some time for it."""
    if thread is not None:
        thread.join(30)
    return thread is None or not thread.is_alive()


class Place:
    """A place with jobs that print and report, as far as it is asked."""

    def __init__(self, *ids: str) -> None:
        self.jobs = {id: snapshot(id) for id in ids}
        self.printed: dict[str, list[LogEntry]] = {id: [] for id in ids}
        self.reported: dict[str, bytes] = dict.fromkeys(ids, b"")
        self.page = 1000
        self.asked: list[str] = []
        self.trouble: list[Exception] = []
        self.log_trouble: CloudMLError | None = None

    def end(self, id: str, state: JobState = JobState.SUCCEEDED) -> None:
        self.jobs[id] = snapshot(id, state)

    def states(self, jobs: list[JobSnapshot], spend: Callable[[], None]) -> dict[str, JobSnapshot | CloudMLError]:
        self._ask("states")
        gone = CloudMLError("not-found", "The job cannot be read.")
        return {job.resource_name: self.jobs.get(job.id, gone) for job in jobs}

    def log_tail(self, job: JobSnapshot) -> tuple[list[LogEntry], bool]:
        self._ask("log")
        return self._page(list(reversed(self.printed[job.id])), turned=True)

    def log_since(self, jobs: list[JobSnapshot], since: float) -> tuple[list[LogEntry], bool]:
        self._ask("log")
        found = [each for job in jobs for each in self.printed[job.id] if each.time >= since]
        return self._page(sorted(found, key=lambda each: each.time))

    def report(self, job: JobSnapshot, known: ReadSoFar | None) -> Growth | None:
        self._ask("report")
        content, size = self.reported[job.id], known.size if known else 0
        if not content or len(content) == size:
            return None
        is_longer = len(content) > size
        return Growth(content[size:] if is_longer else content, ReadSoFar(len(content), len(content), 0))

    def _page(self, entries: list[LogEntry], turned: bool = False) -> tuple[list[LogEntry], bool]:
        if self.log_trouble:
            raise self.log_trouble
        page = entries[: self.page]
        return (page[::-1] if turned else page), len(entries) > self.page

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.trouble:
            raise self.trouble.pop(0)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time goes faster for the watch."""
    monkeypatch.setattr("cloudml_magic.client.cloud_watch.pace.SECONDS_PER_CALL", 0.01)
    monkeypatch.setattr("cloudml_magic.client.cloud_watch.pace._FIRST_PAUSE", 0.05)
    monkeypatch.setattr("cloudml_magic.client.cloud_watch.watch._REFUSED_SECONDS", 0.05)
    monkeypatch.setattr("cloudml_magic.client.cloud_watch.watch._WAKE_SECONDS", 0.05)


def followed(place: Place, id: str, tail: int | None = None) -> Iterator[JobEvent]:
    return CloudWatch(place).follow(place.jobs[id], tail, Reading())


def until(events: Iterator[JobEvent], kind: str, **fields: object) -> JobEvent:
    """The next event of a kind with these fields."""
    return next(each for each in events if each.kind == kind and fields.items() <= each.fields.items())


def report_line(step: int) -> bytes:
    return b'{"kind": "metric", "time": 120, "step": %d, "metrics": {"loss": 1}}\n' % step


def test_reports_come_once_and_in_order_also_where_a_look_met_half_a_line() -> None:
    """A line that is not whole yet is read at the next look."""
    place = Place("1")
    place.reported["1"] = report_line(0) + report_line(1)[:20]
    events = followed(place, "1")
    assert until(events, "metric").fields["step"] == 0
    place.reported["1"] = report_line(0) + report_line(1)
    assert until(events, "metric").fields["step"] == 1
    place.end("1")
    rest = list(events)
    assert [each.kind for each in rest] == ["state"]
    assert rest[0].fields["state"] == "SUCCEEDED"
    assert rest[0].time == 200.0


def test_a_report_that_was_written_anew_is_told_from_its_beginning() -> None:
    """A job that began again reports again; half a line of before is no part of it."""
    place = Place("1")
    place.reported["1"] = report_line(0) + report_line(1) + b'{"kind": "met'
    events = followed(place, "1")
    until(events, "metric", step=1)
    place.reported["1"] = report_line(5)
    assert until(events, "metric").fields["step"] == 5
    place.end("1")
    assert [each.kind for each in events] == ["state"]


def test_a_job_that_was_never_seen_running_still_says_when_it_ran() -> None:
    """Looks are seconds apart, and some jobs are quick."""
    place = Place("1")
    place.end("1")
    place.reported["1"] = report_line(0)
    events = list(CloudWatch(place).follow(snapshot("1", JobState.PREPARING), 0, Reading()))
    told = [(each.kind, each.fields.get("state"), each.time) for each in events if each.kind == "state"]
    # Whether it was still seen being prepared depends on who was faster.
    assert told[-2:] == [("state", "RUNNING", 110.0), ("state", "SUCCEEDED", 200.0)]
    assert [each.kind for each in events][-2:] == ["metric", "state"]


def test_a_job_cannot_claim_a_state_or_a_line() -> None:
    """Only the platform says those."""
    place = Place("1")
    place.reported["1"] = b'{"kind": "state", "state": "SUCCEEDED"}\n{"kind": "log", "text": "x"}\n' + report_line(7)
    events = followed(place, "1")
    first = [next(events), next(events)]
    assert [(each.kind, each.fields.get("state")) for each in first] == [("state", "RUNNING"), ("metric", None)]


def test_lines_that_arrive_late_are_told_too_and_none_twice() -> None:
    """Cloud Logging sorts them in where they belong, behind what was read already."""
    place = Place("1")
    place.printed["1"] = [entry("1", 1, 120.0), entry("1", 3, 130.0)]
    events = followed(place, "1")
    assert [until(events, "log").fields["text"] for _ in range(2)] == ["line 1", "line 3"]
    place.printed["1"] = [entry("1", 1, 120.0), entry("1", 2, 125.0), entry("1", 3, 130.0)]
    assert until(events, "log").fields["text"] == "line 2"
    place.end("1")
    assert [each.fields["text"] for each in events if each.kind == "log"] == []


def test_what_is_printed_as_the_job_ends_is_waited_for() -> None:
    """The end is told when two looks brought nothing new."""
    place = Place("1")
    events = followed(place, "1")
    next(events)
    place.end("1")
    place.printed["1"] = [entry("1", 1, 199.0)]
    assert [each.kind for each in events] == ["log", "state"]


def test_a_flood_of_lines_is_read_page_by_page() -> None:
    """Also where a page is full of what is known already."""
    place = Place("1")
    place.page = 5
    events = followed(place, "1")
    next(events)
    while "log" not in place.asked:
        time.sleep(0.01)
    place.printed["1"] = [entry("1", number, 120 + number / 10) for number in range(40)]
    texts = [until(events, "log").fields["text"] for _ in range(40)]
    assert texts == [f"line {number}" for number in range(40)]


def test_only_as_many_old_lines_are_told_as_were_asked_for() -> None:
    """What comes afterwards is told whole."""
    place = Place("1")
    place.printed["1"] = [entry("1", number, 120.0 + number) for number in range(9)]
    events = followed(place, "1", tail=2)
    assert [until(events, "log").fields["text"] for _ in range(2)] == ["line 7", "line 8"]
    place.printed["1"].append(entry("1", 9, 140.0))
    assert until(events, "log").fields["text"] == "line 9"


def test_a_quiet_job_does_not_hold_up_a_talkative_one() -> None:
    """Their lines are asked for together, from where both were seen."""
    place = Place("1", "2")
    place.page = 5
    place.printed["1"] = [entry("1", 0, 110.0)]
    place.printed["2"] = [entry("2", number, 120.0 + 40 * number) for number in range(3)]
    watch = CloudWatch(place)
    quiet = watch.follow(place.jobs["1"], None, Reading())
    until(quiet, "log")
    talkative = watch.follow(place.jobs["2"], None, Reading())
    assert [until(talkative, "log").fields["text"] for _ in range(3)] == ["line 0", "line 1", "line 2"]
    place.printed["2"] += [entry("2", number, 120.0 + 40 * number) for number in range(3, 30)]
    texts = [until(talkative, "log").fields["text"] for _ in range(27)]
    assert texts == [f"line {number}" for number in range(3, 30)]


def test_trouble_is_said_on_the_card_and_passes() -> None:
    """With the reason, and when the next look is; what is asked to wait waits."""
    place = Place("1")
    place.trouble = [LostReplyError(CloudMLError("quota-exceeded", "x", why="Quota exceeded for reads."))]
    events = followed(place, "1")
    noted = until(events, "state", note="Quota exceeded for reads. Looking again in 0 s.")
    assert noted.fields["state"] == "RUNNING"
    assert "note" not in until(events, "state").fields


def test_credentials_that_expire_are_said_and_the_watch_goes_on() -> None:
    """Nothing is lost of what happened meanwhile."""
    place = Place("1")
    place.trouble = [CloudMLError("credentials-expired", "Google no longer accepts your credentials.", next="Log in.")]
    events = followed(place, "1")
    until(events, "state", note="Google no longer accepts your credentials. Log in.")
    place.reported["1"] = report_line(0)
    assert until(events, "metric").fields["step"] == 0


def test_a_fault_that_nobody_thought_of_is_said_and_the_watch_goes_on() -> None:
    """Else the card would keep silent for ever."""
    place = Place("1")
    place.trouble = [ZeroDivisionError("never thought of")]
    events = followed(place, "1")
    until(events, "state", note="The watch met ZeroDivisionError: never thought of")
    place.end("1")
    assert list(events)[-1].fields["state"] == "SUCCEEDED"


def test_who_may_not_read_logs_still_sees_the_job_end() -> None:
    """And is told which role is missing."""
    place = Place("1")
    place.log_trouble = CloudMLError("permission-denied", "The jobs cannot be listed.")
    events = followed(place, "1")
    note = "What the job prints cannot be read: you lack the role Logs Viewer (roles/logging.viewer)."
    until(events, "state", note=note)
    place.end("1")
    assert list(events)[-1].fields["state"] == "SUCCEEDED"


def test_who_follows_another_job_later_is_told_so_too() -> None:
    """Nothing is asked again for it; once nobody follows any more, the right may have been given."""
    place = Place("1", "2")
    place.log_trouble = CloudMLError("permission-denied", "The jobs cannot be listed.")
    watch = CloudWatch(place)
    first = watch.follow(place.jobs["1"], 0, Reading())
    note = "What the job prints cannot be read: you lack the role Logs Viewer (roles/logging.viewer)."
    until(first, "state", note=note)
    second = watch.follow(place.jobs["2"], 0, Reading())
    until(second, "state", note=note)
    place.log_trouble = None
    thread = watch._thread
    first.close()
    second.close()
    assert has_ended(thread)
    place.printed["1"] = [entry("1", 1, 120.0)]
    assert until(watch.follow(place.jobs["1"], None, Reading()), "log").fields["text"] == "line 1"


def test_a_job_that_is_deleted_while_it_is_followed_ends_the_following() -> None:
    """With the platform's own refusal."""
    place = Place("1")
    events = followed(place, "1")
    next(events)
    del place.jobs["1"]
    with pytest.raises(CloudMLError, match="The job cannot be read"):
        list(events)


def test_a_reading_that_is_ended_by_another_thread_returns() -> None:
    """Soon, with the job still running; nobody is asked any more then."""
    place, reading = Place("1"), Reading()
    watch = CloudWatch(place)
    events = watch.follow(place.jobs["1"], 0, reading)
    next(events)
    threading.Timer(0.1, reading.end).start()
    list(events)
    assert has_ended(watch._thread)
    asked = len(place.asked)
    time.sleep(0.2)
    assert len(place.asked) == asked


def test_in_the_long_run_there_is_a_call_every_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three at once after a rest, whatever is followed; a refusal makes the pauses longer, up to a minute."""
    monkeypatch.undo()
    now = [0.0]
    pace, calls = Pace(lambda: now[0]), 0
    while now[0] < 600:
        if pace.due() <= 0:
            pace.spend()
            calls += 1
        else:
            now[0] += pace.due()
    assert 300 <= calls <= 303
    assert [pace.refused(0) for _ in range(7)] == [2, 4, 8, 16, 32, 64, 64]
    assert pace.refused(90) == 90
    pace.answered()
    assert pace.refused(0) == 2


def test_twenty_jobs_are_followed_with_no_more_calls_than_one() -> None:
    """States and logs of all come in a call each, reports in turn: no job is forgotten."""
    ids = [str(number) for number in range(20)]
    place = Place(*ids)
    for id in ids:
        place.reported[id] = report_line(int(id))
    watch, seen = CloudWatch(place), []

    def follow(id: str) -> None:
        seen.append(until(watch.follow(place.jobs[id], 0, Reading()), "metric").fields["step"])

    threads = [threading.Thread(target=follow, args=(id,)) for id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(seen) == list(range(20))
    assert len([thread for thread in threading.enumerate() if thread.name == "cloudml-watch"]) <= 1
