"""The runtime without Keras: cells run as one program, and each end is reported as its user would see it."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from cloudml_magic.records import SourceFile
from tests.long_counts import within

from .packages import events, package, prepared, run


def test_cells_run_as_one_main_program(tmp_path: Path) -> None:
    """Names, functions and classes cross cells; `__main__` is the notebook; arguments arrive."""
    ran = run(
        package(
            "from __future__ import annotations\nimport pickle, sys",
            "class A:\n    x: Undefined = 1\ndef f(): return g()",
            "def g(): return pickle.loads(pickle.dumps(A())).x\nprint(__name__, f(), sys.argv)",
        ),
        tmp_path,
        "--width=64",
    )
    assert ran.err == ""
    assert ran.out == "__main__ 1 ['notebook.py', '--width=64']\n"
    assert [event["kind"] for event in ran.events] == ["started", "finished"]
    assert ran.code == 0


def test_code_can_be_inspected_and_run_in_processes(tmp_path: Path) -> None:
    """`inspect.getsource` finds the cell's text; functions of cells run in worker processes, which rerun nothing."""
    ran = run(
        package(
            "import inspect\ndef square(n):\n    return n * n\n",
            "import multiprocessing\nprint(inspect.getsource(square).splitlines()[1].strip())",
            "with multiprocessing.get_context('fork').Pool(2) as pool: print(pool.map(square, [1, 2, 3]))",
        ),
        tmp_path,
    )
    assert ran.out == "return n * n\n[1, 4, 9]\n"


