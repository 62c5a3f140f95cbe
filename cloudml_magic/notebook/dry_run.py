"""What `--dry-run` shows: each name that would travel, what was left out, the module, and the exact request."""

from __future__ import annotations

import json
from html import escape

from cloudml_magic.pipeline.budget import cost_words
from cloudml_magic.pipeline.prepare import Preparation
from cloudml_magic.records import CapturedSource, Cell, Target
from cloudml_magic.wording import clean


def show_dry_run(preparation: Preparation) -> None:
    """Displays it as HTML and as text."""
    from IPython.display import display

    sections = _sections(preparation)
    display({"text/plain": _text(sections), "text/html": _html(sections)}, raw=True)


def _sections(preparation: Preparation) -> list[tuple[str, str]]:
    """Titles and texts, in the order in which they are read."""
    source, spec = preparation.source, preparation.spec
    call = preparation.readable_call
    request = {"method": call.method, "parameters": call.parameters, "body": call.body}
    size = sum(upload.size for upload in preparation.uploads)
    machine = spec.machine
    where = f"{preparation.place.target.value}, {machine.machine_type or 'default machine'}"
    if machine.accelerator:
        where += f", {machine.accelerator.count} × {machine.accelerator.kind}"
    sections = [
        ("Nothing was sent", f"{spec.name} would go to {where} with {size:,} bytes: {preparation.package.file_name}"),
        ("What travels", "\n".join(_travelling(source)) or "only this cell"),
        (
            "What was left out",
            "\n".join(f"{_where(item.cell, item.line)}{item.what}: {item.why}" for item in source.left_out),
        ),
        ("Cost", _cost(preparation)),
        ("Warnings", "\n".join(preparation.warnings)),
        ("Export", "\n".join(preparation.export.notes)),
        ("Requirements", "\n".join(source.requirements) or "none that the runtime does not hold"),
        ("Module", preparation.module),
        ("Request", json.dumps(request, indent=2, ensure_ascii=False)),
    ]
    return [(title, clean(text)) for title, text in sections if text]


def _cost(preparation: Preparation) -> str:
    """Nothing is said where nothing costs anything: on this machine."""
    if preparation.place.target is Target.LOCAL:
        return ""
    return cost_words(preparation.terms.price, preparation.spec.timeout_seconds)


def _travelling(source: CapturedSource) -> list[str]:
    rows: dict[str, str] = {}
    for statement in source.statements:
        last = statement.first_line + statement.text.count("\n")
        lines = (
            f"line {statement.first_line}" if last == statement.first_line else f"lines {statement.first_line}–{last}"
        )
        for name in statement.binds:
            rows[name] = f"code    {statement.cell.label}, {lines}"
    rows |= {value.name: f"value   {value.literal[:80]}" for value in source.values}
    rows |= {item.name: f"data    {item.kind} {item.summary}" for item in source.shipped}
    rows |= {item.path: f"source  {len(item.content):,} bytes" for item in source.files}
    rows |= {item.path: f"data    {item.address}" for item in source.data}
    width = max((len(name) for name in rows), default=0)
    return [f"{name:<{width}}  {what}" for name, what in rows.items()]


def _where(cell: Cell | None, line: int | None) -> str:
    if cell is None:
        return ""
    return f"{cell.label}, line {line}: " if line else f"{cell.label}: "


def _text(sections: list[tuple[str, str]]) -> str:
    return "\n\n".join(f"{title}\n" + "\n".join(f"  {line}" for line in text.splitlines()) for title, text in sections)


def _html(sections: list[tuple[str, str]]) -> str:
    (title, summary), *rest = sections
    parts = [f'<div style="padding:9px 14px"><b>{escape(title)}.</b> {escape(summary)}</div>']
    for index, (title, text) in enumerate(rest):
        opened = " open" if index == 0 or title in ("Cost", "Warnings") else ""
        parts.append(
            f'<details{opened} style="border-top:1px solid var(--jp-border-color2,#8883);padding:6px 14px">'
            f'<summary style="cursor:pointer">{escape(title)}</summary>'
            "<div style=\"font:12px/1.6 ui-monospace,Menlo,'DejaVu Sans Mono',monospace;white-space:pre-wrap;"
            f'overflow-wrap:anywhere;max-height:420px;overflow:auto">{escape(text)}</div></details>'
        )
    style = "border:1px solid var(--jp-border-color2,#8883);border-radius:6px;max-width:960px;font:13px/1.5 system-ui"
    return f'<div style="{style}">{"".join(parts)}</div>'
