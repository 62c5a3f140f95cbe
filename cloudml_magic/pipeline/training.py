"""Sends a preparation: package and data to the bucket, then the job, each once."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from cloudml_magic.connection import Connection, place
from cloudml_magic.history import ExecutedCell, executed_cells
from cloudml_magic.pipeline.journey import Journey
from cloudml_magic.pipeline.options import TrainOptions
from cloudml_magic.pipeline.origin import MANIFEST
from cloudml_magic.pipeline.prepare import Preparation, manifest, prepare
from cloudml_magic.pipeline.prices import dearest_price
from cloudml_magic.pipeline.sent_job import Job
from cloudml_magic.pipeline.session import CURRENT, connection_to, current_shell, notebook_namespace
from cloudml_magic.pipeline.submission import noted
from cloudml_magic.pipeline.travelling_job import TravellingJob
from cloudml_magic.storage import Address


def train(code: str, *, name: str | None = None, wait: bool = False, **options: Any) -> Job:
    """Trains code outside this process, with what it needs of the notebook: what `%%ml_train` does, from Python."""
    preparation = prepare_here(ExecutedCell(code), name or "job", TrainOptions.of(options))
    job = submit(preparation)
    return job.wait() if wait else job


def prepare_here(trained: ExecutedCell, name: str, options: TrainOptions) -> Preparation:
    """Prepares a cell with the history and the variables of this notebook."""
    shell = current_shell()
    where = place(CURRENT, options.target)
    return prepare(
        executed_cells(shell, getattr(shell, "cloudml_recorder", None)) if shell is not None else [],
        trained,
        name=name,
        options=options,
        namespace=notebook_namespace(),
        folder=Path.cwd(),
        settings=CURRENT,
        place=where,
        price_of=lambda machine, regions: dearest_price(
            machine, [connection_to(replace(where, region=region)) for region in regions]
        ),
    )


def submit(preparation: Preparation, *, notebook: str | None = None, cell: str = "") -> Job:
    """Uploads what is not there yet and creates the job, in the first region that takes it.

    What is refused leaves no job and no line in the ledger.
    """
    there = connection_to(preparation.place)
    there.check_bucket()
    _send(preparation, there, manifest(preparation, notebook, cell, time.time()))
    journey = Journey(preparation)
    with noted(preparation.spec, preparation.place):
        snapshot, there = journey.next_stop()
    return Job(snapshot, there) if journey.has_ended else TravellingJob(snapshot, there, journey)


def _send(preparation: Preparation, there: Connection, note: bytes) -> None:
    for upload in preparation.uploads:
        upload.send(there)
    there.storage.write(Address.parse(preparation.spec.folder) / MANIFEST, note)
