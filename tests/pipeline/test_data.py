"""Data files and folders: where the job sees them, and addresses that follow from their content."""

from pathlib import Path
from typing import cast

import numpy as np
import pytest

from cloudml_magic.connection import Connection
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.data import parse_data, prepare_data, prepare_shipped
from cloudml_magic.records import DataFile, ShippedValue
from cloudml_magic.storage import Address

BUCKET = Address("b")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data.csv", DataFile("data.csv", "data.csv")),
        ("./Train/", DataFile("./Train/", "Train")),
        ("train=gs://bucket/x", DataFile("gs://bucket/x", "train")),
        ("gs://bucket/deep/test", DataFile("gs://bucket/deep/test", "test")),
        ("/tmp/points.csv", DataFile("/tmp/points.csv", "points.csv")),
    ],
)
def test_an_address_and_the_path_in_the_job(text: str, expected: DataFile, tmp_path: Path) -> None:
    """The path is the natural one unless it is named."""
    assert parse_data((text,), tmp_path) == (expected,)


@pytest.mark.parametrize("text", ["../up=data.csv", "..", "a/../../b=data.csv", "nul\0=x"])
def test_a_path_that_leads_out_of_the_job_is_refused(text: str, tmp_path: Path) -> None:
    """The job's folder is the job's world."""
    with pytest.raises(CloudMLError) as caught:
        parse_data((text,), tmp_path)
    assert caught.value.reference == "bad-data-path"


def test_the_same_content_has_the_same_address(tmp_path: Path) -> None:
    """Unchanged data is not sent twice; one changed byte is another address."""
    (tmp_path / "a.csv").write_text("1,2")
    first, _ = prepare_data([DataFile("a.csv", "a.csv")], tmp_path, BUCKET)
    (tmp_path / "a.csv").write_text("1,2")
    again, _ = prepare_data([DataFile("a.csv", "a.csv")], tmp_path, BUCKET)
    (tmp_path / "a.csv").write_text("1,3")
    changed, _ = prepare_data([DataFile("a.csv", "a.csv")], tmp_path, BUCKET)
    assert first == again != changed


def test_a_folder_goes_up_whole(tmp_path: Path) -> None:
    """Every file beneath it, at its relative path, under one address."""
    (tmp_path / "Train/cats").mkdir(parents=True)
    (tmp_path / "Train/cats/1.png").write_bytes(b"1")
    (tmp_path / "Train/2.png").write_bytes(b"22")
    addresses, (upload,) = prepare_data([DataFile("Train", "train")], tmp_path, BUCKET)
    assert (upload.names, upload.size) == (("2.png", "cats/1.png"), 3)
    assert addresses["train"] == str(upload.address)


@pytest.mark.parametrize("address", ["Train", "Train/1.csv"])
def test_what_changed_since_its_address_was_made_is_not_sent(address: str, tmp_path: Path) -> None:
    """The job would find something else than what its submission says."""
    (tmp_path / "Train").mkdir()
    file = tmp_path / "Train/1.csv"
    file.write_text("1,2")
    _, (upload,) = prepare_data([DataFile(address, "x")], tmp_path, BUCKET)
    file.write_text("1,3,")
    with pytest.raises(CloudMLError) as caught:
        upload.send(cast(Connection, None))
    assert str(caught.value) == (
        f"{file} changed while it was sent.\n"
        "  Why:  Its address in the bucket follows from what it held before; nothing else may lie there.\n"
        "  Next: Run the cell again when nothing writes to it any more.\n"
        "[data-changed]"
    )


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """With the place where it was looked for."""
    with pytest.raises(CloudMLError) as caught:
        prepare_data([DataFile("gone.csv", "gone.csv")], tmp_path, BUCKET)
    assert caught.value.what == "--data gone.csv cannot be read."
    assert str(tmp_path / "gone.csv") in caught.value.why


def test_what_cannot_be_shipped_is_refused_by_name() -> None:
    """An array of Python objects, or a frame that holds them, ends in one message and no traceback of ours."""
    objects = np.array([{}, 1], dtype=object)
    with pytest.raises(CloudMLError) as caught:
        prepare_shipped([ShippedValue("odd", "numpy", "NumPy array (2,) object")], {"odd": objects}, BUCKET)
    assert str(caught.value) == (
        "--ship odd: NumPy array (2,) object cannot be shipped.\n"
        "  Why:  It holds Python objects; only numbers, texts and dates travel without running code.\n"
        "  Next: Turn it into an array of numbers or texts, or write it to a file and add --data FILE.\n"
        "[unshippable-value]"
    )
