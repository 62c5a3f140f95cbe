"""Our one route beside Google's: a job's events as they happen (docs/job_events.md), as server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudml_magic.local_platform.buckets.store import BucketStore
from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.jobs.batch import state_folder
from cloudml_magic.local_platform.logs import CHIEF, ReplicaLog
from cloudml_magic.local_platform.reported_events import ReportedEvents
from cloudml_magic.local_platform.resources.jobs import JobResources, StoredJob
from cloudml_magic.local_platform.watch import FolderWatch
from cloudml_magic.local_platform.wire import Request, Response
from cloudml_magic.records import JobKind
from cloudml_magic.serving.batch.reports import EVENTS

HEARTBEAT_SECONDS = 15.0
# With inotify this is only a second look; without it, it is how late an event may come.
_WATCHED_SECONDS, _UNWATCHED_SECONDS = 1.0, 0.005
_BATCH = 256
_ID = re.compile(r"e(\d{1,15})\.l(\d{1,15})")


@dataclass(slots=True)
class _Place:
    """How far a watcher has read."""

    events: int = 0
    log: int = 0

    def __str__(self) -> str:
        return f"e{self.events}.l{self.log}"


class EventStreams:
    """Opens one stream for each watcher."""

    def __init__(
        self, resources: JobResources, store: BucketStore, jobs: Path, position: Callable[[str], int | None]
    ) -> None:
        self._resources = resources
        self._store = store
        self._jobs = jobs
        self._position = position
        self._watch = FolderWatch()

    def open(self, request: Request, id: str) -> Response:
        job = self._resources.job(id)
        if job is None:
            raise PlatformError(404, f"There is no job {id[:80]}.")
        place = self._place(request, id)
        headers = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store"}
        return Response(200, headers, stream=self._stream(job, place))

    def state_event(self, job: StoredJob) -> dict[str, Any]:
        """The state of a job as an event."""
        event: dict[str, Any] = {"kind": "state", "time": job.updated, "state": str(job.state)}
        position = None if job.state.is_final else self._position(job.id)
        if position is not None:
            event["position"] = position
        if job.note and not job.state.is_final:
            event["note"] = job.note
        if job.error is not None:
            event["error"] = job.error[1]
        return event

    def _place(self, request: Request, id: str) -> _Place:
        last = request.header("last-event-id")
        if last:
            found = _ID.fullmatch(last)
            if found is None:
                raise PlatformError(400, f"Last-Event-ID {last[:60]!r} is none of ours.")
            return _Place(int(found[1]), int(found[2]))
        tail = dict(request.query).get("log_tail", "")
        if not tail:
            return _Place()
        if not re.fullmatch(r"\d{1,9}", tail):
            raise PlatformError(400, "log_tail must be a number of lines.")
        return _Place(0, ReplicaLog(self._jobs / id / CHIEF).tail_offset(int(tail)))

    async def _stream(self, job: StoredJob, place: _Place) -> AsyncIterator[bytes]:
        loop, changed, moved = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

        def wake() -> None:
            moved.set()
            changed.set()

        stop_listening = self._resources.listen(lambda: _soon(loop, wake))
        watches = _Watches(self._watch, changed, self._folders(job))
        reported, log = ReportedEvents(self._events_file(job), place.events), ReplicaLog(self._jobs / job.id / CHIEF)
        shown: dict[str, Any] = {}
        spoken = time.monotonic()
        current: StoredJob | None = None
        try:
            while True:
                changed.clear()
                pause = watches.renew()
                if moved.is_set() or current is None:
                    moved.clear()
                    current = self._resources.job(job.id)
                if current is None:
                    return  # The job was deleted while it was watched.
                ended = current.state.is_final
                state = self.state_event(current)
                if not ended and _unlike(state, shown):
                    yield _message(place, state)
                    shown, spoken = state, time.monotonic()
                for message in self._news(reported, log, place, ended=ended):
                    yield message
                    spoken = time.monotonic()
                if ended:
                    yield _message(place, state)
                    return
                if time.monotonic() - spoken >= HEARTBEAT_SECONDS:
                    yield b": still here\n\n"
                    spoken = time.monotonic()
                try:
                    await asyncio.wait_for(changed.wait(), pause)
                except TimeoutError:
                    continue
        finally:
            stop_listening()
            watches.close()

    def _news(self, reported: ReportedEvents, log: ReplicaLog, place: _Place, *, ended: bool) -> Iterator[bytes]:
        """New events and log lines, joined into few messages."""
        batch: list[bytes] = []
        for offset, event in reported.read(ended=ended):
            place.events = offset
            batch.append(_message(place, event))
            if len(batch) >= _BATCH:
                yield b"".join(batch)
                batch = []
        for line in log.lines(place.log, ended=ended):
            place.log = line.end
            batch.append(
                _message(place, {"kind": "log", "time": line.time, "text": line.text, "severity": line.severity})
            )
            if len(batch) >= _BATCH:
                yield b"".join(batch)
                batch = []
        if batch:
            yield b"".join(batch)

    def _events_file(self, job: StoredJob) -> Path | None:
        if job.kind is JobKind.BATCH:
            return state_folder(self._jobs, job.id) / EVENTS
        output = job.body.get("jobSpec", {}).get("baseOutputDirectory", {}).get("outputUriPrefix")
        uri = str(output or job.body.get("trainingInput", {}).get("jobDir", ""))
        bucket, _, folder = uri.removeprefix("gs://").strip("/").partition("/")
        return self._store.path_of(bucket, f"{folder}/events.jsonl".lstrip("/")) if uri.startswith("gs://") else None

    def _folders(self, job: StoredJob) -> list[Path]:
        file = self._events_file(job)
        return [self._jobs / job.id / CHIEF, *([file.parent] if file else [])]


class _Watches:
    """The folders of one watcher, taken under watch as soon as they exist."""

    def __init__(self, watch: FolderWatch, event: asyncio.Event, folders: list[Path]) -> None:
        self._watch = watch
        self._event = event
        self._missing = folders
        self._held: list[int] = []
        self._parents: list[int] = []

    def renew(self) -> float:
        """Tries what is missing; returns how long to sleep at most."""
        before, self._parents = self._parents, []
        still, blind = [], False
        for folder in self._missing:
            held = self._watch.add(folder, self._event)
            if held is not None:
                self._held.append(held)
                continue
            still.append(folder)
            parent = next(each for each in folder.parents if each.is_dir())
            held = self._watch.add(parent, self._event)
            if held is None:
                blind = True
            else:
                self._parents.append(held)
        for held in before:
            if held not in self._parents:
                self._watch.remove(held, self._event)
        self._missing = still
        return _UNWATCHED_SECONDS if blind else _WATCHED_SECONDS

    def close(self) -> None:
        for held in (*self._held, *self._parents):
            self._watch.remove(held, self._event)


def _soon(loop: asyncio.AbstractEventLoop, wake: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # The loop has ended; so has the stream.
        loop.call_soon_threadsafe(wake)


def _unlike(state: dict[str, Any], shown: dict[str, Any]) -> bool:
    return {**state, "time": 0} != {**shown, "time": 0}


def _message(place: _Place, event: dict[str, Any]) -> bytes:
    # ASCII only: no line separator of any reader can break the frame.
    return f"id: {place}\ndata: {json.dumps(event, separators=(',', ':'))}\n\n".encode()
