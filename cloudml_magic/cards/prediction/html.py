"""The prediction as HTML without scripts: tiles for pictures, a table for everything else."""

from __future__ import annotations

from html import escape

from cloudml_magic.cards.frame import ACCENT, MUTED, SOFT, framed, muted_lines, thumbnail_box
from cloudml_magic.cards.prediction.view import InstanceView, OutputView, PredictionView, percent

_QUIET = "color-mix(in srgb,var(--jp-ui-font-color2,#69707a) 45%,transparent)"
_CELL = "text-align:left;vertical-align:top;padding:4px 18px 4px 0"


def html(view: PredictionView) -> str:
    """The whole card."""
    body = _tiles(view) if view.has_pictures else _table(view)
    more = f'<div style="color:{MUTED};padding:0 14px 9px">and {view.left_out:,} more</div>' if view.left_out else ""
    return framed("Prediction", view.title, view.headline, f"{muted_lines(view.notes)}{body}{more}")


def _tiles(view: PredictionView) -> str:
    tiles = "".join(_tile(instance, view) for instance in view.shown)
    return f'<div style="display:flex;flex-wrap:wrap;gap:14px 28px;padding:4px 14px 12px">{tiles}</div>'


def _tile(instance: InstanceView, view: PredictionView) -> str:
    name = (
        f'<div style="overflow-wrap:anywhere;padding-bottom:2px">{escape(instance.name)}</div>' if instance.name else ""
    )
    outputs = "".join(_output(output, view) for output in instance.outputs)
    return (
        f'<div style="display:flex;gap:12px;width:290px">{thumbnail_box(instance.thumbnail, instance.name)}'
        f'<div style="flex:1;min-width:0">{name}{outputs}</div></div>'
    )


def _output(output: OutputView, view: PredictionView) -> str:
    name = f'<div style="color:{MUTED}">{escape(output.name)}</div>' if len(view.output_names) > 1 else ""
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
        f'<div style="height:3px;background:{SOFT};border-radius:2px">'
        f'<div style="height:3px;width:{width:.1f}%;background:{ACCENT if is_best else _QUIET};border-radius:2px">'
        "</div></div></div>"
    )


def _table(view: PredictionView) -> str:
    if not view.instances:
        return ""
    head = "".join(
        f'<th style="{_cell_style(view, name)};color:{MUTED};font-weight:400">{escape(name)}</th>'
        for name in ("", *view.input_names, *view.output_headings)
    )
    rows = "".join(_row(index, instance, view) for index, instance in enumerate(view.shown))
    return f'<table style="border-collapse:collapse;margin:0 14px 9px"><tr>{head}</tr>{rows}</table>'


def _row(index: int, instance: InstanceView, view: PredictionView) -> str:
    cells = [f'<td style="{_CELL};color:{MUTED}">{index}</td>']
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
