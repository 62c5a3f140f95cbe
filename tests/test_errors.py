"""The one error that users see."""

import pickle

from cloudml_magic.errors import CloudMLError


def test_says_what_happened_why_and_what_to_do_next() -> None:
    """The text is the same everywhere: what, why, next, reference."""
    error = CloudMLError("no-fit", "It does not fit.", why="Two reasons:\nthis and that", next="Take another.")
    assert str(error) == (
        "It does not fit.\n  Why:  Two reasons:\n        this and that\n  Next: Take another.\n[no-fit]"
    )
    assert error._render_traceback_() == str(error).splitlines()


def test_leaves_out_what_is_not_known() -> None:
    """An error without why and next has no empty labels."""
    assert str(CloudMLError("short", "It failed.")) == "It failed.\n[short]"


def test_travels_between_processes() -> None:
    """An error that was pickled says the same."""
    error = CloudMLError("no-fit", "It does not fit.", why="because", next="Go.")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
