"""What one Python process shares between its calls: settings, ledger, and the connections that were made."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

from cloudml_magic.connection import Connection, Place, concurrency, connect, place, platform_has_begun
from cloudml_magic.dialects.machines import asked_machine
from cloudml_magic.ledger import Ledger
from cloudml_magic.places import ledger_file
from cloudml_magic.records import Target
from cloudml_magic.settings import Resolved, Settings

CURRENT = Settings()


def init(**values: str | None) -> list[Resolved]:
    """Sets what is given for this session; returns every setting with where it came from."""
    given = {name: str(value) for name, value in values.items() if value is not None}
    asked_machine(given.get("machine"), given.get("gpu"))
    concurrency(given.get("concurrent_jobs"))
    if given.get("profile"):
        Settings(given).table()  # Raises for a profile that is not there, before anything is kept.
    CURRENT.set(given)
    return CURRENT.table()


def connection_to(where: Place) -> Connection:
    """The connection to a place, made once per process and HOME."""
    return _connection(where, str(ledger_file()))


def connection(target: str | None = None) -> Connection:
    """The connection to where jobs go now."""
    return connection_to(place(CURRENT, target))


def target_of(argument: str | None = None) -> Target:
    """Where jobs and models go now."""
    return place(CURRENT, argument).target


def is_nothing_there() -> bool:
    """Whether jobs go to the local platform, and it never ran: there is neither a model nor a bucket then."""
    return target_of() is Target.LOCAL and not platform_has_begun()


def ledger() -> Ledger:
    """The ledger of the current HOME."""
    return Ledger()


def notebook_namespace() -> Mapping[str, Any]:
    """The variables of the notebook, or of the program that runs."""
    shell = current_shell()
    if shell is not None:
        namespace: Mapping[str, Any] = shell.user_ns
        return namespace
    return vars(sys.modules["__main__"])


def current_shell() -> Any | None:
    """The IPython shell of this process, if there is one; IPython is not imported to find out."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None


@cache
def _connection(where: Place, home: str) -> Connection:
    return connect(where, CURRENT)