FAILURES = [
    pytest.param("x = 1\n1 / 0", "error", "ZeroDivisionError: division by zero", 2, "1 / 0", None, id="error"),
    pytest.param(
        "@abs\ndef f(): pass",
        "error",
        "TypeError: bad operand type for abs(): 'function'",
        1,
        "@abs",
        None,
        id="decorator",
    ),
    pytest.param(
        "import cv2_of_nobody.x",
        "missing_module",
        "The module 'cv2_of_nobody' is not installed in the job.",
        1,
        "import cv2_of_nobody.x",
        "Add --requires cv2_of_nobody to the magic's line.",
        id="missing-module",
    ),
    pytest.param(
        "open('data/train.csv')",
        "missing_file",
        "There is no file 'data/train.csv' in the job.",
        1,
        "open('data/train.csv')",
        "Add --data data/train.csv to the magic's line.",
        id="missing-file",
    ),
    pytest.param(
        "open('/no/where.csv')",
        "missing_file",
        "There is no file '/no/where.csv' in the job.",
        1,
        "open('/no/where.csv')",
        "Use a relative path in the code, and --data to bring the file there.",
        id="absolute-file",
    ),
    pytest.param(
        "import numpy as np\nnp.loadtxt('t.txt')",
        "missing_file",
        "There is no file 't.txt' in the job.",
        2,
        "np.loadtxt('t.txt')",
        "Add --data t.txt to the magic's line.",
        id="numpy-file",
    ),
    pytest.param(
        "x = bytearray(1 << 62)",
        "out_of_memory",
        "Out of memory: MemoryError",
        1,
        "x = bytearray(1 << 62)",
        "Use a smaller batch_size or model, or a machine with more memory (--machine, --gpu).",
        id="memory",
    ),
    pytest.param(
        "raise RuntimeError('CUDA out of memory. Tried to allocate 2 GiB')",
        "out_of_memory",
        "Out of memory: CUDA out of memory. Tried to allocate 2 GiB",
        1,
        "raise RuntimeError('CUDA out of memory. Tried to allocate 2 GiB')",
        "Use a smaller batch_size or model, or a machine with more memory (--machine, --gpu).",
        id="cuda-memory",
    ),
    pytest.param(
        "import errno\nraise OSError(errno.ENOSPC, 'No space left on device')",
        "disk_full",
        "The disk is full.",
        2,
        "raise OSError(errno.ENOSPC, 'No space left on device')",
        "Free space, or let the job write less.",
        id="disk-full",
    ),
    pytest.param(
        "print(widht)",
        "error",
        "The name 'widht' is not defined in the job.",
        1,
        "print(widht)",
        "Run the cell that defines widht before this one, or send its value along with --ship widht.",
        id="undefined",
    ),
    pytest.param(
        "import sys\nsys.exit('no data')",
        "error",
        "The code called sys.exit: no data",
        2,
        "sys.exit('no data')",
        None,
        id="exit-message",
    ),
    pytest.param("raise KeyboardInterrupt", "error", "The code was interrupted (KeyboardInterrupt).", 1,
                 "raise KeyboardInterrupt", None, id="interrupt"),
    pytest.param(
        "raise ValueError('\\n' + 'é' * 1000)",
        "error",
        "ValueError: " + "é" * 387 + "…",
        1,
        "raise ValueError('\\n' + 'é' * 1000)",
        None,
        id="long",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("code", "cause", "message", "line", "source_line", "advice"), FAILURES)
def test_a_failure_names_cause_cell_and_line(
    tmp_path: Path, code: str, cause: str, message: str, line: int, source_line: str, advice: str | None
) -> None:
    """One sentence, the cell, the line as the editor counts, the source line, and what to do."""
    ran = run(package("%%ml_train x\n".replace("%%ml_train x", "# first cell"), code), tmp_path)
    failure = ran.failure
    assert (failure["message"], failure["cause"], failure["next"]) == (message, cause, advice)
    assert (failure["cell"], failure["line"], failure["source_line"]) == ("In [2]", line, source_line)
    assert f"In [2], line {line}, in <module>" in failure["traceback"]
    assert "task.py" not in failure["traceback"] and "captured.py" not in failure["traceback"]
    assert failure["traceback"] in ran.err
    assert ran.code == 1
    assert not ran.of("finished")


def test_a_failure_brings_the_line_and_the_two_before_it(tmp_path: Path) -> None:
    """For a card to show; a line as the editor counts it, however odd the characters in it are."""
    failure = run(package("a = 1", "b = 'x\u2028y'\nc = 2\nd = 3\nraise ValueError(b)\ne = 4"), tmp_path).failure
    assert failure["line"] == 4
    assert failure["source"] == [
        {"line": 2, "text": "c = 2"},
        {"line": 3, "text": "d = 3"},
        {"line": 4, "text": "raise ValueError(b)"},
    ]
    assert failure["source_line"] == "raise ValueError(b)"
    assert "line 4, in <module>\n    raise ValueError(b)\n" in failure["traceback"]


def test_the_traceback_goes_through_cells_and_modules(tmp_path: Path) -> None:
    """A frame per cell and per module beside the notebook, none of the runtime; chained errors too."""
    helpers = SourceFile("helpers.py", b"def fail():\n    raise KeyError('k')\n")
    code = "def outer():\n    try:\n        helpers.fail()\n    except KeyError as problem:\n"
    ran = run(
        package(
            "import helpers", code + "        raise ValueError('wrapped') from problem", "outer()", files=(helpers,)
        ),
        tmp_path,
    )
    lines = [line for line in ran.failure["traceback"].splitlines() if ", line " in line]
    assert lines == [
        "  In [2], line 3, in outer",
        '  File "helpers.py", line 2, in fail',
        "  In [3], line 1, in <module>",
        "  In [2], line 5, in outer",
    ]
    assert (ran.failure["cell"], ran.failure["line"]) == ("In [2]", 5)


@pytest.mark.parametrize(("call", "code"), [("sys.exit()", 0), ("sys.exit(0)", 0), ("sys.exit(5)", 5)])
def test_sys_exit_means_what_it_means_in_a_script(tmp_path: Path, call: str, code: int) -> None:
    """Nothing or 0 is success; another number is the job's exit code and a failure."""
    ran = run(package(f"import sys\n{call}"), tmp_path)
    assert ran.code == code
    assert len(ran.of("finished")) == (code == 0)
    assert [event["message"] for event in ran.of("failure")] == (["The code called sys.exit(5)."] if code else [])


def test_exit_functions_and_threads_end_as_in_a_script(tmp_path: Path) -> None:
    """Threads that are no daemons are waited for; `atexit` functions run; the output is whole; no folder stays."""
    ran = run(
        package(
            "import atexit, sys, threading, time",
            "atexit.register(print, 'bye')\nprint(sys.path[0])\n"
            "threading.Thread(target=lambda: (time.sleep(0.2), print('thread'))).start()",
        ),
        tmp_path,
    )
    folder, *rest = ran.out.splitlines()
    assert rest == ["thread", "bye"]
    assert not Path(folder).exists()


def test_sigterm_outside_a_fit_stops_at_once(tmp_path: Path) -> None:
    """Exit code 143, no failure, no `finished`; the supervisor is told that the job is stopping."""
    built = package("import time\nprint('up', flush=True)\ntry:\n    time.sleep(60)\nexcept Exception: pass")
    command, environment = prepared(built, tmp_path)
    environment["CLOUDML_STOPPING"] = str(tmp_path / "stopping")
    process = subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "up\n"
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 143
    assert time.monotonic() - began < within(2)
    assert (tmp_path / "stopping").exists()
    assert [event["kind"] for event in events(tmp_path)] == ["started"]


def test_report_in_a_loop_of_ones_own(tmp_path: Path) -> None:
    """`cloudml_magic.report` is an event and a line; a metric that is no number any more is a warning, once."""
    ran = run(
        package(
            "import numpy as np\nfrom cloudml_magic import report",
            "for step in range(2): report(step, loss=np.float32(0.5) / (1 - step) if step < 1 else float('nan'))",
            "report(accuracy=1)",
        ),
        tmp_path,
    )
    assert ran.out == "step 0 · loss 0.5\nstep 1 · loss nan\naccuracy 1\n"
    assert [(event["step"], event["metrics"]) for event in ran.of("metric")] == [
        (0, {"loss": 0.5}),
        (1, {"loss": "nan"}),
        (None, {"accuracy": 1}),
    ]
    assert [event["message"] for event in ran.of("warning")] == [
        "loss is not a number (nan) from step 1 on; a smaller learning rate or a look at the data may help."
    ]


def test_data_lies_under_its_relative_path(tmp_path: Path) -> None:
    """Files and folders are there before the code runs; what the code writes to them stays in the job."""
    store = tmp_path / "store"
    (store / "images").mkdir(parents=True)
    (store / "d.csv").write_text("1\n")
    (store / "images" / "a.txt").write_text("a")
    code = "print(open('data/d.csv').read(), open('images/a.txt').read())\nopen('data/d.csv', 'w').write('2')"
    ran = run(package(code), tmp_path, data={"data/d.csv": f"{store}/d.csv", "images": f"{store}/images"})
    assert ran.out == "1\n a\n"
    assert (store / "d.csv").read_text() == "1\n"


def test_data_outside_the_working_directory_is_refused(tmp_path: Path) -> None:
    """The environment of a job cannot make the runtime write elsewhere."""
    ran = run(package("print('ran')"), tmp_path, data={"../x": __file__})
    assert ran.failure["message"] == "ValueError: The data path '../x' leaves the working directory."
    assert ran.out == "" and ran.code == 1
