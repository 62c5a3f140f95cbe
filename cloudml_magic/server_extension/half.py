"""Everything behind the routes, made at the first request: this module imports the rest of the package."""

from __future__ import annotations

from typing import Any

from cloudml_magic.places import lab_attended_file
from cloudml_magic.server_extension.attendance import Attendance, AttendedFile, remove_stale
from cloudml_magic.server_extension.bucket_answers import BucketAnswers
from cloudml_magic.server_extension.following.follower import Follower
from cloudml_magic.server_extension.following.heartbeat import Heartbeat
from cloudml_magic.server_extension.job_answers import JobAnswers
from cloudml_magic.server_extension.limits import Limits
from cloudml_magic.server_extension.model_answers import ModelAnswers
from cloudml_magic.server_extension.operations import Operations
from cloudml_magic.server_extension.pushes import Pushes
from cloudml_magic.server_extension.status_answers import StatusAnswers
from cloudml_magic.server_extension.tensorboard.boards import TensorBoards


class ServerHalf:
    """What lives as long as the server: `session` names it, since numbers of deltas count within it."""

    def __init__(self, session: str, limits: Limits, pushes: Pushes, log: Any) -> None:
        self.limits = limits
        self.session = session
        self.attendance = Attendance(limits.lease_seconds)
        heartbeat = Heartbeat(session, pushes.send)
        attended_file = AttendedFile(lambda: lab_attended_file(session))
        self.follower = Follower(session, self.attendance, attended_file, heartbeat, limits.follow_limit, log)
        self.jobs = JobAnswers(self.follower)
        self.operations = Operations(session, heartbeat.send, log)
        heartbeat.beats_for(self.operations.go_on)
        self.models = ModelAnswers(self.jobs, self.operations)
        self.buckets = BucketAnswers()
        self.tensorboards = TensorBoards(self.jobs)
        self.status = StatusAnswers(self.follower)
        remove_stale(lab_attended_file(session))

    def overview(self) -> dict[str, Any]:
        """The list of jobs and the status, of one look at the platform."""
        found, more = self.follower.listed()
        return {**self.jobs.listing(found, more), "status": self.status.status(found)}

    def stop(self) -> None:
        """Ends what it began, with the server."""
        self.follower.stop()
        self.tensorboards.stop()
