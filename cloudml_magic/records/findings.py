"""What was looked at before a job is sent, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `fix` is empty when all is well, and nothing goes without what is fatal."""

    subject: str
    state: str
    fix: str = ""
    is_fatal: bool = False

    @property
    def mark(self) -> str:
        """`✓`, `!` or `✗`."""
        return "✗" if self.is_fatal else "!" if self.fix else "✓"


def finding_lines(findings: list[Finding], width: int = 0) -> list[str]:
    """Findings as lines whose columns stand beneath each other."""
    width = max(width, *(len(finding.subject) for finding in findings))
    lines = []
    for finding in findings:
        lines.append(f"{finding.mark} {finding.subject:<{width}}  {finding.state}")
        lines += [f"  {'':<{width}}  → {line}" for line in finding.fix.splitlines()]
    return lines
