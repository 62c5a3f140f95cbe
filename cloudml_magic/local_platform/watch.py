"""Tells when files in a folder change: inotify on Linux, nothing elsewhere, where readers look by themselves."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

_MODIFY, _MOVED_TO, _CREATE = 0x2, 0x80, 0x100
_HEAD = struct.Struct("iIII")


class FolderWatch:
    """One inotify instance on an event loop; `folder` gives each watcher its own wake-up call."""

    def __init__(self) -> None:
        self._descriptor = -1
        self._events: dict[int, set[asyncio.Event]] = {}
        self._library: ctypes.CDLL | None = None

    def _start(self) -> None:
        if self._library is not None or not sys.platform.startswith("linux"):
            return
        library = ctypes.CDLL(None, use_errno=True)
        descriptor = library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if descriptor >= 0:
            self._library, self._descriptor = library, descriptor
            asyncio.get_running_loop().add_reader(descriptor, self._read)

    def add(self, folder: Path, event: asyncio.Event) -> int | None:
        """Sets the event whenever a file in the folder changes; None if the folder cannot be watched."""
        self._start()
        if self._library is None:
            return None
        mask = _MODIFY | _MOVED_TO | _CREATE
        watch = self._library.inotify_add_watch(self._descriptor, os.fsencode(folder), mask)
        if watch < 0:
            return None
        self._events.setdefault(watch, set()).add(event)
        return int(watch)

    def remove(self, watch: int, event: asyncio.Event) -> None:
        events = self._events.get(watch, set())
        events.discard(event)
        if not events and self._events.pop(watch, None) is not None and self._library is not None:
            self._library.inotify_rm_watch(self._descriptor, watch)

    def close(self) -> None:
        if self._library is not None:
            with contextlib.suppress(RuntimeError):
                asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._library = None

    def _read(self) -> None:
        try:
            content = os.read(self._descriptor, 64 * 1024)
        except BlockingIOError:
            return
        for watch in _watches(content):
            for event in self._events.get(watch, ()):
                event.set()


def _watches(content: bytes) -> Iterator[int]:
    position = 0
    while position < len(content):
        watch, _, _, length = _HEAD.unpack_from(content, position)
        yield watch
        position += _HEAD.size + length
