"""One deployment of a model at a time, from whichever kernel of this user it is asked for."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cloudml_magic.connection import Connection
from cloudml_magic.places import ledger_file


@contextmanager
def turn(name: str, there: Connection, on_stage: Callable[[str], None]) -> Iterator[None]:
    """Waits until no other deployment of the model goes on; a process that dies gives its turn back."""
    folder = ledger_file().parent / "deploying"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    place = there.place
    key = "\n".join((place.target.value, place.project, place.region, name))
    with (folder / hashlib.sha256(key.encode()).hexdigest()[:32]).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_stage(f"waiting for another deployment of {name}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
