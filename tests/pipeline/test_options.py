"""What a user may ask of a training, and how slips are answered."""

import pytest

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.options import TrainOptions, checked_name, pairs, seconds, split_list


@pytest.mark.parametrize(
    ("text", "expected"), [("90", 90), ("90s", 90), ("30m", 1800), ("2h", 7200), ("1d", 86400), (None, None)]
)
def test_durations(text: str | None, expected: int | None) -> None:
    """A number with a unit, seconds without."""
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "0", "-3", "2 weeks", "1e3", "٣m", "9" * 20])
def test_what_is_no_duration_is_said_so(text: str) -> None:
    """With examples that may be copied."""
    with pytest.raises(CloudMLError, match="is no duration"):
        seconds(text)


@pytest.mark.parametrize("name", ["digits", "größe-2", "🐙", "👩‍🔬", "a.b_c"])
def test_names_that_people_use(name: str) -> None:
    """Letters of any language and emoji are names."""
    assert checked_name(name) == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "It is empty."),
        ("a b", "It contains ' '."),
        ("a~1", "It contains '~'."),
        ("a/b", "It contains '/'."),
        ("$absent", "Nothing in this notebook could be put in for it."),
        ("{1/0}", "Nothing in this notebook could be put in for it."),
        ("nul\0", "It contains '\\x00'."),
        ("\ud800", "It contains '\\ud800'."),
        ("a\u202eb", "It contains '\\u202e'."),
        ("x" * 101, "It has 101 characters."),
        ("latest", "`latest` stands for the job that was sent last."),
    ],
)
def test_names_that_cannot_be(name: str, why: str) -> None:
    """Refused with the reason."""
    with pytest.raises(CloudMLError) as caught:
        checked_name(name)
    assert caught.value.reference == "bad-name"
    assert caught.value.why == why


def test_options_from_python_are_the_options_of_the_magic() -> None:
    """One text where several are allowed, a dictionary where NAME=VALUE is."""
    options = TrainOptions.of({"requires": "a>=1,b", "arg": {"width": 12}, "env": ["A", "B"], "gpu": "T4"})
    assert (options.requires, options.arg, options.env, options.gpu) == (("a>=1,b",), ("width=12",), ("A", "B"), "T4")
    with pytest.raises(CloudMLError, match="There is no option 'gpus'"):
        TrainOptions.of({"gpus": "T4"})


def test_lists_and_pairs() -> None:
    """Commas, spaces and repetition mean the same."""
    assert split_list(("x,y", "z w")) == ("x", "y", "z", "w")
    assert pairs("arg", ("a=1", "b=x=y", "c=")) == {"a": "1", "b": "x=y", "c": ""}
    with pytest.raises(CloudMLError, match="--arg 'nothing' is not understood"):
        pairs("arg", ("nothing",))
