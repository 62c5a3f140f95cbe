"""What is answered about jobs: documents, curves, logs, all representations; and what is done with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cloudml_magic import pipeline
from cloudml_magic.cards.job import JobView, bundle, curve_document, document
from cloudml_magic.cards.job.curves import thinned
from cloudml_magic.connection import only_looking, platform_has_begun
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline import Job
from cloudml_magic.pipeline.lookup import job_of_id
from cloudml_magic.pipeline.session import ledger
from cloudml_magic.server_extension.following.folded_job import PLATFORM_GONE, folded, is_unfollowed, unfollowed
from cloudml_magic.server_extension.following.follower import Follower
from cloudml_magic.server_extension.workers import Workers
from cloudml_magic.wording import clean

_AT_ONCE = 4
_BRIEF_POINTS = 40
_LONGEST_LINE = 2000


class JobAnswers:
    """Asks the platform through the pipeline and the follower; every call blocks."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self._readers = Workers(_AT_ONCE, "cloudml-fold")

    def listing(self, found: Sequence[Job], more: bool) -> dict[str, Any]:
        """The newest jobs, briefly: running first, then newest first."""
        numbered = [pair for pair in self._numbered(found) if pair]
        ordered = sorted(numbered, key=lambda pair: pair[1].state.is_final)
        return {
            "session": self._follower.session,
            "jobs": [{"seq": seq, "document": brief(document(view))} for seq, view in ordered],
            "more": more,
        }

    def details(self, ids: Sequence[str]) -> dict[str, Any]:
        """Whole documents of these jobs."""
        known, unknown = [], []
        for job_id in dict.fromkeys(ids):
            job = self._known(job_id)
            if job is None:
                unknown.append(job_id)
            else:
                known.append(job)
        numbered = self._numbered(known)
        return {
            "session": self._follower.session,
            "jobs": [{"seq": pair[0], "document": document(pair[1])} for pair in numbered if pair],
            "unknown": unknown + [job.id for job, pair in zip(known, numbered, strict=True) if not pair],
        }

    def curves(self, job_id: str) -> dict[str, Any]:
        """Every point of every metric."""
        view = self._view(job_id)
        return {"curves": [curve_document(curve, max(1, len(curve.values))) for curve in view.curves]}

    def logs(self, job_id: str, last: int) -> dict[str, Any]:
        """The last lines that it printed."""
        with only_looking():
            lines = self._job(job_id).log_lines(last + 1)
        shown = [
            {"time": moment, "severity": severity, "text": clean(text)[:_LONGEST_LINE]}
            for moment, severity, text in lines[-last:]
        ]
        return {"lines": shown, "more": len(lines) > last}

    def bundle(self, job_id: str) -> dict[str, Any]:
        """All representations of its card."""
        return bundle(self._view(job_id))

    def cancel(self, job_id: str) -> dict[str, Any]:
        """Asks it to stop."""
        self._job(job_id).cancel()
        return {}

    def deletion(self, job_id: str) -> dict[str, Any]:
        """What deleting it takes away."""
        with only_looking():
            return {"words": pipeline.deletion_of([self._job(job_id)])}

    def delete(self, job_id: str) -> dict[str, Any]:
        """Removes it with its folder."""
        pipeline.delete([self._job(job_id)])
        self._follower.forget(job_id)
        return {}

    def known(self, job_id: str) -> Job:
        """A job that the platform knows; looks, and starts nothing."""
        with only_looking():
            return self._job(job_id)

    def deployable(self, job_id: str) -> Job:
        """A job whose model can be deployed now: nobody waits here until one has ended."""
        job = self._job(job_id)
        if not job.state.is_final:
            raise CloudMLError(
                "job-not-ended", f"Job {job.name} has not ended.", next="Deploy its model when it has ended."
            )
        return job

    def _job(self, job_id: str) -> Job:
        if not platform_has_begun() and not ledger().in_cloud(1):
            raise _unknown(job_id)
        try:
            return job_of_id(job_id)
        except CloudMLError as error:
            raise (_unknown(job_id) if error.reference == "not-found" else error) from None

    def _known(self, job_id: str) -> Job | None:
        held = self._follower.known_running(job_id)
        if held is not None:
            return held.job
        try:
            with only_looking():
                return self._job(job_id)
        except CloudMLError as error:
            if error.reference != "unknown-job":
                raise
            return None

    def _view(self, job_id: str) -> JobView:
        with only_looking():
            (numbered,) = self._numbered([self._job(job_id)])
        if numbered is None:
            raise _unknown(job_id)
        if is_unfollowed(numbered[1]):
            # A page would write it into the notebook, over a card that may tell more.
            raise CloudMLError(
                "platform-failed",
                f"What job {numbered[1].name} reports cannot be shown.",
                why="The log of the Jupyter server says why.",
                next="The list of jobs shows what the platform says of it.",
            )
        return numbered[1]

    def _numbered(self, jobs: Sequence[Job]) -> list[tuple[int, JobView] | None]:
        """Each job as it is now, None for one that was just deleted; several are read at once."""
        futures = [self._readers.submit(lambda job=job: self._numbered_one(job)) for job in jobs]  # type: ignore[misc]
        return [future.result() for future in futures]

    def _numbered_one(self, job: Job) -> tuple[int, JobView] | None:
        try:
            with only_looking():
                return self._now(job)
        except CloudMLError as error:
            if error.reference in PLATFORM_GONE:
                raise
            if error.reference == "not-found":
                self._follower.forget(job.id)
                return None
            problem: Exception = error
        except Exception as other:
            problem = other
        # One job's report must not cost the others their answer.
        self._follower.note_trouble(job, problem)
        return 0, unfollowed(job.last_seen)

    def _now(self, job: Job) -> tuple[int, JobView]:
        """One that runs from the follower, one that has ended read once."""
        held = self._follower.ended.get(job.id)
        if held is not None:
            return held
        running = self._follower.known_running(job.id)
        if running is None and job.last_seen.state.is_final:
            view = folded(job)
            self._follower.ended.keep(0, view)
            return 0, view
        running = running or self._follower.running(job)
        self._follower.read(running)
        numbered = running.numbered()
        self._follower.settle(running)
        return numbered


def brief(whole: dict[str, Any]) -> dict[str, Any]:
    """A document for a list: no log, and of its curves the first and the first that is no loss, in few points."""
    first, others = whole["curves"][:1], whole["curves"][1:]
    main = [curve for curve in others if "loss" not in curve["name"]][:1]
    return {**whole, "log": [], "curves": [_short(curve) for curve in first + main]}


def _short(curve: dict[str, Any]) -> dict[str, Any]:
    return {name: thinned(value, _BRIEF_POINTS) if isinstance(value, list) else value for name, value in curve.items()}


def _unknown(job_id: str) -> CloudMLError:
    return CloudMLError(
        "unknown-job",
        f"There is no job {job_id}.",
        why="The platform of this server does not know it: it was deleted, or sent from elsewhere.",
        next="The list of jobs shows what there is.",
    )
