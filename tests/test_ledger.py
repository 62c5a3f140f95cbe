"""The list of what was submitted."""

import threading
from pathlib import Path

import pytest

from cloudml_magic.errors import CloudMLError
from cloudml_magic.ledger import Ledger
from cloudml_magic.records import Target


def test_finds_the_submissions_of_a_name_latest_first(home: Path) -> None:
    """A name means its latest job."""
    ledger = Ledger()
    for number, name in enumerate(["digits", "mnist", "digits"]):
        ledger.begin(f"t{number}", name, Target.LOCAL, float(number))
        ledger.complete(f"t{number}", f"jobs/{number}")
    assert [submission.resource_name for submission in ledger.named("digits")] == ["jobs/2", "jobs/0"]
    assert [submission.name for submission in ledger.latest()] == ["digits", "mnist", "digits"]
    assert ledger.of_resource("jobs/1").token == "t1"  # type: ignore[union-attr]


def test_a_forgotten_submission_leaves_nothing(home: Path) -> None:
    """What was refused is not found later."""
    ledger = Ledger()
    ledger.begin("t", "digits", Target.LOCAL, 0.0)
    ledger.forget("t")
    assert ledger.latest() == []


def test_many_kernels_write_at_once(home: Path) -> None:
    """Eight writers with a connection each lose no line."""

    def submit(kernel: int) -> None:
        for number in range(10):
            Ledger().begin(f"{kernel}-{number}", "n", Target.LOCAL, 0.0)

    threads = [threading.Thread(target=submit, args=(kernel,)) for kernel in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Ledger().latest()) == 80


def test_a_damaged_file_is_named(home: Path) -> None:
    """The user learns which file it is and that the jobs stay."""
    file = home / "ledger.sqlite"
    file.write_bytes(b"no database at all, but long enough to be looked at" * 20)
    with pytest.raises(CloudMLError) as caught:
        Ledger(file).latest()
    assert caught.value.what == f"The ledger {file} cannot be used."
    assert "a damaged file may be moved away, its jobs stay" in caught.value.next
