"""The card as HTML without scripts or style sheets, so that it is the same in Lab, VS Code, Colab and on GitHub."""

from __future__ import annotations

import time
from html import escape

from cloudml_magic.cards.job.curves import TRAIN, VALIDATION, picture
from cloudml_magic.cards.job.view import Curve, JobView, about, figure
from cloudml_magic.states import JobState
from cloudml_magic.wording import duration

_LINE = "var(--jp-border-color2,#8883)"
_SOFT = "#80808018"
_MUTED = "var(--jp-ui-font-color2,#76808a)"
_ACCENT = "var(--jp-brand-color1,#1a6fd4)"
_BAD = "var(--jp-error-color1,#c4372f)"
_COLOURS = {
    JobState.QUEUED: "var(--jp-ui-font-color3,#8a94a0)",
    JobState.PREPARING: _ACCENT,
    JobState.RUNNING: _ACCENT,
    JobState.SUCCEEDED: "var(--jp-success-color1,#2a8f4c)",
    JobState.FAILED: _BAD,
    JobState.CANCELLING: "var(--jp-warn-color1,#c77700)",
    JobState.CANCELLED: "var(--jp-ui-font-color3,#8a94a0)",
}
_MONO = "font:12px/1.6 ui-monospace,Menlo,'DejaVu Sans Mono',monospace"
_CHARTS = 3
_LOG_LINES = 4


def html(view: JobView) -> str:
    """The whole card."""
    parts = [
        _header(view),
        _bar(view),
        _under(view),
        _cause(view),
        _warnings(view),
        _charts(view),
        _source(view),
        _log(view),
    ]
    style = (
        f"border:1px solid {_LINE};border-radius:6px;max-width:960px;overflow:hidden;"
        "font:13px/1.5 system-ui,'Segoe UI',sans-serif;font-variant-numeric:tabular-nums;margin:2px 0"
    )
    return f'<div role="group" aria-label="Job {escape(view.name)}" style="{style}">{"".join(parts)}</div>'


def _header(view: JobView) -> str:
    colour = _COLOURS[view.state]
    dot = f'<span style="color:{colour};font-size:10px">●</span>'
    state = f'<span style="color:{colour};font-weight:600">{view.word}</span>'
    middle = " · ".join(part for part in (view.where, view.note) if part)
    left = (
        f"<span>{dot} {state}</span>"
        f'<span style="font-weight:600;font-size:14px">{escape(view.name)}</span>'
        f'<span style="color:{_MUTED}">{escape(middle)}</span>'
    )
    word = {JobState.FAILED: "after ", JobState.SUCCEEDED: "in ", JobState.CANCELLED: "after "}.get(view.state, "")
    elapsed = f"{word}{duration(view.elapsed)}" if view.elapsed is not None else ""
    right = " · ".join(filter(None, (elapsed, view.cost_words)))
    return (
        '<div style="display:flex;justify-content:space-between;align-items:baseline;gap:12px;padding:9px 14px 7px">'
        f'<div style="display:flex;gap:10px;align-items:baseline;flex-wrap:wrap">{left}</div>'
        f'<div style="color:{_MUTED};white-space:nowrap">{right}</div></div>'
    )


def _bar(view: JobView) -> str:
    fraction = 1.0 if view.state is JobState.SUCCEEDED else view.fraction or 0.0
    return (
        f'<div style="height:3px;background:{_SOFT};margin:0 14px">'
        f'<div style="height:3px;width:{100 * fraction:.1f}%;background:{_COLOURS[view.state]}"></div></div>'
    )


def _under(view: JobView) -> str:
    words = escape(view.rows)
    if view.epochs:
        words = f'<span style="font-weight:600">Epoch {view.epoch}</span> of {view.epochs}'
        if view.step and view.steps and not view.state.is_final:
            words += f" · step {view.step} of {view.steps}"
    right = about(view.left) if view.left is not None else ""
    # The row keeps its place while the job goes on, so that nothing jumps when the first epoch comes.
    height = 0 if view.state.is_final and not words else 20
    return (
        f'<div style="display:flex;justify-content:space-between;padding:5px 14px 3px;min-height:{height}px">'
        f'<span>{words}</span><span style="color:{_MUTED}">{right}</span></div>'
    )


