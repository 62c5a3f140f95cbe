"""Reads a magic's line by the options that it declares; what is wrong with it is said in our one way."""

from __future__ import annotations

import keyword
from argparse import Namespace
from typing import Any

from IPython.core.error import UsageError
from IPython.utils.process import arg_split

from cloudml_magic.errors import CloudMLError


def parse(magic: Any, line: str) -> Namespace:
    """The options of a line; quotes group words and are taken off, as in a shell."""
    parser = magic.parser
    name = f"%{parser.prog}"  # a cell magic's name begins with a % of its own
    try:
        words = arg_split(line, posix=True)
        # Options may stand among the words, as in a shell.
        options: Namespace = parser.parse_intermixed_args(words)
    except (UsageError, ValueError) as problem:
        raise CloudMLError(
            "bad-option",
            f"{name} does not understand {line.strip()!r}.",
            why=str(problem).removeprefix("argument "),
            next=_advice(parser, line, name),
        ) from None
    return options


def check_variable(name: str | None) -> None:
    """Refuses what `--into` cannot bind."""
    if name is not None and (not name.isidentifier() or keyword.iskeyword(name)):
        raise CloudMLError("bad-option", f"--into {name!r} is no variable.", next="Give a Python name.")


def _advice(parser: Any, line: str, name: str) -> str:
    import difflib

    known = [option for action in parser._actions for option in action.option_strings]
    for word in line.split():
        if word.startswith("-") and word.partition("=")[0] not in known:
            close = difflib.get_close_matches(word.partition("=")[0], known, n=1)
            if close:
                return f"Did you mean {close[0]}? `{name}?` shows every option."
    return f"`{name}?` shows every option."
