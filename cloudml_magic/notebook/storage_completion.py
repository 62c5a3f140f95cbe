"""Tab on a line of `%ml_storage`: its actions, then buckets, folders and objects."""

from __future__ import annotations

from typing import Any

ACTIONS = ("mb", "rb", "ls", "cp", "mv", "rm", "cat", "du", "rsync")
_KEY = "%ml_storage"


def complete_with(shell: Any) -> None:
    """Has the shell ask here."""
    shell.set_hook("complete_command", _completions, str_key=_KEY)


def complete_without(shell: Any) -> None:
    """Takes it away again."""
    shell.strdispatchers["complete_command"].strs.pop(_KEY, None)


def _completions(_: Any, event: Any) -> list[str]:
    from IPython.core.error import TryNext

    before = event.line[: len(event.line)]
    word = "" if before.endswith(" ") else before.split(" ")[-1]
    if len(before.split()) - bool(word) <= 1:
        return [f"{action} " for action in ACTIONS if action.startswith(word)]
    found = [address for address in _addresses(word) if address.startswith(word)]
    if not found:
        # Files of this machine are found as everywhere.
        raise TryNext
    # The shell replaces its own idea of a word, which begins after the last colon or sign.
    cut = len(word) - len(event.symbol)
    return [address[cut:] for address in found]


def _addresses(word: str) -> list[str]:
    from cloudml_magic.connection import only_looking
    from cloudml_magic.errors import CloudMLError
    from cloudml_magic.pipeline import files

    if not word.startswith("gs://"):
        return ["gs://"] if word and "gs://".startswith(word) else []
    try:
        with only_looking():
            return files.completions(word)
    except CloudMLError:
        return []
