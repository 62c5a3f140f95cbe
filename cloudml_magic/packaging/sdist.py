"""Writes the sdist of a trainer, whose bytes follow from its code.

Compressed bytes depend on the zlib of the machine; a package is some tens of kilobytes, so it is stored instead.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from cloudml_magic.packaging.archive import stored_archive
from cloudml_magic.records import SourceFile, SourceMapEntry, TrainerPackage

RUNTIME = "cloudml_trainer"
ENTRY_MODULE = f"{RUNTIME}.task"


def build_trainer(
    name: str,
    module: str,
    source_map: Iterable[SourceMapEntry],
    cells: Mapping[str, str],
    *,
    source_files: Iterable[SourceFile] = (),
    requirements: Iterable[str] = (),
) -> TrainerPackage:
    """Packs a rendered module, the runtime and what lay beside the notebook; pure: equal input, equal bytes."""
    required = tuple(requirements)
    members = dict(_runtime_files())
    members[f"{RUNTIME}/notebook.py"] = _encoded(module)
    members[f"{RUNTIME}/source_map.json"] = _source_map(source_map, cells)
    for source_file in source_files:
        members.setdefault(source_file.path, source_file.content)
    distribution = f"cloudml-job-{slug(name)}"
    digest = _digest(members, distribution, required)
    version = f"0+{digest[:16]}"
    members |= _metadata_files(distribution, version, tuple(members), required)
    content = stored_archive(f"{distribution}-{version}", members)
    return TrainerPackage(
        file_name=f"{slug(name)}-{digest[:16]}.tar.gz",
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        module=ENTRY_MODULE,
        requirements=required,
    )


def slug(name: str) -> str:
    """A name as bucket folders, labels and distributions allow it: lowercase letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "job"


@cache
def _runtime_files() -> tuple[tuple[str, bytes], ...]:
    folder = files("cloudml_magic") / "trainer"
    found = [
        (f"{RUNTIME}/{path}", content)
        for path, content in _modules_in(folder)
        if path not in ("boot.py", "job_module.py")
    ]
    found.append(("cloudml_magic.py", (folder / "job_module.py").read_bytes()))
    return tuple(sorted(found))


def _modules_in(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.name.endswith(".py"):
            yield prefix + entry.name, entry.read_bytes()
        elif entry.is_dir():
            yield from _modules_in(entry, f"{prefix}{entry.name}/")


def _source_map(entries: Iterable[SourceMapEntry], cells: Mapping[str, str]) -> bytes:
    document = {
        "module": "notebook.py",
        "entries": [
            {"first": entry.first, "last": entry.last, "cell": entry.cell, "cell_line": entry.cell_line}
            for entry in entries
        ],
        "cells": dict(cells),
    }
    return json.dumps(document, indent=1, sort_keys=True).encode("ascii")


def _encoded(text: str) -> bytes:
    # A lone surrogate cannot be UTF-8; Python reads the escape back as the same string inside a literal.
    return text.encode("utf-8", "backslashreplace")


def _digest(members: Mapping[str, bytes], distribution: str, requirements: tuple[str, ...]) -> str:
    sha = hashlib.sha256()
    for path, content in sorted(members.items()):
        sha.update(f"{path}\0{len(content)}\0".encode("utf-8", "backslashreplace"))
        sha.update(content)
    sha.update("\0".join((distribution, *requirements)).encode())
    return sha.hexdigest()


def _metadata_files(
    distribution: str, version: str, paths: tuple[str, ...], requirements: tuple[str, ...]
) -> dict[str, bytes]:
    packages, modules = _importables(paths)
    arguments = {
        "name": distribution,
        "version": version,
        "packages": packages,
        "py_modules": modules,
        "package_data": {"": ["*"]},
        "install_requires": list(requirements),
    }
    lines = "".join(f"    {name}={value!r},\n" for name, value in arguments.items())
    setup = f"from setuptools import setup\n\nsetup(\n{lines})\n"
    information = ["Metadata-Version: 2.1", f"Name: {distribution}", f"Version: {version}"]
    information += [f"Requires-Dist: {requirement}" for requirement in requirements]
    return {
        "PKG-INFO": ("\n".join(information) + "\n").encode("utf-8"),
        "setup.py": setup.encode("utf-8"),
        "pyproject.toml": b'[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n',
    }


def _importables(paths: tuple[str, ...]) -> tuple[list[str], list[str]]:
    python = [path for path in paths if path.endswith(".py")]
    packages = sorted({path.rpartition("/")[0].replace("/", ".") for path in python if "/" in path})
    modules = sorted(path.removesuffix(".py") for path in python if "/" not in path)
    return packages, modules
