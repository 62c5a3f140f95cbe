"""The one error of the serving process: a status, sentences for whoever asked, and when to come back."""

from __future__ import annotations

from cloudml_magic.errors import CloudMLError


class RefusedError(Exception):
    """A request that gets no predictions."""

    def __init__(self, status: int, text: str, *, retry_seconds: int | None = None, closes: bool = False) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.retry_seconds = retry_seconds
        self.closes = closes

    @classmethod
    def of(cls, problem: CloudMLError) -> RefusedError:
        """What is wrong with the instances, as one paragraph."""
        return cls(400, " ".join(part for part in (problem.what, problem.why, problem.next) if part))
