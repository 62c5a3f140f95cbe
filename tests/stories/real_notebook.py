"""A notebook as a front end sees it: a real kernel, cells with ids, and displays that are updated in place."""

from __future__ import annotations

import os
import re
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager

_LONGEST_SECONDS = 120.0


@dataclass
class Outcome:
    """What a cell left: printed text, displays by id in the order of their appearance, its value and its error."""

    printed: str = ""
    displays: dict[str, dict[str, Any]] = field(default_factory=dict)
    value: dict[str, Any] | None = None
    error: str = ""

    @property
    def card(self) -> dict[str, Any]:
        """The latest representations of the job's card."""
        return next(data for data in self.displays.values() if "application/vnd.cloudml.job+json" in data)

    @property
    def text(self) -> str:
        """All that the cell shows, as text."""
        shown = [data.get("text/plain", "") for data in self.displays.values()]
        return "\n".join([self.printed, *shown, self.value["text/plain"] if self.value else ""])


class Notebook:
    """Runs cells in a kernel of its own; updates of displays reach the cell that they belong to, whenever they come."""

    def __init__(self, folder: Path) -> None:
        self._manager = KernelManager(kernel_name="python3")
        self._folder = folder
        self._displays: dict[str, Outcome] = {}

    def __enter__(self) -> Notebook:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self._manager.start_kernel(cwd=str(self._folder), env=environment)
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)

    def restart(self) -> None:
        """Restarts the kernel, as a user does in mid-job."""
        self._client.stop_channels()
        self._manager.restart_kernel(now=True)
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)

    def interrupt(self) -> None:
        self._manager.interrupt_kernel()

    def send(self, cell: str, cell_id: str | None = None) -> str:
        """Starts a cell; its outcome is collected by `outcome`."""
        content = {"code": cell, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        message = self._client.session.msg("execute_request", content)
        if cell_id:
            message["metadata"]["cellId"] = cell_id
        self._client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def outcome(self, sent: str, *, longest: float = _LONGEST_SECONDS) -> Outcome:
        """What a started cell left when it has ended."""
        outcome = Outcome()
        deadline = time.monotonic() + longest
        while True:
            message = self._client.get_iopub_msg(timeout=max(0.1, deadline - time.monotonic()))
            mine = message["parent_header"].get("msg_id") == sent
            if self._take(message, outcome if mine else None):
                return outcome

    def run(self, cell: str, cell_id: str | None = None) -> Outcome:
        """Runs a cell to its end."""
        return self.outcome(self.send(cell, cell_id))

    def completions(self, line: str) -> list[str]:
        """What Tab at the end of a line would make of it."""
        content = self._client.complete(line, reply=True, timeout=_LONGEST_SECONDS)["content"]
        return [line[: content["cursor_start"]] + match + line[content["cursor_end"] :] for match in content["matches"]]

    def passes(self, seconds: float) -> None:
        """Lets time pass; displays go on being updated."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                self._take(self._client.get_iopub_msg(timeout=left), None)
            except Exception as problem:
                if type(problem).__name__ != "Empty":
                    raise

    def shows(self, outcome: Outcome, pattern: str, *, longest: float = 60.0) -> str:
        """Waits until a cell's card shows something, and returns the card's text."""
        deadline = time.monotonic() + longest
        while not re.search(pattern, outcome.text):
            assert time.monotonic() < deadline, f"{pattern!r} is not in:\n{outcome.text}"
            self.passes(0.1)
        return outcome.text

    def _take(self, message: dict[str, Any], outcome: Outcome | None) -> bool:
        """Puts a message where it belongs; True if it says that the cell of `outcome` has ended."""
        kind, content = message["msg_type"], message["content"]
        if kind == "update_display_data":
            identifier = content["transient"]["display_id"]
            if owner := self._displays.get(identifier):
                owner.displays[identifier] = content["data"]
        elif outcome is None:
            return False
        elif kind == "display_data":
            identifier = content.get("transient", {}).get("display_id") or uuid.uuid4().hex
            self._displays[identifier] = outcome
            outcome.displays[identifier] = content["data"]
        elif kind == "stream":
            outcome.printed += content["text"]
        elif kind == "execute_result":
            outcome.value = content["data"]
        elif kind == "error":
            outcome.error = "\n".join(content["traceback"])
        return bool(kind == "status" and content["execution_state"] == "idle" and outcome is not None)
