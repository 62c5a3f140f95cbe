"""The one error that users see: what happened, why, and what to do next.

It sits beneath everything, so it imports nothing of the package.
"""

from __future__ import annotations


class CloudMLError(Exception):
    """Says what happened, why, and what to do next; IPython shows it without a traceback.

    `reference` is a short kebab-case name by which docs and tests know the error.
    """

    def __init__(self, reference: str, what: str, *, why: str = "", next: str = "") -> None:
        self.reference = reference
        self.what = what
        self.why = why
        self.next = next
        super().__init__(self.rendered())

    def rendered(self) -> str:
        """The whole text, the same in a notebook, a terminal and a log."""
        lines = [self.what]
        if self.why:
            lines += _labelled("Why", self.why)
        if self.next:
            lines += _labelled("Next", self.next)
        lines.append(f"[{self.reference}]")
        return "\n".join(lines)

    def _render_traceback_(self) -> list[str]:
        """What IPython calls instead of printing a traceback."""
        return self.rendered().splitlines()

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (self.reference, self.what, self.why, self.next))


def _labelled(label: str, text: str) -> list[str]:
    first, *rest = text.splitlines()
    return [f"  {label + ':':<6}{first}", *(f"        {line}" for line in rest)]


def _rebuild(reference: str, what: str, why: str, next: str) -> CloudMLError:
    return CloudMLError(reference, what, why=why, next=next)
