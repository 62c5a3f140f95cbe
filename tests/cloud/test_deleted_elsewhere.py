"""A job that was deleted in Google's console: what it left here and in the bucket goes when its user says so."""

from __future__ import annotations

import io
import re
import time
from typing import Any

import pytest

from cloudml_magic import pipeline
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline import Job
from cloudml_magic.pipeline.session import CURRENT, connection, ledger
from tests.cloud.conftest import Cloud
from tests.faults.proxy import Fault


def deleted_elsewhere(name: str) -> Job:
    job = pipeline.train("print('ran')", name=name).wait()
    connection().client.delete(job.resource_name)
    return job


def test_its_error_says_how_to_remove_what_it_left(google_cloud: Cloud, home: object) -> None:
    """It may be wanted: only a word of the user takes it away."""
    job = deleted_elsewhere("digits")
    with pytest.raises(CloudMLError) as caught:
        pipeline.job("digits")
    assert caught.value.reference == "not-found"
    assert caught.value.next == "If it was deleted elsewhere, `%ml_jobs --delete digits` removes what it left."
    assert job.artifacts() and ledger().named("digits")


def test_its_folder_and_its_line_go_when_asked(
    shell: Any,
    google_cloud: Cloud,
    home: object,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The folder is named, and nothing else of the bucket is touched."""
    kept, gone = pipeline.train("print('kept')", name="kept").wait(), deleted_elsewhere("digits")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(CloudMLError, match="Nobody can be asked"):
        shell.run_line_magic("ml_jobs", "--delete digits")
    assert gone.artifacts()
    shell.run_line_magic("ml_jobs", "--delete digits --yes")
    assert f"Deleted what digits, deleted elsewhere, left in {gone.folder}." in capsys.readouterr().out
    assert not gone.artifacts() and kept.artifacts()
    assert [line.name for line in ledger().latest()] == ["kept"]


def test_without_its_folder_its_note_goes(google_cloud: Cloud, home: object) -> None:
    """Where it may be otherwise is said."""
    job = deleted_elsewhere("digits")
    CURRENT.set({"bucket": "another"})
    google_cloud.proxy.script(Fault("status", "GET", r"/b/another/o\?", status=404, message="Not Found"))
    with pytest.raises(CloudMLError):
        pipeline.deletable("digits")
    CURRENT.set({"bucket": "cloudml-local"})
    connection().storage.delete_folder(job.folder)
    gone = pipeline.deletable("digits")
    assert re.fullmatch(
        r"the note of digits, deleted elsewhere \(nothing of it is in the bucket that is set; in another it would be"
        r" jobs/digits-[0-9a-f]{16}\)",
        pipeline.deletion_of([gone]),
    )
    pipeline.delete([gone])
    assert not ledger().latest()


def test_old_ones_go_with_the_old_jobs(google_cloud: Cloud, home: object) -> None:
    """Those of a place that cannot be asked stay: nobody knows whether they are gone."""
    kept, gone = pipeline.train("print('kept')", name="kept").wait(), deleted_elsewhere("digits")
    mine = {kept.resource_name, gone.resource_name}
    soon = time.time() + 10 * 86_400
    found = [one for one in pipeline.older_than("1d", soon) if one.resource_name in mine]
    assert pipeline.deletion_of(found) == (
        f"kept with all that they left in the bucket; what digits, deleted elsewhere, left in {gone.folder}"
    )
    assert not pipeline.older_than("30d", soon)
    google_cloud.proxy.script(Fault("status", "GET", rf"/customJobs/{gone.id}", status=403))
    assert gone.resource_name not in {one.resource_name for one in pipeline.older_than("1d", soon)}
