"""Times as Google writes them: RFC 3339 in UTC, to the microsecond."""

from __future__ import annotations

from datetime import UTC, datetime


def written(seconds: float) -> str:
    """Seconds since the epoch as `2026-11-20T12:00:00.000000Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def read(text: str) -> float:
    """The seconds of an RFC 3339 time; raises ValueError."""
    moment = datetime.fromisoformat(text.strip().upper())
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def written_in_seconds(seconds: float) -> str:
    """Seconds since the epoch as the older API writes them, whole: `2026-11-20T12:00:00Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
