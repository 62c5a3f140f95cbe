"""What the checks of the cloud find out about who asks, and where."""

from __future__ import annotations

from dataclasses import dataclass

from cloudml_magic.connection import CloudConnection, Place

_MEMBER = "user:YOU@EXAMPLE.COM"


@dataclass(slots=True)
class Account:
    """What is known so far while the checks go on."""

    connection: CloudConnection
    setup: bool
    member: str = _MEMBER
    number: str = ""

    @property
    def place(self) -> Place:
        return self.connection.place
