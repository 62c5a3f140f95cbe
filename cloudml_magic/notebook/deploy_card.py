"""What `%ml_deploy` shows: the stage while it goes on, then where the version answers and how to ask it."""

from __future__ import annotations

import time
import uuid
from html import escape
from typing import Any

from cloudml_magic.pipeline.deployment import Deployment
from cloudml_magic.pipeline.deployment.lookup import answering_machine
from cloudml_magic.records import Target
from cloudml_magic.wording import clean, duration

_LINE = "var(--jp-border-color2,#8883)"
_MUTED = "var(--jp-ui-font-color2,#69707a)"
_GOOD = "var(--jp-success-color1,#2e8540)"
_BUSY = "var(--jp-brand-color1,#1a73e8)"
_BAD = "var(--jp-error-color1,#c5221f)"
_REDRAW_SECONDS = 0.2


class DeployCard:
    """One display that is replaced while a deployment goes on; in a terminal a line for each stage."""

    def __init__(self, shell: Any, what: str) -> None:
        self._is_rich = hasattr(shell, "kernel")
        self._what = clean(what)
        self._began = time.monotonic()
        self._display_id = uuid.uuid4().hex
        self._stage = ""
        self._drawn = float("-inf")

    def say(self, stage: str) -> None:
        """Shows the stage; asked more often than a person can read, it draws five times a second."""
        now = time.monotonic()
        if not self._stage:
            # Not from the beginning: the job was waited for before.
            self._began = now
        if not self._is_rich:
            if stage != self._stage:
                print(f"{self._what} · {stage}")
            self._stage = stage
        elif stage != self._stage or now - self._drawn >= _REDRAW_SECONDS:
            self._stage = stage
            self._show(_BUSY, "Deploying", self._what, [stage, duration(now - self._began)], [])

    def end(self, deployment: Deployment, target: Target) -> None:
        """Shows where the version answers."""
        details = [
            answering_machine(deployment.deployed, target),
            f"{deployment.deployed.traffic} % of the traffic",
            "was deployed already" if deployment.was_there else f"in {duration(deployment.seconds)}",
        ]
        ask = f"Ask it: %%ml_predict {deployment.version.name}"
        below = [clean(deployment.deployed.message), *map(clean, deployment.notes), ask]
        self._show(_GOOD, "Deployed", clean(deployment.version.title), details, [line for line in below if line])

    def fail(self) -> None:
        """Says that nothing was deployed, if it had begun; the error below says why."""
        if self._stage:
            self._show(_BAD, "Not deployed", self._what, [f"after {duration(time.monotonic() - self._began)}"], [])

    def _show(self, colour: str, word: str, name: str, details: list[str], below: list[str]) -> None:
        text = "\n".join([" · ".join([name, word.lower(), *details]), *(f"  {line}" for line in below)])
        if not self._is_rich:
            print(text)
            return
        from IPython.display import display, update_display

        content = {"text/plain": text, "text/html": _html(colour, word, name, details, below)}
        show = display if self._drawn == float("-inf") else update_display
        self._drawn = time.monotonic()
        show(content, raw=True, display_id=self._display_id)


def _html(colour: str, word: str, name: str, details: list[str], below: list[str]) -> str:
    lines = "".join(f'<div style="color:{_MUTED};padding-top:3px">{escape(line)}</div>' for line in below)
    return (
        f'<div role="group" aria-label="{escape(word)} {escape(name)}" style="border:1px solid {_LINE};'
        "border-radius:6px;max-width:960px;box-sizing:border-box;font:13px/1.5 system-ui,'Segoe UI',sans-serif;"
        'font-variant-numeric:tabular-nums;margin:2px 0;padding:9px 14px">'
        '<div style="display:flex;gap:10px;align-items:baseline;flex-wrap:wrap">'
        f'<span style="color:{colour};font-weight:600"><span style="font-size:10px">●</span> {escape(word)}</span>'
        f'<span style="font-weight:600;font-size:14px">{escape(name)}</span>'
        f'<span style="color:{_MUTED}">{escape(" · ".join(details))}</span></div>{lines}</div>'
    )
