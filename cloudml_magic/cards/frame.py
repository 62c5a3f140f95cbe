"""What cards without scripts share: the theme's colours, the frame with its title, pictures as data."""

from __future__ import annotations

import base64
from html import escape

LINE = "var(--jp-border-color2,#8883)"
MUTED = "var(--jp-ui-font-color2,#69707a)"
SOFT = "var(--jp-layout-color2,#8881)"
ACCENT = "var(--jp-brand-color1,#1a73e8)"


def framed(kind: str, title: str, headline: str, body: str) -> str:
    """A card: its title at the left, what is said of the whole at the right, and its body."""
    return (
        f'<div role="group" aria-label="{kind} of {escape(title)}" style="border:1px solid {LINE};'
        "border-radius:6px;max-width:960px;overflow-x:auto;font:13px/1.5 system-ui,'Segoe UI',sans-serif;"
        'font-variant-numeric:tabular-nums;margin:2px 0">'
        '<div style="display:flex;justify-content:space-between;gap:12px;align-items:baseline;padding:9px 14px 7px">'
        f'<span style="font-weight:600;font-size:14px">{escape(title)}</span>'
        f'<span style="color:{MUTED};white-space:nowrap">{escape(headline)}</span></div>{body}</div>'
    )


def thumbnail_box(thumbnail: bytes | None, name: str) -> str:
    """A square with the picture in its middle; empty where there is none."""
    frame = "width:96px;height:96px;flex:none;border-radius:4px;display:flex;align-items:center;justify-content:center"
    if thumbnail is None:
        return f'<div style="{frame};background:{SOFT}"></div>'
    kind = "png" if thumbnail.startswith(b"\x89PNG") else "jpeg"
    address = f"data:image/{kind};base64,{base64.b64encode(thumbnail).decode()}"
    return (
        f'<div style="{frame};background:{SOFT}"><img src="{address}" alt="{escape(name)}" '
        'style="max-width:96px;max-height:96px;margin:0;border-radius:4px"></div>'
    )


def muted_lines(lines: tuple[str, ...]) -> str:
    """Words that stand back, one beneath the other."""
    return "".join(f'<div style="color:{MUTED};padding:0 14px 4px">{escape(line)}</div>' for line in lines)
