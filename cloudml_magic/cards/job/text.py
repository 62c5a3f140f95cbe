"""The card as plain text: for terminals, for nbconvert, and for whoever reads a notebook in an editor."""

from __future__ import annotations

from cloudml_magic.cards.job.curves import sparkline
from cloudml_magic.cards.job.view import JobView, about, figure
from cloudml_magic.wording import duration

_LOG_LINES = 4


def text(view: JobView) -> str:
    """The whole card, in lines that are aligned."""
    lines = [headline(view)]
    if view.failure:
        lines += _failure(view)
    lines += [f"  warning: {warning}" for warning in view.warnings[:3]]
    if view.epochs:
        lines.append("  " + epoch_words(view))
    if view.rows:
        lines.append("  " + view.rows + (f" · {about(view.left)}" if view.left is not None else ""))
    width = max((len(curve.name) for curve in view.curves), default=0)
    for curve in view.curves[:6]:
        values = [figure(curve.name, curve.values[-1])]
        if curve.validation:
            values.append(f"val {figure(curve.name, curve.validation[-1])}")
        lines.append(f"  {curve.name:<{width}}  {sparkline(curve.values)}  {'  '.join(values)}")
    lines += [f"  | {line}" for _, _, line in view.log[-_LOG_LINES:]]
    return "\n".join(lines)


def headline(view: JobView) -> str:
    """Name, state, where and how long, in one line."""
    elapsed = duration(view.elapsed) if view.elapsed is not None else ""
    parts = (view.name, view.state.value, view.where, view.note, elapsed, view.cost_words)
    return " · ".join(part for part in parts if part)


def epoch_words(view: JobView) -> str:
    """Where the training stands, in one line."""
    words = f"epoch {view.epoch} of {view.epochs}"
    if view.step and view.steps and not view.state.is_final:
        words += f" · step {view.step} of {view.steps}"
    return words + (f" · {about(view.left)}" if view.left is not None else "")


def _failure(view: JobView) -> list[str]:
    failure = view.failure
    assert failure is not None
    lines = [f"  {line}" for line in failure.message.splitlines()]
    if failure.cell and failure.line:
        lines.append(f"  {failure.cell}, line {failure.line}: {(failure.source_line or '').strip()}".rstrip(": "))
    if failure.next:
        lines.append(f"  Next: {failure.next}")
    return lines
