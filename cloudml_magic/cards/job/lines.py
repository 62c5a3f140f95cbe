"""A job's events as single lines, for terminals: one per state change, one per epoch."""

from __future__ import annotations

from cloudml_magic.cards.job.text import headline
from cloudml_magic.cards.job.view import JobView, figure
from cloudml_magic.pipeline.progress import number
from cloudml_magic.records import JobEvent
from cloudml_magic.wording import clean


def line_of(event: JobEvent, view: JobView) -> str | None:
    """The line that an event is worth, if it is worth one."""
    if event.kind == "state":
        line = headline(view)
        if view.failure:
            where = f" ({view.failure.cell}, line {view.failure.line})" if view.failure.cell else ""
            line += f" · {view.failure.message}{where}"
        return line
    if event.kind == "epoch":
        return " · ".join([view.name, f"epoch {view.epoch} of {view.epochs}", *_metrics(event)])
    if event.kind == "rows" and view.rows:
        return f"{view.name} · {view.rows}"
    if event.kind == "warning":
        return f"{view.name} · warning: {clean(str(event.fields.get('message')))}"
    return None


def _metrics(event: JobEvent) -> list[str]:
    metrics = event.fields.get("metrics")
    if not isinstance(metrics, dict):
        return []
    read = {clean(str(name)): number(value) for name, value in metrics.items()}
    return [f"{name} {figure(name, value)}" for name, value in read.items() if value is not None]
