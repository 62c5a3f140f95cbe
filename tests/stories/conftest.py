"""Stories share one HOME, and so one platform and its warm spare, as the notebooks of one user do."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.homes import end_platform, home_of

sys.path.insert(0, str(Path(__file__).parent))
from real_notebook import Notebook


@pytest.fixture(scope="session")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The HOME of a user whose platform is stopped at the end."""
    folder = tmp_path_factory.mktemp("user")
    yield folder
    end_platform(folder)


@pytest.fixture(scope="module", autouse=True)
def at_home(user: Path) -> Iterator[None]:
    with home_of(user):
        yield


@pytest.fixture(scope="module")
def kernel(user: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    """One kernel for the stories of a module; it has loaded the extension."""
    with Notebook(tmp_path_factory.mktemp("notebook")) as notebook:
        assert not notebook.run("%load_ext cloudml_magic").error
        yield notebook
