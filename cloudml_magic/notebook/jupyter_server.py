"""The Jupyter server that started this kernel, where it has our half: asked as the page asks it."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloudml_magic.errors import CloudMLError

_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class JupyterServer:
    """Where it listens, and the word by which it knows its user; `base` is the path of its pages."""

    address: str
    base: str
    token: str = field(repr=False)

    def post(self, route: str, fields: dict[str, Any]) -> dict[str, Any] | None:
        """What a route of our half answers; None where the server cannot be asked."""
        request = urllib.request.Request(
            f"{self.address.rstrip('/')}/cloudml/v1/{route}",
            json.dumps(fields).encode(),
            {"Content-Type": "application/json", "Authorization": f"token {self.token}"},
        )
        # Never through a proxy: the server is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=_SECONDS) as answer:
                answered: dict[str, Any] = json.load(answer)
                return answered
        except urllib.error.HTTPError as refusal:
            raise_refusal(refusal.read())
        except (OSError, ValueError):
            pass
        return None


def raise_refusal(content: bytes) -> None:
    """Raises what our half said; anything else that a server answers is none of ours."""
    try:
        parts = json.loads(content)
        error = CloudMLError(parts["reference"], parts["what"], why=parts["why"], next=parts["next"])
    except (ValueError, KeyError, TypeError):
        return
    raise error


def own_server() -> JupyterServer | None:
    """The server of this kernel, by the file in which it says of itself where it listens."""
    parent = os.environ.get("JPY_PARENT_PID", "")
    if not os.environ.get("CLOUDML_LAB") or not parent.isdigit():
        return None
    from jupyter_core.paths import jupyter_runtime_dir

    try:
        told = json.loads((Path(jupyter_runtime_dir()) / f"jpserver-{parent}.json").read_text("utf-8"))
        return JupyterServer(str(told["url"]), str(told["base_url"]), str(told["token"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
