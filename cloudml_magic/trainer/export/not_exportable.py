"""Why a model cannot be exported, and what helps."""

from __future__ import annotations


class NotExportableError(Exception):
    """The sentence that says why, and the next step."""

    def __init__(self, why: str, next: str) -> None:
        super().__init__(f"{why} {next}")
        self.why = why
        self.next = next


def told(problem: BaseException) -> str:
    """An exception of Keras or TensorFlow in one line."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    return f"{type(problem).__name__}: {lines[0] if lines else ''}"[:300].rstrip(": ")
