"""Traffic is a hundred percent, however it is shared."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloudml_magic.pipeline.deployment.traffic import WHOLE, joined, without


@st.composite
def splits(draw: st.DrawFn) -> dict[str, int]:
    """Whole numbers that sum to a hundred."""
    cuts = sorted(draw(st.lists(st.integers(0, WHOLE), max_size=5)))
    ends = [*cuts, WHOLE]
    return {str(index + 1): end - start for index, (start, end) in enumerate(zip([0, *cuts], ends, strict=True))}


@given(splits(), st.integers(0, WHOLE))
def test_a_newcomer_gets_what_was_asked_and_the_others_keep_their_proportions(
    split: dict[str, int], percent: int
) -> None:
    """The sum stays a hundred, nobody is below zero, and no share is further than one from its exact part."""
    after = joined(split, "new", percent)
    assert sum(after.values()) == WHOLE and min(after.values()) >= 0
    assert after["new"] == percent
    for id, share in split.items():
        assert abs(after[id] - share * (WHOLE - percent) / WHOLE) <= 1


@given(splits())
def test_who_leaves_is_replaced_by_the_others(split: dict[str, int]) -> None:
    """Nothing is left over, unless nobody is left."""
    leaver = min(split)
    after = without(split, leaver)
    assert leaver not in after
    assert sum(after.values()) == (WHOLE if len(split) > 1 else 0)
    if len(split) > 1 and split[leaver] == 0:
        assert after == {id: share for id, share in split.items() if id != leaver}


def test_the_latest_takes_all_where_nobody_else_had_any() -> None:
    """Undeploying the only version with traffic leaves no endpoint that refuses."""
    assert without({"7": 100, "8": 0, "9": 0}, "7") == {"8": 0, "9": 100}
    assert without({"7": 100}, "7") == {}


def test_a_version_that_is_there_may_change_its_own_share() -> None:
    """Its old share does not count twice."""
    assert joined({"1": 80, "2": 20}, "2", 50) == {"1": 50, "2": 50}
    assert joined({}, "1", 100) == {"1": 100}
