"""What the platform answers when it refuses or fails, in Google's error shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_STATUS = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "INVALID_ARGUMENT",
    408: "DEADLINE_EXCEEDED",
    409: "ALREADY_EXISTS",
    411: "INVALID_ARGUMENT",
    412: "FAILED_PRECONDITION",
    413: "INVALID_ARGUMENT",
    415: "INVALID_ARGUMENT",
    416: "OUT_OF_RANGE",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    507: "RESOURCE_EXHAUSTED",
}
_REASON = {
    400: "invalid",
    403: "forbidden",
    404: "notFound",
    409: "conflict",
    411: "required",
    412: "conditionNotMet",
    416: "requestedRangeNotSatisfiable",
    429: "rateLimitExceeded",
    500: "internalError",
    501: "notImplemented",
    503: "backendError",
}


class PlatformError(Exception):
    """A refusal or failure that a client is told in full."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        status: str | None = None,
        reason: str | None = None,
        violations: Sequence[tuple[str, str]] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status or _STATUS.get(code, "UNKNOWN")
        self.reason = reason or _REASON.get(code, "backendError")
        self.violations = tuple(violations)
        self.retry_after = retry_after

    def body(self) -> dict[str, Any]:
        """The error as Google's APIs write it."""
        error: dict[str, Any] = {"code": self.code, "message": self.message, "status": self.status}
        if self.violations:
            error["details"] = [
                {
                    "@type": "type.googleapis.com/google.rpc.BadRequest",
                    "fieldViolations": [
                        {"field": field, "description": description} for field, description in self.violations
                    ],
                }
            ]
        return {"error": error}

    def storage_body(self) -> dict[str, Any]:
        """The error as Cloud Storage writes it."""
        detail = {"message": self.message, "domain": "global", "reason": self.reason}
        return {"error": {"code": self.code, "message": self.message, "errors": [detail]}}


def refused(code: int, field: str, description: str, *, status: str | None = None) -> PlatformError:
    """A refusal for one field, as the older API (`ml` v1) words it."""
    message = f"Field: {field} Error: {description}"
    return PlatformError(code, message, status=status, violations=[(field, description)])
