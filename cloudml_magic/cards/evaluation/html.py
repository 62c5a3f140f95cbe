"""The evaluation as HTML without scripts: figures, each class's scores, the matrix shaded, the worst examples."""

from __future__ import annotations

from html import escape

from cloudml_magic.cards.evaluation.view import ClassView, EvaluationView, WorstView
from cloudml_magic.cards.frame import ACCENT, LINE, MUTED, SOFT, framed, muted_lines, thumbnail_box

_BAR_PIXELS = 72
_NUMBER = "text-align:right;padding:2px 0 2px 16px"


def html(view: EvaluationView) -> str:
    """The whole card."""
    tables = ""
    if view.classes:
        beside = "display:flex;flex-wrap:wrap;align-items:flex-start;gap:10px 40px;padding:6px 14px 10px"
        tables = f'<div style="{beside}">{_scores(view)}{_matrix(view)}</div>'
    content = f"{_figures(view)}{muted_lines(view.notes)}{tables}{_worst(view)}"
    return framed("Evaluation", view.title, view.headline, content)


def _figures(view: EvaluationView) -> str:
    figures = "".join(
        f'<div><div style="font-size:22px;line-height:1.2;font-weight:600">{escape(value)}</div>'
        f'<div style="color:{MUTED}">{escape(name)}</div></div>'
        for name, value in view.figures
    )
    return f'<div style="display:flex;flex-wrap:wrap;gap:8px 40px;padding:4px 14px 8px">{figures}</div>'


def _scores(view: EvaluationView) -> str:
    precision, recall, f_score, examples = (
        f'<th style="{_NUMBER};color:{MUTED};font-weight:400">{name}</th>'
        for name in ("precision", "recall", "F-score", "examples")
    )
    heads = f"<td></td>{precision}{recall}{f_score}<td></td>{examples}"
    rows = "".join(map(_class_row, view.classes))
    return f'<table style="border-collapse:collapse;margin:0"><tr>{heads}</tr>{rows}</table>'


def _class_row(one: ClassView) -> str:
    bar = (
        f'<div style="width:{_BAR_PIXELS}px;height:4px;background:{SOFT};border-radius:2px">'
        f'<div style="width:{100 * one.f_share:.1f}%;height:4px;background:{ACCENT};border-radius:2px"></div></div>'
    )
    figures = "".join(f'<td style="{_NUMBER}">{figure}</td>' for figure in (one.precision, one.recall, one.f_score))
    return (
        f'<tr><td style="text-align:left;padding:2px 0">{escape(one.label)}</td>{figures}'
        f'<td style="padding:2px 0 2px 8px">{bar}</td><td style="{_NUMBER};color:{MUTED}">{one.support:,}</td></tr>'
    )


def _matrix(view: EvaluationView) -> str:
    """Rows are true classes; a cell is as strong as its share of its row, so that rare classes are seen as well."""
    labels = [escape(one.label) for one in view.classes]
    turned = "writing-mode:vertical-rl;transform:rotate(180deg);max-height:110px;overflow:hidden;text-overflow:ellipsis"
    heads = "".join(
        f'<th style="padding:2px 6px;font-weight:400;color:{MUTED};text-align:left;vertical-align:bottom">'
        f'<div style="{turned};margin:0 auto">{label}</div></th>'
        for label in labels
    )
    rows = "".join(
        f'<tr><th style="padding:2px 8px 2px 0;font-weight:400;text-align:right">{label}</th>'
        f"{''.join(_cell(count, sum(row), labels[place], label) for place, count in enumerate(row))}</tr>"
        for label, row in zip(labels, view.matrix, strict=True)
    )
    more = f" · {view.left_out:,} classes that are mistaken less often are not shown" if view.left_out else ""
    return (
        '<table style="border-collapse:separate;border-spacing:2px;margin:0">'
        f'<caption style="color:{MUTED};text-align:left;caption-side:top;padding:2px 0">true class in rows,'
        f" answers in columns{more}</caption><tr><td></td>{heads}</tr>{rows}</table>"
    )


def _cell(count: int, whole: int, answer: str, truth: str) -> str:
    share = count / whole if whole else 0.0
    # Text and shade are both the theme's, and the shade stays pale enough for the text in either of its two themes.
    shade = f"color-mix(in srgb,{ACCENT} {55 * share:.0f}%,transparent)" if count else "transparent"
    colour = "inherit" if count else MUTED
    return (
        f'<td title="{truth} taken for {answer}: {count:,}" style="text-align:center;min-width:26px;padding:2px 4px;'
        f'border-radius:3px;background:{shade};color:{colour}">{f"{count:,}" if count else "·"}</td>'
    )


def _worst(view: EvaluationView) -> str:
    if not view.worst:
        return ""
    has_pictures = any(one.thumbnail for one in view.worst)
    examples = (
        f'<div style="display:flex;flex-wrap:wrap;gap:12px 20px">{"".join(map(_tile, view.worst))}</div>'
        if has_pictures
        else _worst_table(view)
    )
    return (
        f'<div style="border-top:1px solid {LINE};padding:7px 14px 11px">'
        f'<div style="color:{MUTED};padding-bottom:4px">the worst</div>{examples}</div>'
    )


def _tile(one: WorstView) -> str:
    answer = escape(one.answer).replace(" %", "&nbsp;%")
    return (
        f'<div style="width:132px;overflow-wrap:anywhere" title="{escape(one.title)}">'
        f"{thumbnail_box(one.thumbnail, one.title)}"
        f'<div style="font-weight:600">{escape(one.truth)}</div>'
        f'<div style="color:{MUTED}">taken for {answer}</div></div>'
    )


def _worst_table(view: EvaluationView) -> str:
    names = [name for name, _ in view.worst[0].inputs]
    cell = "text-align:left;padding:2px 16px 2px 0"
    heads = "".join(
        f'<th style="{cell};color:{MUTED};font-weight:400">{escape(name)}</th>'
        for name in ("", "true", "answered", *names)
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f'<td style="{cell}">{escape(value)}</td>'
            for value in (one.title, one.truth, one.answer, *(value for _, value in one.inputs))
        )
        + "</tr>"
        for one in view.worst
    )
    return f'<table style="border-collapse:collapse;margin:0"><tr>{heads}</tr>{rows}</table>'
