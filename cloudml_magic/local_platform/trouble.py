"""What a client is told of trouble that nobody expected: a full disk, a missing permission, or a place in the log."""

from __future__ import annotations

import logging
import secrets

from cloudml_magic.local_platform.disk import is_disk_full
from cloudml_magic.local_platform.errors import PlatformError

_log = logging.getLogger("cloudml_magic.local_platform")


def translated(problem: Exception) -> PlatformError:
    """The refusal for an exception that is none."""
    if isinstance(problem, PlatformError):
        return problem
    if is_disk_full(problem):
        return PlatformError(507, "The disk of the local platform is full. Free some space and try again.")
    if isinstance(problem, PermissionError):
        return PlatformError(403, f"The local platform may not touch {problem.filename}: {problem.strerror}.")
    reference = secrets.token_hex(4)
    _log.error("internal error %s", reference, exc_info=problem)
    return PlatformError(500, f"Internal error {reference} of the local platform; its log has the details.")
