"""What is answered about the whole: whether the platform runs, what runs on it, and what that costs."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Any

from cloudml_magic.connection import PlatformState, only_looking, place, platform_has_begun, platform_standing
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline import Job
from cloudml_magic.pipeline.session import CURRENT, connection
from cloudml_magic.server_extension.following.follower import Follower
from cloudml_magic.states import JobState
from cloudml_magic.version import VERSION

_API = 1
_WAITING = (JobState.QUEUED, JobState.PREPARING)


class StatusAnswers:
    """Looks, and starts nothing."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower

    def status(self, listed: Sequence[Job] | None = None) -> dict[str, Any]:
        """The status line; `listed` are the jobs, where somebody has just asked for them."""
        state, words = platform_standing()
        jobs: Sequence[Job] = self._follower.in_cloud()
        deployed = 0
        if state is PlatformState.UP and platform_has_begun():
            try:
                jobs = self._follower.listed()[0] if listed is None else listed
                deployed = _deployed()
            except CloudMLError as error:
                state, words = PlatformState.UNREACHABLE, error.what
        states = [job.last_seen.state for job in jobs]
        prices = self._follower.prices()
        project, region, bucket = _where()
        return {
            "api": _API,
            "version": VERSION,
            "session": self._follower.session,
            "target": CURRENT.value("target"),
            "project": project,
            "region": region,
            "bucket": bucket,
            "platform": {"state": state.value, "words": " ".join(filter(None, (words, self._follower.cloud.trouble)))},
            "running": sum(state in (JobState.RUNNING, JobState.CANCELLING) for state in states),
            "queued": sum(state in _WAITING for state in states),
            "deployed": deployed,
            # Nothing that runs on this machine costs anything.
            "cost_per_hour": sum(price.per_hour for price in prices) if prices else None,
            "currency": prices[0].currency if prices else None,
            "can_tensorboard": importlib.util.find_spec("tensorboard") is not None,
        }


def _where() -> tuple[str, str, str]:
    """Project, region and bucket of where jobs go now, as far as they are set."""
    try:
        where = place(CURRENT)
    except CloudMLError:
        return "", "", ""
    return where.project, where.region, where.bucket.bucket


def _deployed() -> int:
    """How many versions answer."""
    with only_looking():
        return sum(len(endpoint.deployed) for endpoint in connection().client.models.endpoints())
