"""The prediction as HTML without scripts: tiles for pictures, a table for everything else."""

from __future__ import annotations

import base64
from html import escape

from cloudml_magic.cards.prediction.view import InstanceView, OutputView, PredictionView, percent

_LINE = "var(--jp-border-color2,#8883)"
_MUTED = "var(--jp-ui-font-color2,#69707a)"
_SOFT = "var(--jp-layout-color2,#8881)"
_ACCENT = "var(--jp-brand-color1,#1a73e8)"
_QUIET = "color-mix(in srgb,var(--jp-ui-font-color2,#69707a) 45%,transparent)"
_CELL = "text-align:left;vertical-align:top;padding:4px 18px 4px 0"


def html(view: PredictionView) -> str:
    """The whole card."""
    body = _tiles(view) if view.has_pictures else _table(view)
    notes = "".join(f'<div style="color:{_MUTED};padding:0 14px 4px">{escape(note)}</div>' for note in view.notes)
    more = f'<div style="color:{_MUTED};padding:0 14px 9px">and {view.left_out:,} more</div>' if view.left_out else ""
    return (
        f'<div role="group" aria-label="Prediction of {escape(view.title)}" style="border:1px solid {_LINE};'
        "border-radius:6px;max-width:960px;overflow-x:auto;font:13px/1.5 system-ui,'Segoe UI',sans-serif;"
        'font-variant-numeric:tabular-nums;margin:2px 0">'
        '<div style="display:flex;justify-content:space-between;gap:12px;align-items:baseline;padding:9px 14px 7px">'
        f'<span style="font-weight:600;font-size:14px">{escape(view.title)}</span>'
        f'<span style="color:{_MUTED};white-space:nowrap">{escape(view.headline)}</span></div>{notes}{body}{more}</div>'
    )


def _tiles(view: PredictionView) -> str:
    tiles = "".join(_tile(instance, view) for instance in view.shown)
    return f'<div style="display:flex;flex-wrap:wrap;gap:14px 28px;padding:4px 14px 12px">{tiles}</div>'


def _tile(instance: InstanceView, view: PredictionView) -> str:
    name = (
        f'<div style="overflow-wrap:anywhere;padding-bottom:2px">{escape(instance.name)}</div>' if instance.name else ""
    )
    outputs = "".join(_output(output, view) for output in instance.outputs)
    return (
        f'<div style="display:flex;gap:12px;width:290px">{_picture(instance)}'
        f'<div style="flex:1;min-width:0">{name}{outputs}</div></div>'
    )


def _picture(instance: InstanceView) -> str:
    frame = "width:96px;height:96px;flex:none;border-radius:4px;display:flex;align-items:center;justify-content:center"
    if instance.thumbnail is None:
        return f'<div style="{frame};background:{_SOFT}"></div>'
    kind = "png" if instance.thumbnail.startswith(b"\x89PNG") else "jpeg"
    address = f"data:image/{kind};base64,{base64.b64encode(instance.thumbnail).decode()}"
    return (
        f'<div style="{frame};background:{_SOFT}"><img src="{address}" alt="{escape(instance.name)}" '
        'style="max-width:96px;max-height:96px;margin:0;border-radius:4px"></div>'
    )


def _output(output: OutputView, view: PredictionView) -> str:
    name = f'<div style="color:{_MUTED}">{escape(output.name)}</div>' if len(view.output_names) > 1 else ""
    if not output.bars:
        return f'{name}<div style="overflow-wrap:anywhere">{escape(output.words)}</div>'
    return name + "".join(_bar(label, share, index == 0) for index, (label, share) in enumerate(output.bars))


def _bar(label: str, share: float, is_best: bool) -> str:
    width = max(0.0, min(1.0, share)) * 100 if share == share else 0.0
    weight = "600" if is_best else "400"
    return (
        '<div style="padding-bottom:2px">'
        f'<div style="display:flex;justify-content:space-between;gap:8px;font-weight:{weight}">'
        f'<span style="overflow:hidden;text-overflow:ellipsis;white-space:nowrap">{escape(label)}</span>'
        f'<span style="white-space:nowrap">{escape(percent(share))}</span></div>'
        f'<div style="height:3px;background:{_SOFT};border-radius:2px">'
        f'<div style="height:3px;width:{width:.1f}%;background:{_ACCENT if is_best else _QUIET};border-radius:2px">'
        "</div></div></div>"
    )


def _table(view: PredictionView) -> str:
    if not view.instances:
        return ""
    head = "".join(
        f'<th style="{_cell_style(view, name)};color:{_MUTED};font-weight:400">{escape(name)}</th>'
        for name in ("", *view.input_names, *view.output_headings)
    )
    rows = "".join(_row(index, instance, view) for index, instance in enumerate(view.shown))
    return f'<table style="border-collapse:collapse;margin:0 14px 9px"><tr>{head}</tr>{rows}</table>'


def _row(index: int, instance: InstanceView, view: PredictionView) -> str:
    cells = [f'<td style="{_CELL};color:{_MUTED}">{index}</td>']
    cells += [
        f'<td style="{_cell_style(view, name)}">{escape(instance.inputs.get(name, ""))}</td>'
        for name in view.input_names
    ]
    cells += [f'<td style="{_CELL};min-width:120px">{_cell(instance.output(name))}</td>' for name in view.output_names]
    return "<tr>" + "".join(cells) + "</tr>"


def _cell_style(view: PredictionView, name: str) -> str:
    return f"{_CELL};text-align:right" if name in view.input_names and view.is_numeric(name) else _CELL


def _cell(output: OutputView | None) -> str:
    if output is None:
        return ""
    if not output.bars:
        return f'<span style="font-weight:600">{escape(output.words)}</span>'
    return "".join(_bar(label, share, index == 0) for index, (label, share) in enumerate(output.bars[:3]))
