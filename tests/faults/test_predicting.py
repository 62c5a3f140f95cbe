"""The fault matrix's column of predictions: an answer is right or there is none, and what the user reads names the cause."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cloudml_magic import pipeline
from cloudml_magic.errors import CloudMLError
from cloudml_magic.local_platform import lifecycle
from cloudml_magic.local_platform.jobs import process_table
from tests.faults.proxy import Fault, FaultProxy

pytestmark = pytest.mark.slow

_EXPORT = """
import sys, keras, numpy as np
model = keras.Sequential([keras.Input((2,), name="x"), keras.layers.Dense(1, use_bias=False)])
model.layers[0].set_weights([np.ones((2, 1), "float32")])
model.export(sys.argv[1], verbose=False)
"""
PREDICT = ("POST", r":predict")
FAULTS: dict[str, Callable[[], Fault]] = {
    "503": lambda: Fault("status", *PREDICT, status=503, headers={"Retry-After": "1"}, times=2),
    "429": lambda: Fault("status", *PREDICT, status=429, headers={"Retry-After": "1"}, times=2),
    "reset": lambda: Fault("reset", *PREDICT, times=2),
    "lost reply": lambda: Fault("lost_reply", *PREDICT),
    "stall": lambda: Fault("stall", *PREDICT, seconds=5),
}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that adds two numbers."""
    folder = tmp_path_factory.mktemp("exported") / "sums"
    subprocess.run([sys.executable, "-c", _EXPORT, str(folder)], check=True, capture_output=True)
    return folder


@pytest.fixture
def deployed(proxy: FaultProxy, exported: Path, monkeypatch: pytest.MonkeyPatch) -> FaultProxy:
    """The model is deployed once; later tests find it as it was."""
    monkeypatch.setattr("cloudml_magic.client.calls.TIMEOUT_SECONDS", 30.0)
    pipeline.deploy(exported)
    assert asked() == [[3.0]]
    monkeypatch.setattr("cloudml_magic.client.calls.TIMEOUT_SECONDS", 2.0)
    return proxy


def asked() -> list[list[float]]:
    return pipeline.predict("sums", np.array([[1.0, 2.0]])).values


def predictors() -> list[int]:
    """The serving processes of this module's platform."""
    running = lifecycle.find_running()
    assert running is not None
    found = []
    for pid in process_table.descendants(running.pid):
        with contextlib.suppress(FileNotFoundError):
            if b"cloudml_magic.serving" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


@pytest.mark.parametrize("fault", FAULTS)
def test_a_passing_fault_is_survived(deployed: FaultProxy, fault: str) -> None:
    """A question may be asked again: it changes nothing."""
    deployed.script(FAULTS[fault]())
    assert asked() == [[3.0]]


def test_a_lasting_fault_ends_in_one_message(deployed: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its cause and what to do."""
    monkeypatch.setattr("cloudml_magic.client.calls._GIVE_UP_SECONDS", 2.0)
    deployed.script(Fault("status", *PREDICT, status=503, times=1000))
    with pytest.raises(CloudMLError) as caught:
        asked()
    assert caught.value.what == "The model gave no prediction."
    assert caught.value.why and caught.value.next
    deployed.forget()


@pytest.mark.parametrize("kind", ["flip_request", "flip_response"])
@pytest.mark.parametrize("at", [3, 17, 20])
def test_a_byte_that_flips_is_never_an_answer(deployed: FaultProxy, kind: str, at: int) -> None:
    """Once it is asked again; a number that is wrong by one bit is never shown."""
    deployed.script(Fault(kind, *PREDICT, at=at))  # type: ignore[arg-type]
    assert asked() == [[3.0]]


def test_a_serving_process_that_is_killed_is_replaced(deployed: FaultProxy) -> None:
    """As memory's end would kill it: the next question is answered."""
    (before,) = predictors()
    os.kill(before, signal.SIGKILL)
    assert asked() == [[3.0]]
    (after,) = predictors()
    assert after != before


def test_a_killed_platform_answers_again(deployed: FaultProxy) -> None:
    """kill -9 of the server: its serving process ends with it, the next question starts both."""
    (process,) = predictors()
    running = lifecycle.find_running()
    assert running is not None
    boot, started = process_table.boot_id(), process_table.start_time(process)
    os.kill(running.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while process_table.is_alive(process, started, boot):
        assert time.monotonic() < deadline, "an orphan is left"
        time.sleep(0.02)
    deployed.upstream = lifecycle.ensure_running().port
    assert asked() == [[3.0]]


def test_a_kernel_that_dies_in_mid_question_leaves_nothing(deployed: FaultProxy, platform_home: Path) -> None:
    """The platform goes on, and answers the next one."""
    program = (
        "from cloudml_magic import predict\nprint('asking', flush=True)\nwhile True: predict('sums', [[1.0, 2.0]])"
    )
    kernel = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert kernel.stdout is not None and kernel.stdout.readline() == b"asking\n"
    before = len(predictors())
    kernel.kill()
    kernel.wait()
    kernel.stdout.close()
    assert asked() == [[3.0]]
    assert len(predictors()) == before


def test_clocks_may_lie(deployed: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day forward or back: no negative time, no refusal."""
    real = time.time
    for day in (86_400.0, -86_400.0):
        monkeypatch.setattr(time, "time", lambda day=day: real() + day)
        prediction = pipeline.predict("sums", [[1.0, 2.0]])
        assert prediction.values == [[3.0]] and prediction.seconds > 0


def test_many_at_once_are_all_answered(deployed: FaultProxy) -> None:
    """Sixteen threads, none loses its own answer."""
    wrong: list[object] = []

    def ask(number: int) -> None:
        for _ in range(5):
            values = pipeline.predict("sums", [[float(number), 1.0]]).values
            if values != [[number + 1.0]]:
                wrong.append(values)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
