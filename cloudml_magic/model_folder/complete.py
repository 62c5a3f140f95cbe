"""Whether a model folder is whole and is the one that was exported."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path

from cloudml_magic.errors import CloudMLError
from cloudml_magic.model_folder.interface import MANIFEST, SAVED_MODEL
from cloudml_magic.model_folder.saved_model import UnreadableError, holds_objects


def check_files(folder: Path) -> None:
    """Compares the files with the digests of the manifest; without one, the checkpoint at least must be there."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        _check_checkpoint(folder)
        return
    expected = _expected(manifest)
    if expected is None:
        raise CloudMLError(
            "manifest-unreadable",
            f"{manifest} cannot be read.",
            why="It does not list the files of the export with their digests.",
            next="Copy the folder again, or export the model anew.",
        )
    lacking = sorted(name for name in expected if not _is_inside(name) or not (folder / name).is_file())
    changed = sorted(name for name in expected if name not in lacking and _digest(folder / name) != expected[name])
    if lacking or changed:
        what = f"{lacking[0]} is missing" if lacking else f"{changed[0]} is not what was exported"
        more = len(lacking) + len(changed) - 1
        raise CloudMLError(
            "model-folder-incomplete",
            f"The model in {folder} is not whole: {what}.",
            why=f"{MANIFEST} lists the files of the export with their digests."
            + (f" {more} more {'file differs' if more == 1 else 'files differ'}." if more else ""),
            next="Copy the folder again, or export the model anew.",
        )


def _check_checkpoint(folder: Path) -> None:
    index = folder / "variables" / "variables.index"
    if index.is_file() or not (folder / SAVED_MODEL).is_file():
        return
    # What cannot be read is refused in its own words by whoever reads it.
    with contextlib.suppress(UnreadableError):
        if holds_objects((folder / SAVED_MODEL).read_bytes()):
            raise CloudMLError(
                "model-folder-incomplete",
                f"The model in {folder} is not whole: variables/variables.index is missing.",
                why=f"{SAVED_MODEL} holds the computation only; the weights lie in variables/.",
                next="Copy the whole folder, with variables/ and assets/, or export the model anew.",
            )


def _expected(manifest: Path) -> dict[str, str] | None:
    try:
        files = json.loads(manifest.read_bytes()).get("files", {})
    except (ValueError, AttributeError, RecursionError):
        return None
    return files if isinstance(files, dict) else None


def _is_inside(name: str) -> bool:
    return "\0" not in name and not Path(name).is_absolute() and ".." not in Path(name).parts


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
