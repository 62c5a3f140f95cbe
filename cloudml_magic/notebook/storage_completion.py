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
    before, _, word = line["said"].rpartition(" ")
    found = _addresses(word) if before else [f"{action} " for action in ACTIONS]
    completions = [SimpleCompletion(each, type="path") for each in found if each.startswith(word)]
    # What an address ends with is no name of Python's; where none is found, files of this machine are, as everywhere.
    return {"completions": completions, "matched_fragment": word, "suppress": True, "ordered": True}


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
