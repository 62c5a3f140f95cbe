"""Maps `gs://BUCKET/…` and `/gcs/BUCKET/…` to the bucket's folder, for Python's own functions and known libraries.

Libraries are reached when they are imported, so that nothing is imported for them. docs/local_paths.md says what is
mapped and what is not.
"""

from __future__ import annotations

import builtins
import functools
import importlib.machinery
import io
import os
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

_PREFIXES = ("gs://", "/gcs/", "gs:/")
_OF_ONE_PATH = (
    "access", "chdir", "chmod", "getxattr", "listdir", "listxattr", "lstat", "mkdir", "open", "readlink", "remove",
    "rmdir", "scandir", "stat", "statvfs", "truncate", "unlink", "utime",
)  # fmt: skip
_OF_TWO_PATHS = ("link", "rename", "replace", "symlink")
_root = ""

Change = Callable[[ModuleType], None]


def install(root: str) -> None:
    """From here on addresses in buckets are paths beneath `root`."""
    global _root
    _root = root.rstrip("/")
    first_open = io.open
    builtins.open = io.open = _opening(first_open)
    for name in _OF_ONE_PATH:
        _replace(os, name, (0,))
    for name in _OF_TWO_PATHS:
        _replace(os, name, (0, 1))
    sys.meta_path.insert(0, _LibraryFinder())


def mapped(path: Any) -> Any:
    """The path on this machine of an address in a bucket; anything else unchanged."""
    if isinstance(path, str):
        text = path
    elif isinstance(path, bytes):
        return os.fsencode(mapped(os.fsdecode(path))) if path[:4] in (b"gs:/", b"/gcs") else path
    elif hasattr(path, "__fspath__"):
        text = path.__fspath__()
        if not isinstance(text, str):
            return path
    else:
        return path
    if text.startswith(_PREFIXES):
        rest = text[4:].lstrip("/") if text.startswith("gs:/") else text[5:]
        parts = [part for part in rest.split("/") if part not in ("", ".")]
        if ".." not in parts:
            return "/".join([_root, *parts])
    return path


def make_room(path: Any, mode: str) -> None:
    """Buckets have no folders to make: whoever writes an object just writes it."""
    if isinstance(path, str) and path.startswith(_root) and any(letter in mode for letter in "wax"):
        bucket_end = path.find("/", len(_root) + 1)
        if bucket_end > 0 and os.path.isdir(path[:bucket_end]):
            os.makedirs(os.path.dirname(path), exist_ok=True)


def _opening(first: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(first)
    def open(file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        path = mapped(file)
        if path is file:
            return first(file, mode, *arguments, **options)
        make_room(path, mode)
        try:
            return first(path, mode, *arguments, **options)
        except FileNotFoundError as problem:
            # Tell the address that was asked for, not where it would lie here.
            problem.filename = os.fspath(file)
            raise

    return open


def _replace(owner: Any, name: str, positions: tuple[int, ...]) -> None:
    first = getattr(owner, name, None)
    if first is None:
        return
    replacement = mapping(first, positions)
    for supports in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks, os.supports_effective_ids):
        if first in supports:
            supports.add(replacement)
    setattr(owner, name, replacement)


def mapping(first: Callable[..., Any], positions: tuple[int, ...]) -> Callable[..., Any]:
    """The function with the arguments at these positions mapped."""
    if positions == (0,):

        @functools.wraps(first)
        def of_one(*arguments: Any, **options: Any) -> Any:
            if arguments:
                return first(mapped(arguments[0]), *arguments[1:], **options)
            return first(**{name: mapped(value) if name == "path" else value for name, value in options.items()})

        return of_one

    @functools.wraps(first)
    def of_several(*arguments: Any, **options: Any) -> Any:
        changed = [mapped(value) if index in positions else value for index, value in enumerate(arguments)]
        named = {name: mapped(value) if name in ("src", "dst") else value for name, value in options.items()}
        return first(*changed, **named)

    return of_several


class _LibraryFinder:
    """Changes a library's few functions that leave Python, right after the library was imported."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in _LIBRARIES:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _ChangingLoader(spec.loader, name)  # type: ignore[assignment]
        return spec


class _ChangingLoader:
    def __init__(self, loader: Any, name: str) -> None:
        self._loader = loader
        self._name = name

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        created: ModuleType | None = self._loader.create_module(spec)
        return created

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        import cloudml_library_paths  # type: ignore[import-not-found]

        cloudml_library_paths.CHANGES[self._name](module)


_LIBRARIES = frozenset(
    {
        "h5py._hl.files",
        "keras.src.utils.file_utils",
        "numpy.lib._datasource",
        "pandas.io.common",
        "tensorflow.python.checkpoint.checkpoint_management",
        "tensorflow.python.lib.io.file_io",
        "tensorflow.python.lib.io.tf_record",
        "tensorflow.python.ops.gen_dataset_ops",
        "tensorflow.python.ops.gen_io_ops",
        "tensorflow.python.ops.gen_summary_ops",
        "tensorflow.python.saved_model.load",
        "tensorflow.python.saved_model.save",
        "tensorflow.python.training.py_checkpoint_reader",
        "tensorflow.python.util.compat",
    }
)
