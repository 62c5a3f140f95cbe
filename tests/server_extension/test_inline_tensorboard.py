"""`%ml_tensorboard`: a frame that this kernel's own Jupyter server fills, or the command that opens one."""

from __future__ import annotations

import re
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from cloudml_magic import notebook
from cloudml_magic.errors import CloudMLError
from cloudml_magic.notebook.jupyter_server import own_server
from tests.browser.jupyter import Jupyter
from tests.server_extension.conftest import send
from tests.server_extension.test_tensorboard import WRITING

pytestmark = pytest.mark.slow


@pytest.fixture
def shell(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A kernel's shell that no server has started."""
    for name in ("CLOUDML_LAB", "JPY_PARENT_PID"):
        monkeypatch.delenv(name, raising=False)
    # What displays asks for the one shell of its process.
    shell = InteractiveShell.instance()
    notebook.register(shell)
    yield shell
    notebook.unregister(shell)
    InteractiveShell.clear_instance()


@pytest.fixture(scope="module")
def running_jupyter(user: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """A Jupyter server of the same user, for all these tests."""
    server = Jupyter(tmp_path_factory.mktemp("jupyter"))
    server.home = user
    server.start()
    yield server
    server.end_server()


@pytest.fixture
def jupyter(shell: InteractiveShell, running_jupyter: Jupyter, monkeypatch: pytest.MonkeyPatch) -> Jupyter:
    """That server; what it says to its kernels is said here."""
    (told,) = (running_jupyter.folder / "runtime").glob("jpserver-*.json")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(told.parent))
    monkeypatch.setenv("JPY_PARENT_PID", re.sub(r"\D", "", told.stem))
    monkeypatch.setenv("CLOUDML_LAB", "a-session")
    return running_jupyter


@pytest.fixture(scope="module")
def two_jobs(at_home: None) -> None:
    """`first` and `second`, which have written events of TensorBoard."""
    for job in [send(WRITING, name) for name in ("first", "second")]:
        job.wait()


def run(shell: InteractiveShell, line: str) -> Any:
    with capture_output() as captured:
        shell.run_line_magic("ml_tensorboard", line)
    return captured


def test_a_frame_of_two_jobs(shell: InteractiveShell, jupyter: Jupyter, two_jobs: None) -> None:
    """Its address is TensorBoard behind the server, which asks for its own token."""
    (shown,) = run(shell, "first second --height 500").outputs
    frame = re.search(r'<iframe src="(/cloudml/v1/tensorboard/\w+/)" [^>]*height="500"', shown.data["text/html"])
    assert frame is not None
    address = f"{jupyter.address}{frame[1]}data/runs"
    request = urllib.request.Request(address, headers={"Authorization": f"token {jupyter.token}"})
    deadline = time.monotonic() + 60
    while (runs := urllib.request.urlopen(request, timeout=30).read()) != b'["first", "second"]':
        assert time.monotonic() < deadline, runs
        time.sleep(0.2)


def test_what_the_server_refuses_is_said(shell: InteractiveShell, jupyter: Jupyter) -> None:
    """In its words, not as a status of HTTP."""
    server = own_server()
    assert server is not None
    with pytest.raises(CloudMLError) as caught:
        server.post("tensorboard", {"jobs": ["12345"]})
    assert caught.value.what and caught.value.reference != "bad-option"


def test_without_a_server_the_command_is_said(shell: InteractiveShell, home: Path, two_jobs: None) -> None:
    """One folder, or several by name."""
    folder = home / ".local/share/cloudml-magic/buckets"
    one = run(shell, "first").stdout
    assert re.fullmatch(rf"TensorBoard opens with\n    tensorboard --logdir {folder}/\S+/logs\n", one)
    both = run(shell, "first second").stdout
    assert re.search(rf"--logdir_spec first:{folder}/\S+/logs,second:{folder}/\S+/logs\n", both)
    assert [Path(part).is_dir() for part in re.findall(r":(/[^,\n]+)", both)] == [True, True]
