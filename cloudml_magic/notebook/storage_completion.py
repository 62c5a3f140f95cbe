"""Tab on a line of `%ml_storage`: its actions, then buckets, folders and objects."""

from __future__ import annotations

import re
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

ACTIONS = ("mb", "rb", "ls", "cp", "mv", "rm", "cat", "du", "rsync")
_LINE = re.compile(r"\s*%ml_storage\s+(?P<said>.*)")
_NEEDS_QUOTES = re.compile(r"[\s'\"\\]")


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
    quote = _open_quote(line["said"])
    before, _, word = line["said"].rpartition(quote or " ")
    meant = word.replace("{{", "{").replace("}}", "}")
    found = _addresses(meant) if before else [f"{action} " for action in ACTIONS]
    completions = [
        SimpleCompletion(_quoted(each, quote) if before else each, type="path")
        for each in found
        if each.startswith(meant)
    ]
    # What an address ends with is no name of Python's; where none is found, files of this machine are, as everywhere.
    return {"completions": completions, "matched_fragment": word, "suppress": True, "ordered": True}


def _open_quote(said: str) -> str:
    """The quote within which a line ends, if it does."""
    opened = ""
    for sign in said:
        if sign == opened:
            opened = ""
        elif not opened and sign in "'\"":
            opened = sign
    return opened


def _quoted(address: str, opened: str) -> str:
    """An address as the line needs it: a folder's quote stays open, since more may follow.

    What stands in braces IPython would run as Python before the magic sees it, and whoever names an object chooses it.
    """
    quote = opened or (('"' if "'" in address else "'") if _NEEDS_QUOTES.search(address) else "")
    said = address.replace("{", "{{").replace("}", "}}")
    return f"{'' if opened else quote}{said}{'' if address.endswith('/') else quote}"


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