def _cause(view: JobView) -> str:
    if view.failure is None:
        return ""
    following = f" {escape(view.failure.next)}" if view.failure.next else ""
    return (
        '<div style="padding:0 14px 8px;white-space:pre-wrap">'
        f'<span style="font-weight:600">{escape(view.failure.message)}</span>{following}</div>'
    )


def _source(view: JobView) -> str:
    failure = view.failure
    if failure is None or not failure.cell or not failure.line:
        return ""
    line = (
        f'<span style="color:{_BAD};padding-right:10px">{failure.line}</span>'
        f'<span style="background:{_SOFT};box-shadow:inset 0 0 0 99px color-mix(in srgb,{_BAD} 14%,transparent)">'
        f"{escape(failure.source_line or '')}</span>"
    )
    style = f"{_MONO};background:{_SOFT};border-top:1px solid {_LINE};padding:8px 14px 9px;white-space:pre-wrap"
    return (
        f'<div style="{style}">'
        f'<span style="color:{_MUTED}">{escape(failure.cell)}, line {failure.line}</span>\n{line}</div>'
    )


def _warnings(view: JobView) -> str:
    return "".join(
        f'<div style="padding:0 14px 4px;color:var(--jp-warn-color0,#a86400)">{escape(warning)}</div>'
        for warning in view.warnings[:3]
    )


def _charts(view: JobView) -> str:
    if not view.curves:
        # Once a fit has begun, the place is kept, so that nothing jumps when its first epoch has ended.
        return '<div style="min-height:127px"></div>' if view.epochs and not view.state.is_final else ""
    # While it trains, the width is the whole training; afterwards it is what was trained.
    epochs = None if view.state.is_final else view.epochs
    figures = "".join(_chart(curve, epochs) for curve in view.curves[:_CHARTS])
    more = " · ".join(f"{curve.name} {figure(curve.name, curve.values[-1])}" for curve in view.curves[_CHARTS:])
    twins = any(curve.validation for curve in view.curves)
    legend = (
        f'<div style="color:{_MUTED};align-self:end;padding-bottom:6px">'
        f'<div><span style="color:{TRAIN}">━━</span> train</div>'
        f'<div><span style="color:{VALIDATION}">╍╍</span> validation</div></div>'
    )
    rest = f'<div style="color:{_MUTED};padding:0 14px 6px">{escape(more)}</div>' if more else ""
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:20px;padding:5px 14px 6px;min-height:116px">'
        f"{figures}{legend if twins else ''}</div>{rest}"
    )


def _chart(curve: Curve, epochs: int | None) -> str:
    value = figure(curve.name, curve.values[-1])
    twin = figure(curve.name, curve.validation[-1]) if curve.validation else ""
    label = f"{curve.name} {value}" + (f", validation {twin}" if twin else "")
    return (
        '<div style="width:258px"><div style="display:flex;gap:10px;padding:0 4px">'
        f'<span style="flex:1;color:{_MUTED};overflow:hidden;text-overflow:ellipsis">{escape(curve.name)}</span>'
        f'<span>{value}</span><span style="color:{VALIDATION}">{twin}</span></div>'
        f'<img src="{picture(curve, epochs)}" alt="{escape(label)}" width="258" height="92" '
        'style="display:block;margin:0;max-width:none"></div>'
    )


def _log(view: JobView) -> str:
    if not view.log:
        return ""
    lines = "\n".join(
        f'<span style="opacity:.65">{time.strftime("%H:%M:%S", time.localtime(moment))}</span> {escape(text)}'
        for moment, _, text in view.log[-_LOG_LINES:]
    )
    return (
        f'<div style="{_MONO};color:{_MUTED};background:{_SOFT};border-top:1px solid {_LINE};padding:7px 14px 9px;'
        f'white-space:pre-wrap;overflow-wrap:anywhere">{lines}</div>'
    )
