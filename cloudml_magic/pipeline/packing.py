"""From a captured source to its package, with what its cells are called in this notebook."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cloudml_magic.packaging import build_trainer
from cloudml_magic.records import CapturedSource, TrainerPackage
from cloudml_magic.source import masked, render_module

# No traceback quotes the options of a magic, and `--env NAME=VALUE` may stand there.
_OPTIONS = re.compile(r"(?<=^%%ml_train)[^\n]*")


@dataclass(frozen=True, slots=True)
class Packed:
    """A package, the text of its module, and what its cells are called in this notebook."""

    package: TrainerPackage
    module: str
    labels: Mapping[str, str]


def pack(name: str, source: CapturedSource, handed_over: Sequence[str] = ()) -> Packed:
    """Packs a source; cells are named by their place, so that running them again makes the same package."""
    module, entries = render_module(source)
    places: dict[str, str] = {}
    texts: dict[str, str] = {}
    for statement in source.statements:
        if statement.first_line:
            place = places.setdefault(statement.cell.label, f"cell {len(places) + 1}")
            # Whole cells go along for tracebacks to quote, with lines that do not travel: no key must hide there.
            texts[place] = masked(_OPTIONS.sub("", statement.cell.text), handed_over)
    placed = tuple(replace(entry, cell=places[entry.cell]) for entry in entries)
    package = build_trainer(name, module, placed, texts, source_files=source.files, requirements=source.requirements)
    return Packed(package, module, {place: label for label, place in places.items()})
