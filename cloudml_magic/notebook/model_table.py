"""The list of models as a cell's output."""

from __future__ import annotations

import time
from collections.abc import Sequence

from cloudml_magic.notebook.table import show_table
from cloudml_magic.pipeline.deployment.lookup import ModelLine, answering_machine
from cloudml_magic.wording import clean

HEADINGS = ("model", "answers", "traffic", "since", "replicas", "engine", "folder")


def show_models(lines: Sequence[ModelLine]) -> None:
    """Displays the table."""
    show_table(HEADINGS, [_row(line) for line in lines], "No models yet. `%ml_deploy JOB` makes one of a job's.")


def _row(line: ModelLine) -> tuple[str, ...]:
    version, deployed = line.version, line.deployed
    names = [alias for alias in version.aliases if alias != "default"]
    title = version.title + (f" ({', '.join(names)})" if names else "")
    if deployed is None:
        return (clean(title), "no", "", "", "", "", version.artifact_uri)
    replicas = {deployed.min_replicas, deployed.max_replicas}
    return (
        clean(title),
        answering_machine(deployed, line.target),
        f"{deployed.traffic} %",
        time.strftime("%d %b %H:%M", time.localtime(deployed.created)),
        "–".join(map(str, sorted(replicas))),
        clean(deployed.message),
        version.artifact_uri,
    )
