"""What of many could not be done, told at the end in one message."""

from __future__ import annotations

from cloudml_magic.errors import CloudMLError

# These concern one file or object, and the others go on; whatever else goes wrong would go wrong for all.
_OF_ONE = frozenset(
    {
        "bad-file-name",
        "bad-object-name",
        "file-changed",
        "file-unreadable",
        "file-unwritable",
        "no-such-object",
        "object-changed",
        "object-differs",
        "same-target",
    }
)
_MOST_TOLD = 5


class Failures:
    """Collects what concerns one of many."""

    def __init__(self) -> None:
        self._count = 0
        self._first: list[CloudMLError] = []

    def add(self, problem: CloudMLError) -> None:
        """Takes a failure in, or raises it where it would happen to all."""
        if problem.reference not in _OF_ONE:
            raise problem
        self._count += 1
        if len(self._first) < _MOST_TOLD:
            self._first.append(problem)

    def raise_if_any(self, done: str, total: int) -> None:
        if not self._count:
            return
        if total == 1:
            raise self._first[0]
        told = [f"{problem.what} {problem.why}".strip() for problem in self._first]
        if self._count > len(told):
            told.append(f"and {self._count - len(told):,} more")
        raise CloudMLError(
            "partly-done",
            f"{self._count:,} of {total:,} could not be {done}; the others are.",
            why="\n".join(told),
            next="Mend these and run the line again: what is there already is not sent again.",
        )
