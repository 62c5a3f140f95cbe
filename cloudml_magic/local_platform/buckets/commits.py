"""Changes that are durable before they are answered, several in one commit: a disk syncs many as fast as one."""

# Paths are text here, which pathlib would normalise.
# ruff: noqa: PTH120

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from cloudml_magic.local_platform.buckets.digests import sync_folder
from cloudml_magic.local_platform.database import Database

Result = TypeVar("Result")
Folders = set[str]
"""Folders whose entries changed; they are on disk when the change is answered."""


@dataclass(slots=True)
class _Change(Generic[Result]):
    make: Callable[[Folders], Result]
    result: Result | None = None
    problem: BaseException | None = None
    is_made: bool = False


class SharedCommits:
    """Whoever comes while a commit goes on waits for the next one, which one of those who wait makes for all."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = threading.Lock()
        self._list = threading.Lock()
        self._waiting: list[_Change[Any]] = []

    def make(self, change: Callable[[Folders], Result]) -> Result:
        """Makes a change, all or nothing; its rows and the folders that it names are on disk on return."""
        mine = _Change(change)
        with self._list:
            self._waiting.append(mine)
        with self._turn:
            if not mine.is_made:
                self._make_all()
        if mine.problem is not None:
            raise mine.problem
        return mine.result  # type: ignore[return-value]

    def _make_all(self) -> None:
        with self._list:
            together, self._waiting = self._waiting, []
        folders: Folders = set()
        try:
            with self._database.transaction():
                for each in together:
                    try:
                        with self._database.savepoint():
                            each.result = each.make(folders)
                    except Exception as problem:
                        each.problem = problem
                for folder in folders:
                    _sync(folder)
        except BaseException as problem:
            for each in together:
                each.problem = each.problem or problem
        finally:
            for each in together:
                each.is_made = True


def _sync(folder: str) -> None:
    """A folder, or the one from which it was removed."""
    try:
        sync_folder(folder)
    except FileNotFoundError:
        _sync(os.path.dirname(folder))
