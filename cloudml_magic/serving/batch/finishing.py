"""The end of a batch: the outputs of all shares in order, under the names that they are looked for by."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from cloudml_magic.serving.batch.confirmed import Confirmed, part_file
from cloudml_magic.serving.batch.specification import ERRORS, RESULTS, Specification


def finish(specification: Specification, shares: Sequence[Confirmed]) -> None:
    """Renames a single share's outputs, joins those of several; may be repeated after it was interrupted."""
    for name, lengths in ((RESULTS, [one.results for one in shares]), (ERRORS, [one.errors for one in shares])):
        parts = [part_file(specification, name, number) for number in range(len(shares))]
        if parts[0].exists():
            _join(parts, lengths, specification.output / name)
    for name in (RESULTS, ERRORS):
        for number in range(len(shares)):
            part_file(specification, name, number).unlink(missing_ok=True)


def _join(parts: Sequence[Path], lengths: Sequence[int], final: Path) -> None:
    if len(parts) == 1:
        os.truncate(parts[0], lengths[0])
        parts[0].rename(final)
        return
    whole = parts[0].with_suffix(".whole.part")
    with whole.open("wb") as file:
        for part, length in zip(parts, lengths, strict=True):
            os.truncate(part, length)
            with part.open("rb") as source:
                shutil.copyfileobj(source, file, 1024 * 1024)
        file.flush()
        os.fsync(file.fileno())
    whole.rename(final)
