"""Pictures as a batch, with TensorFlow: listed, as records, and as JSON; one that is none costs the others nothing."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import Batch
from .test_formats import framed

pytestmark = pytest.mark.slow
_EXPORT = """
import sys, keras
from cloudml_magic.trainer.export import export_model
model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.GlobalAveragePooling2D()])
export_model(model, sys.argv[1], name="means", warn=print)
"""


@pytest.fixture(scope="module")
def means(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that answers the mean of each colour."""
    folder = tmp_path_factory.mktemp("means") / "model"
    subprocess.run([sys.executable, "-c", _EXPORT, str(folder)], check=True, capture_output=True)
    return folder


def picture(number: int) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (9, 7), (number, 2 * number, 100)).save(stream, "PNG")
    return stream.getvalue()


def checked(batch: Batch, bad: dict[int, str], count: int) -> list[Any]:
    """Runs it; all but the bad ones have the mean of their colours."""
    code, _, errors = batch.run()
    assert code == 0, errors
    good = [number for number in range(count) if number not in bad]
    for each, number in zip(batch.results(), good, strict=True):
        assert each["prediction"] == pytest.approx([number, 2 * number, 100], abs=0.01)
    found = batch.errors()
    assert [each["line"] for each in found] == [number + 1 for number in bad]
    for each, words in zip(found, bad.values(), strict=True):
        assert words in each["error"]
    return batch.results()


def test_pictures_by_list_records_and_json(tmp_path: Path, means: Path) -> None:
    """The same answers whatever they came in; a listed one is written as its address."""
    contents = [picture(number) for number in range(40)]
    contents[11] = b"no picture"
    contents[30] = contents[30][:50]
    bad = {11: "no JPEG, PNG, GIF or BMP picture", 30: "The model refuses this instance"}
    listed = Batch(tmp_path / "listed", means, None, "file-list")
    for number, content in enumerate(contents):
        listed.add(f"{number}.png", content)
    listed.inputs.clear()
    (listed.folder / "buckets" / "b").rename(listed.folder / "buckets" / "bbb")
    listed.add("names.txt", b"".join(b"gs://bbb/%d.png\n" % number for number in range(40)))
    assert checked(listed, bad, 40)[1]["instance"] == "gs://bbb/1.png"
    records = Batch(tmp_path / "records", means, None, "tf-record")
    records.add("p.tfrecord", b"".join(map(framed, contents)))
    encoded = [{"b64": base64.b64encode(content).decode()} for content in contents]
    assert checked(records, bad, 40)[1]["instance"] == encoded[1]
    as_json = Batch(tmp_path / "json", means, None, "jsonl")
    as_json.add("p.jsonl", "\n".join(map(json.dumps, encoded)).encode())
    assert checked(as_json, bad, 40)[1]["instance"] == encoded[1]
