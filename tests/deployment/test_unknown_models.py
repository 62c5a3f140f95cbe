"""What is no model is said to be none, in words that fit any type."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell

from cloudml_magic import pipeline
from cloudml_magic.errors import CloudMLError
from tests.deployment.conftest import Platform


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def test_a_variable_of_another_type_is_no_model(platform: Platform, shell: InteractiveShell) -> None:
    """Of type int, say."""
    shell.user_ns["n"] = 5
    with pytest.raises(CloudMLError) as caught:
        pipeline.deploy("n")
    assert str(caught.value) == (
        "There is no job, model variable or path called 'n'.\n"
        "  Why:  The variable n is of type int, no Keras model.\n"
        "  Next: `%ml_jobs` lists the jobs. A variable must hold a Keras model; a path must lead to a SavedModel folder"
        " or a .keras file.\n"
        "[nothing-to-deploy]"
    )
