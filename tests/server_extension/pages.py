"""How a page folds deltas into documents, as the contract says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LOG_LINES = 20


def fold(document: Mapping[str, Any], delta: Mapping[str, Any]) -> dict[str, Any]:
    """The document after a delta."""
    curves = {curve["name"]: {**curve} for curve in document["curves"]}
    for point in delta["points"]:
        for name, value in point["metrics"].items():
            twin_of = name.removeprefix("val_")
            if name != twin_of and twin_of in point["metrics"]:
                continue
            curve = curves.setdefault(name, {"name": name, "steps": [], "values": [], "validation": None})
            curve["steps"] = [*curve["steps"], point["step"]]
            curve["values"] = [*curve["values"], value]
            if f"val_{name}" in point["metrics"]:
                curve["validation"] = [*(curve["validation"] or []), point["metrics"][f"val_{name}"]]
    ordered = sorted(curves.values(), key=lambda curve: curve["name"] != "loss")
    return {**document, **delta["set"], "curves": ordered, "log": [*document["log"], *delta["log"]][-LOG_LINES:]}
