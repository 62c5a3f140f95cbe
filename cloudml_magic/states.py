"""The legal transitions of jobs and deployed models, as tables; this file knows nothing of the side that it serves."""

from __future__ import annotations

from enum import StrEnum


class JobState(StrEnum):
    """Where a job stands; the words that users read."""

    QUEUED = "QUEUED"
    PREPARING = "PREPARING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"

    @property
    def is_final(self) -> bool:
        """Whether nothing can follow."""
        return not TRANSITIONS[self]


TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.PREPARING, JobState.CANCELLED, JobState.FAILED}),
    JobState.PREPARING: frozenset({JobState.RUNNING, JobState.CANCELLING, JobState.FAILED}),
    JobState.RUNNING: frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLING}),
    JobState.CANCELLING: frozenset({JobState.CANCELLED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}


def may_follow(before: JobState, after: JobState) -> bool:
    """Whether a job may go from one state straight to the other."""
    return after in TRANSITIONS[before]


class DeploymentState(StrEnum):
    """Where the serving process of a deployed model stands."""

    ASLEEP = "ASLEEP"
    STARTING = "STARTING"
    READY = "READY"
    FAILED = "FAILED"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"


DEPLOYMENT_TRANSITIONS: dict[DeploymentState, frozenset[DeploymentState]] = {
    DeploymentState.ASLEEP: frozenset({DeploymentState.STARTING, DeploymentState.STOPPING}),
    DeploymentState.STARTING: frozenset({DeploymentState.READY, DeploymentState.FAILED, DeploymentState.STOPPING}),
    DeploymentState.READY: frozenset({DeploymentState.ASLEEP, DeploymentState.FAILED, DeploymentState.STOPPING}),
    DeploymentState.FAILED: frozenset({DeploymentState.STARTING, DeploymentState.STOPPING}),
    DeploymentState.STOPPING: frozenset({DeploymentState.STOPPED}),
    DeploymentState.STOPPED: frozenset(),
}
