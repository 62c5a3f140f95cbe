"""The split of an endpoint's traffic, by itself."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.predictors.route import Route
from cloudml_magic.local_platform.traffic import check_split, split_after_deploy


def test_requests_are_shared_out_by_percents() -> None:
    """Of ten thousand requests each version gets its share, within what chance allows."""
    targets: Any = {"1": "one", "2": "two", "3": "three"}
    route = Route(targets, (("1", 20), ("2", 75), ("3", 5)), 1.0)
    chance = random.Random(7)
    counted = Counter(route.choose(chance) for _ in range(10_000))
    for name, percent in (("one", 20), ("two", 75), ("three", 5)):
        assert abs(counted[name] / 100 - percent) < 1.5
    assert Route(targets, (), 1.0).choose(chance) is None
    assert Route(targets, (("2", 100),), 1.0).choose(chance) == "two"


@pytest.mark.parametrize(
    ("split", "text"),
    [
        ({"1": 50}, "The percentages of traffic_split add up to 50; they must add up to 100."),
        ({"1": 150, "2": -50}, "traffic_split holds a percentage that is not between 0 and 100."),
        ({"9": 100}, "traffic_split names '9', which is not deployed on the endpoint."),
    ],
)
def test_a_split_adds_up_and_names_what_is_there(split: dict[str, int], text: str) -> None:
    """Percents of what is deployed that add up to 100, or nothing at all."""
    check_split({}, {"1"})
    check_split({"1": 30, "2": 70}, {"1", "2"})
    with pytest.raises(PlatformError) as caught:
        check_split(split, {"1", "2"})
    assert caught.value.message == text


def test_the_new_one_takes_its_id_in_the_split() -> None:
    """`0` stands for it; without a split nothing moves."""
    assert split_after_deploy({"1": 100}, {"0": 20, "1": 80}, "7") == {"7": 20, "1": 80}
    assert split_after_deploy({"1": 100}, {}, "7") == {"1": 100}
