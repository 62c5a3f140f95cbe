"""Words that every front end says in the same way: cleaned text, durations, money, the list of jobs."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Sequence

from cloudml_magic.records import JobSnapshot, Price, Target

_ANSI = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[@-Z\\-_])")
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}
JOB_HEADINGS = ("name", "state", "where", "sent", "took", "id")


def clean(text: str) -> str:
    """Text without colour codes, control characters and marks that change its direction."""
    plain = _ANSI.sub("", text).replace("\t", "    ")
    return "".join(character for character in plain if character == "\n" or _is_shown(character))


def place_words(target: Target, elsewhere: str) -> str:
    """`this machine`, or what the other place is called."""
    return "this machine" if target is Target.LOCAL else elsewhere


def duration(seconds: float) -> str:
    """`9 s`, `6 min 12 s`, `2 h 5 min`."""
    whole = int(max(0.0, seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def bytes_words(size: float) -> str:
    """`980 B`, `19.5 KB`, `4.1 GB`."""
    for unit in ("B", "KB", "MB", "GB"):
        if abs(size) < 1000:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def money(amount: float, currency: str) -> str:
    """`$1.80`, `CHF 1.80`."""
    sign = _SIGNS.get(currency)
    return f"{sign}{amount:,.2f}" if sign else f"{currency} {amount:,.2f}"


def price_words(price: Price) -> str:
    """`about $0.54 an hour (table of 2026-07-30)`."""
    return (
        f"{'at most' if price.is_limit else 'about'} {money(price.per_hour, price.currency)} an hour ({price.source})"
    )


def job_rows(jobs: Sequence[JobSnapshot], now: float) -> list[tuple[str, ...]]:
    """What a list of jobs says of each."""
    return [
        (
            clean(job.name),
            job.state.value,
            place_words(job.target, job.machine),
            time.strftime("%d %b %H:%M", time.localtime(job.created)),
            duration((job.ended or now) - job.started) if job.started else "",
            job.id,
        )
        for job in jobs
    ]


def job_table(jobs: Sequence[JobSnapshot], now: float) -> str:
    """The list of jobs as aligned text."""
    rows = job_rows(jobs, now)
    return aligned([JOB_HEADINGS, *rows]) if rows else "No jobs yet."


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows of equal length as lines whose columns stand beneath each other."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def _is_shown(character: str) -> bool:
    category = unicodedata.category(character)
    return category not in ("Cc", "Cs", "Zl", "Zp") and (category != "Cf" or character == "\u200d")
