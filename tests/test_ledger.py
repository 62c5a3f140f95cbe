"""The list of what was submitted."""

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from cloudml_magic.errors import CloudMLError
from cloudml_magic.ledger import Ledger
from cloudml_magic.records import Target

PARENT = "projects/local/locations/us-central1"
EARLIER = """
CREATE TABLE submissions (
    number INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL UNIQUE, name TEXT NOT NULL, target TEXT NOT NULL,
    resource_name TEXT, time REAL NOT NULL
)
"""
KERNEL = """
import sys
from pathlib import Path
from cloudml_magic.ledger import Ledger
from cloudml_magic.records import Target
print("ready", flush=True)
sys.stdin.readline()
Ledger(Path(sys.argv[1])).begin(sys.argv[2], "new", Target.CLOUD, "projects/p", 1.0)
"""


@pytest.fixture
def earlier_file(home: Path) -> Path:
    """A ledger of a version that did not note where a submission went: one that arrived, and one without an answer."""
    file = home / "ledger.sqlite"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(EARLIER)
        connection.executemany(
            "INSERT INTO submissions (token, name, target, resource_name, time) VALUES (?, ?, 'cloud', ?, 0)",
            [("a", "arrived", "projects/p/jobs/a"), ("b", "lost", None)],
        )
    return file


def test_finds_the_submissions_of_a_name_latest_first(home: Path) -> None:
    """A name means its latest job."""
    ledger = Ledger()
    for number, name in enumerate(["digits", "mnist", "digits"]):
        ledger.begin(f"t{number}", name, Target.LOCAL, PARENT, float(number))
        ledger.complete(f"t{number}", f"jobs/{number}")
    assert [submission.resource_name for submission in ledger.named("digits")] == ["jobs/2", "jobs/0"]
    assert [submission.name for submission in ledger.latest()] == ["digits", "mnist", "digits"]
    assert ledger.of_resource("jobs/1").token == "t1"  # type: ignore[union-attr]


def test_a_forgotten_submission_leaves_nothing(home: Path) -> None:
    """What was refused is not found later."""
    ledger = Ledger()
    ledger.begin("t", "digits", Target.LOCAL, PARENT, 0.0)
    ledger.forget("t")
    assert ledger.latest() == []


def test_many_kernels_write_at_once(home: Path) -> None:
    """Eight writers with a connection each lose no line."""

    def submit(kernel: int) -> None:
        for number in range(10):
            Ledger().begin(f"{kernel}-{number}", "n", Target.LOCAL, PARENT, 0.0)

    threads = [threading.Thread(target=submit, args=(kernel,)) for kernel in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Ledger().latest()) == 80


def test_an_answer_is_awaited_where_it_was_sent_last(home: Path) -> None:
    """A job that goes elsewhere keeps its name until the answer is known."""
    ledger = Ledger()
    ledger.begin("t", "moving", Target.CLOUD, "projects/p/locations/a", 1.0)
    ledger.complete("t", "projects/p/locations/a/customJobs/1")
    (arrived,) = ledger.latest()
    ledger.move("t", "projects/p/locations/b", 2.0)
    (moving,) = ledger.latest()
    ledger.complete("t", "projects/p/locations/b/customJobs/2")
    (moved,) = ledger.latest()
    assert [line.is_unanswered for line in (arrived, moving, moved)] == [False, True, False]
    assert (moving.resource_name, moving.parent) == (arrived.resource_name, "projects/p/locations/b")
    assert (moving.time, moved.resource_name) == (2.0, "projects/p/locations/b/customJobs/2")


def test_a_file_of_an_earlier_version_is_taken_over(earlier_file: Path) -> None:
    """With all its lines; of them nobody knows where they were sent."""
    ledger = Ledger(earlier_file)
    assert [(line.name, line.parent, line.is_unanswered) for line in ledger.latest()] == [
        ("lost", None, True),
        ("arrived", None, False),
    ]
    ledger.begin("c", "new", Target.CLOUD, PARENT, 1.0)
    assert [line.parent for line in ledger.named("new")] == [PARENT]


def test_many_kernels_take_a_file_over_at_once(earlier_file: Path) -> None:
    """Each writes its line, whichever of them changed the file."""
    pipe = subprocess.PIPE
    kernels = [
        subprocess.Popen(
            [sys.executable, "-c", KERNEL, str(earlier_file), f"k{number}"], stdin=pipe, stdout=pipe, text=True
        )
        for number in range(4)
    ]
    for kernel in kernels:
        assert kernel.stdout is not None and kernel.stdout.readline() == "ready\n"
    for kernel in kernels:
        assert kernel.stdin is not None
        kernel.stdin.write("\n")
        kernel.stdin.flush()
    for kernel in kernels:
        kernel.communicate(timeout=60)
    assert [kernel.returncode for kernel in kernels] == [0] * 4
    assert {line.token for line in Ledger(earlier_file).latest()} == {"a", "b", "k0", "k1", "k2", "k3"}


def test_a_damaged_file_is_named(home: Path) -> None:
    """The user learns which file it is and that the jobs stay."""
    file = home / "ledger.sqlite"
    file.write_bytes(b"no database at all, but long enough to be looked at" * 20)
    with pytest.raises(CloudMLError) as caught:
        Ledger(file).latest()
    assert caught.value.what == f"The ledger {file} cannot be used."
    assert "a damaged file may be moved away, its jobs stay" in caught.value.next
