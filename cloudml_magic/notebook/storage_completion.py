"""Tab on a line of `%ml_storage`: its actions, then buckets, folders and objects."""

from __future__ import annotations

import re
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

ACTIONS = ("mb", "rb", "ls", "cp", "mv", "rm", "cat", "du", "rsync")
_LINE = re.compile(r"\s*%ml_storage\s+(?P<said>.*)")


def complete_with(shell: Any) -> None:
    """Has the shell ask here."""
    if _completions not in shell.Completer.custom_matchers:
        shell.Completer.custom_matchers.append(_completions)


def complete_without(shell: Any) -> None:
    """Takes it away again."""
    shell.Completer.custom_matchers.remove(_completions)


@context_matcher(identifier="cloudml_magic.storage")  # type: ignore[untyped-decorator]
def _completions(context: CompletionContext) -> SimpleMatcherResult:
    line = _LINE.fullmatch(context.text_until_cursor)
    if line is None:
        return {"completions": []}
    quote = next((sign for sign in "'\"" if line["said"].count(sign) % 2), "")
    before, _, word = line["said"].rpartition(quote or " ")
    found = _addresses(word) if before else [f"{action} " for action in ACTIONS]
    completions = [
        SimpleCompletion(_quoted(each, quote) if before else each, type="path")
        for each in found
        if each.startswith(word)
    ]
    # What an address ends with is no name of Python's; where none is found, files of this machine are, as everywhere.
    return {"completions": completions, "matched_fragment": word, "suppress": True, "ordered": True}


def _quoted(address: str, opened: str) -> str:
    """An address as the line needs it: a folder's quote stays open, since more may follow."""
    quote = opened or ("'" if " " in address else "")
    return f"{'' if opened else quote}{address}{'' if address.endswith('/') else quote}"


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
