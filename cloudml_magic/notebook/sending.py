"""Sends a cell of the notebook as a job, with its card beneath it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloudml_magic.history import ExecutedCell
    from cloudml_magic.notebook.live import AnyCard
    from cloudml_magic.pipeline import Job
    from cloudml_magic.pipeline.options import TrainOptions


def send(shell: Any, trained: ExecutedCell, name: str, options: TrainOptions) -> Job:
    """The job, followed by a card from before it is sent; where it cannot be sent the card goes again."""
    # Imported at the first training, so that %load_ext stays instant.
    from cloudml_magic import pipeline
    from cloudml_magic.notebook import live
    from cloudml_magic.notebook.this_cell import notebook_path
    from cloudml_magic.patience import heard_by
    from cloudml_magic.pipeline.options import checked_name

    card = live.new_card(shell, live.placeholder(checked_name(name), time.time()))
    card.show()
    try:
        with heard_by(lambda note: _say(card, note)):
            preparation = pipeline.prepare_here(trained, name, options)
            job = pipeline.submit(preparation, notebook=notebook_path(shell), cell=trained.cell.label)
    except BaseException:
        card.withdraw()
        raise
    live.follow(card, job)
    return job


def _say(card: AnyCard, note: str) -> None:
    """Shown at once: nobody paints a card before its job is sent."""
    card.say(note)
    card.redraw()
