"""The question before something is deleted."""

from __future__ import annotations

from cloudml_magic.errors import CloudMLError


def ask_to_delete(what: str, sure: bool) -> None:
    """Goes on only if the user is sure, or says so now; a notebook that runs unattended cannot be asked."""
    if sure:
        return
    try:
        answer = input(f"Delete {what}? [y/N] ")
    except (EOFError, NotImplementedError):
        # Jupyter's StdinNotImplementedError is one of the latter.
        raise CloudMLError(
            "not-deleted",
            "Nothing was deleted.",
            why="Nobody can be asked here whether it may be.",
            next="Say --yes.",
        ) from None
    if answer.strip().lower() != "y":
        raise CloudMLError("not-deleted", "Nothing was deleted.", next="Answer y, or say --yes.")
