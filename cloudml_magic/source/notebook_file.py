"""A saved notebook → its code cells as if they had run in order; nothing of it is run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.history import ExecutedCell

LARGEST_NOTEBOOK = 500 * 1024 * 1024


def read_notebook(path: Path, cell: int | None = None) -> tuple[list[ExecutedCell], ExecutedCell]:
    """The code cells before the trained one, and the trained one: code cell `cell` of all, from 1, or the last."""
    cells = _code_cells(path, _content(path))
    if cell is None:
        cell = next((n for n in range(len(cells), 0, -1) if cells[n - 1].text.strip()), len(cells))
    if not cells or not 1 <= cell <= len(cells):
        has = f"It has {len(cells)} code cells, counted from 1." if cells else "It has no code cell."
        what = f"{path.name} has no code cell {cell}." if cells else f"{path.name} has no code to package."
        advice = "Name a cell with --cell N." if cells else "Write a code cell and save the notebook."
        raise CloudMLError("no-such-cell", what, why=has, next=advice)
    return cells[: cell - 1], cells[cell - 1]


def _content(path: Path) -> Any:
    try:
        if path.stat().st_size > LARGEST_NOTEBOOK:
            raise _unreadable(path, "It is larger than 500 MB.")
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        raise CloudMLError(
            "notebook-not-found", f"There is no notebook {path}.", next="Check the path; the file ends in .ipynb."
        ) from None
    except OSError as error:
        raise _unreadable(path, f"{error.strerror or error}.") from None
    except (ValueError, RecursionError):
        raise _unreadable(path, "It is not JSON.") from None


def _code_cells(path: Path, content: Any) -> list[ExecutedCell]:
    if not isinstance(content, dict):
        raise _unreadable(path, "It is JSON, but no notebook.")
    if isinstance(content.get("worksheets"), list) or content.get("nbformat") in {1, 2, 3}:
        raise _unreadable(path, "It is of nbformat 3 or older.", "Open it in JupyterLab and save it, then try again.")
    cells = content.get("cells")
    if not isinstance(cells, list):
        raise _unreadable(path, "It is JSON, but no notebook: it has no list of cells.")
    _check_language(path, content)
    found: list[ExecutedCell] = []
    for cell in cells:
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        if isinstance(source, list) and all(isinstance(line, str) for line in source):
            source = "".join(source)
        if not isinstance(source, str):
            raise _unreadable(path, f"The source of code cell {len(found) + 1} is no text.")
        found.append(ExecutedCell(source, len(found) + 1))
    return found


def _check_language(path: Path, content: dict[str, Any]) -> None:
    metadata = content.get("metadata")
    for key, name in (("kernelspec", "language"), ("language_info", "name")):
        part = metadata.get(key) if isinstance(metadata, dict) else None
        language = part.get(name) if isinstance(part, dict) else None
        if isinstance(language, str) and language.lower() not in {"python", "ipython", "python3", ""}:
            raise _unreadable(path, f"Its language is {language}.", "Package a notebook that is written in Python.")


def _unreadable(path: Path, why: str, next: str = "Open it in JupyterLab and save it again.") -> CloudMLError:
    return CloudMLError("notebook-unreadable", f"{path.name} cannot be read as a notebook.", why=why, next=next)
