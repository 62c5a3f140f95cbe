"""What there is, listed; what there is not, said to be missing."""

from __future__ import annotations

import pytest

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline import model_lines, removal_of
from cloudml_magic.records import VersionSpec

from .conftest import Platform


def test_one_version_is_listed_by_its_title(platform: Platform) -> None:
    """Only this one, by its number or its name; an unknown one is refused with those that there are."""
    first = platform.upload(platform.model("models/reg/1"), "reg")
    address, model = platform.model("models/reg/2"), first.model_resource
    second = platform.connection.client.models.upload(
        VersionSpec("reg", address, first.image, parent_model=model, aliases=("best",))
    )
    assert [line.version.title for line in model_lines("reg/1")] == ["reg/1"]
    assert [line.version for line in model_lines("reg/best")] == [second]
    assert len(model_lines("reg")) == len(model_lines()) == 2
    with pytest.raises(CloudMLError) as refused:
        model_lines("reg/3")
    assert refused.value.what == "There is no version reg/3."


def test_a_list_of_models_that_is_cut_off_says_so(platform: Platform) -> None:
    """Eight are named, the others counted."""
    address = platform.model("models/reg/1")
    for number in range(10):
        platform.upload(address, f"m{number}")
    with pytest.raises(CloudMLError) as refused:
        removal_of("other")
    assert refused.value.next == (
        "The models are: m0, m1, m2, m3, m4, m5, m6, m7 and 2 more, which `%ml_models` lists."
    )
