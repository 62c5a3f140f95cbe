"""A local file that the code opens by a path that it spells out, and that nobody sends along."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator

from cloudml_magic.source.calls import opens_for_writing
from cloudml_magic.source.known_calls import READERS, WRITERS
from cloudml_magic.source.paths import joined_path
from cloudml_magic.source.rules.refusal import Refusal, place
from cloudml_magic.source.rules.trip import Trip, calls, line_of
from cloudml_magic.source.slice import Step
from cloudml_magic.source.words import words

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://|/gcs/")
_KEYWORDS = words(
    """
    filepath_or_buffer path path_or_buf io fname file filename filepath directory image_path data_dir
    """
)
# `open`, `load` and `File` mean a file only under these owners.
_OWNERS = {
    "open": words("io gzip bz2 lzma codecs tarfile zipfile Image PIL wave fsspec"),
    "load": words("np numpy joblib torch jnp tf scipy librosa"),
    "File": words("h5py"),
    "glob": words("glob"),
    "walk": words("os"),
    "scandir": words("os"),
}


def refusals(trip: Trip) -> Iterator[Refusal]:
    """Each relative path that a known reader opens and that the job would not find."""
    from cloudml_magic.source.rules.absolute_path import is_local

    written: set[str] = set()
    asked: set[str] = set()
    named = _named_in_other_calls(trip)
    for step, line, path, writes, guarded in _file_calls(trip):
        if _ADDRESS.match(path) or is_local(path):
            continue
        clean = posixpath.normpath(path.replace("\\", "/"))
        if writes:
            written.add(clean)
            continue
        whole = re.split(r"[*?\[]", clean, maxsplit=1)[0].rpartition("/")[0] if re.search(r"[*?\[]", clean) else clean
        if clean in asked or any(_within(clean, known) for known in written) or whole in {"", "."}:
            continue
        if any(_within(whole, sent.path) or _within(sent.path, whole) for sent in trip.data):
            continue
        asked.add(clean)
        here = (trip.folder / whole).exists()
        if trip.static or guarded or (path in named and not here):
            if not here or not trip.static:
                trip.warnings.append(f"{place(step.cell, line)} opens {path}, which {_where(here)}.")
            continue
        yield Refusal(
            "data-file", f"{place(step.cell, line)} opens {path}, which would not travel.",
            "It lies beside the notebook." if here else "There is no such file beside the notebook either.",
            f"Add --data {whole}." if here else f"Add --data {whole}=ADDRESS with the file's path or gs:// address.",
            step.cell, line,
        )  # fmt: skip


def _named_in_other_calls(trip: Trip) -> frozenset[str]:
    """Paths that calls of unknown kind are given: they may well make the file."""
    found = set()
    for _, call in calls(trip.chosen):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name not in READERS:
            parts = [*call.args, *(keyword.value for keyword in call.keywords)]
            found |= {text for part in parts if (text := joined_path(part, trip.constants.get))}
    return frozenset(found)


def _where(here: bool) -> str:
    return "lies beside the notebook and does not travel" if here else "is not beside the notebook"


def opened_paths(trip: Trip) -> Iterator[tuple[Step, int, str]]:
    """Every spelled-out path that a known reader opens."""
    for step, line, path, writes, _ in _file_calls(trip):
        if not writes and not _ADDRESS.match(path):
            yield step, line, path


def _file_calls(trip: Trip) -> Iterator[tuple[Step, int, str, bool, bool]]:
    known = trip.constants.get
    guarded = {id(one.step.statement): _is_guarded(one.step.statement.node) for one in trip.chosen}
    for step, call in calls(trip.chosen):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        writes = name in WRITERS or (name == "open" and opens_for_writing(call))
        if not writes and not (name in READERS and _reads(call, name)):
            continue
        parts: list[ast.expr] = list(call.args[:1]) if not writes else list(call.args)
        parts += [keyword.value for keyword in call.keywords if keyword.arg in _KEYWORDS]
        if isinstance(call.func, ast.Attribute) and joined_path(call.func.value, known) is not None:
            parts = [call.func.value]  # a method of a path
        for part in parts:
            text = None if _is_number(part) else joined_path(part, known)
            if text and len(text) < 1000 and not re.search(r'[\n\0<>|{}"]', text):
                yield step, line_of(step, part), text, writes, guarded[id(step.statement)]


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not isinstance(node.value, str)


def _reads(call: ast.Call, name: str) -> bool:
    if not isinstance(call.func, ast.Attribute):
        return True
    owners = _OWNERS.get(name)
    if owners is None:
        return True
    owner = call.func.value
    root = owner.id if isinstance(owner, ast.Name) else ""
    return root in owners or (isinstance(owner, ast.Call) and name in {"open", "glob"})


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/") or folder == "."


def _is_guarded(node: ast.stmt) -> bool:
    """Whether the code itself asks first whether the file is there."""
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and part.attr in {"exists", "isfile", "isdir", "is_file", "is_dir"}:
            return True
        if isinstance(part, ast.ExceptHandler) and part.type is not None:
            names = {n.id for n in ast.walk(part.type) if isinstance(n, ast.Name)}
            if names & {"FileNotFoundError", "OSError", "IOError", "Exception"}:
                return True
    return False
