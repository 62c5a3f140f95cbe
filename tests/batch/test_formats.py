"""Readers against the standard ones: whatever is written by Python or TensorFlow is read as they read it."""

from __future__ import annotations

import csv
import gzip
import io
import json
import struct
from pathlib import Path
from typing import Any

import google_crc32c
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from cloudml_magic.records import Signature, TensorSpec
from cloudml_magic.serving.batch.formats.json_lines import JsonLines
from cloudml_magic.serving.batch.formats.reader import Reader
from cloudml_magic.serving.batch.formats.table import Table
from cloudml_magic.serving.batch.formats.tf_records import TfRecords
from cloudml_magic.serving.batch.pieces import Piece, Place
from cloudml_magic.serving.batch.shares import Range

TEXT = Signature("serving_default", (TensorSpec("text", "string", (None,)),), ())
TEXTS = Signature("serving_default", (TensorSpec("a", "string", (None,)), TensorSpec("b", "string", (None,))), ())
ONE_FILE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

numbers = some.integers(-(2**63), 2**63 - 1) | some.floats(allow_nan=False, allow_infinity=False)
values = some.recursive(
    some.none() | some.booleans() | numbers | some.text(),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(), inner, max_size=4),
    max_leaves=12,
)
arrays = some.integers(1, 4).flatmap(lambda size: some.lists(some.lists(numbers, min_size=size, max_size=size)))
words = some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12)


def read(path: Path, reader: Reader, *, compressed: bool = False, start: int = 0, line: int = 1) -> list[Piece]:
    part = Range("gs://b/o", path, compressed, start, None, line)
    return list(reader.pieces(part, Place(0, start, line)))


def plain(pieces: list[Piece]) -> list[Any]:
    """The values of all pieces as plain ones."""
    return [
        each for piece in pieces for each in (piece.values if isinstance(piece.values, list) else piece.values.tolist())
    ]


@ONE_FILE
@given(instances=some.lists(values) | arrays, rows=some.integers(1, 5), end=some.sampled_from(["\n", "\r\n", "\n\n"]))
def test_json_lines_are_what_json_reads(tmp_path: Path, instances: list[Any], rows: int, end: str) -> None:
    """Each line its value, as itself; and from any piece's end on the rest."""
    path = tmp_path / "o.jsonl"
    path.write_text("".join(json.dumps(each) + end for each in instances), "utf-8", newline="")
    pieces = read(path, JsonLines(rows))
    assert plain(pieces) == instances
    assert [json.loads(text) for piece in pieces for text in piece.texts] == instances
    for index, piece in enumerate(pieces):
        rest = read(path, JsonLines(rows), start=piece.after.offset, line=piece.after.line)
        assert plain(rest) == plain(pieces[index + 1 :])
        assert [n for each in rest for n in each.lines] == [n for each in pieces[index + 1 :] for n in each.lines]


@ONE_FILE
@given(
    content=some.binary(max_size=300) | some.text('[]{}1,.e-" \n', max_size=60).map(str.encode),
    rows=some.integers(1, 5),
)
def test_any_bytes_are_instances_or_errors_by_line(tmp_path: Path, content: bytes, rows: int) -> None:
    """A line is an instance exactly if it is JSON by itself."""
    import orjson

    path = tmp_path / "o.jsonl"
    path.write_bytes(content)
    pieces = read(path, JsonLines(rows))
    good, bad = {}, set()
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.strip():
            try:
                good[number] = orjson.loads(line)
            except ValueError:
                bad.add(number)
    found = dict(zip((n for piece in pieces for n in piece.lines), plain(pieces), strict=True))
    assert found == good
    assert {each.line for piece in pieces for each in piece.refused} == bad


@ONE_FILE
@given(
    table=some.lists(some.tuples(words, words), max_size=12), rows=some.integers(1, 4),
    end=some.sampled_from(["\n", "\r\n"]), mark=some.sampled_from(["", "\ufeff"]),
)  # fmt: skip
def test_tables_are_what_the_csv_module_reads(tmp_path: Path, table: list[Any], rows: int, end: str, mark: str) -> None:
    """Quotes, line breaks in cells, empty cells; and from any piece's end on the rest."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator=end)
    writer.writerows([("a", "b"), *table])
    path = tmp_path / "o.csv"
    path.write_text(mark + stream.getvalue(), "utf-8", newline="")
    pieces = read(path, Table(rows, TEXTS))
    wanted = [{"a": a, "b": b} for a, b in list(csv.reader(io.StringIO(stream.getvalue(), newline="")))[1:]]
    assert plain(pieces) == wanted == [{"a": a, "b": b} for a, b in table]
    for index, piece in enumerate(pieces):
        rest = read(path, Table(rows, TEXTS), start=piece.after.offset, line=piece.after.line)
        assert plain(rest) == plain(pieces[index + 1 :])


@ONE_FILE
@given(content=some.binary(max_size=200), rows=some.integers(1, 3))
def test_any_bytes_as_a_table_end(tmp_path: Path, content: bytes, rows: int) -> None:
    """No row is read twice, nothing is raised but that there is no header."""
    path = tmp_path / "o.csv"
    path.write_bytes(b"a,b\n" + content)
    pieces = read(path, Table(rows, TEXTS))
    lines = [n for piece in pieces for n in (*piece.lines, *(each.line for each in piece.refused))]
    assert len(lines) == len(set(lines))


@ONE_FILE
@given(records=some.lists(some.binary(max_size=50)), rows=some.integers(1, 4), compressed=some.booleans())
def test_records_are_what_was_written(tmp_path: Path, records: list[bytes], rows: int, compressed: bool) -> None:
    """Compressed or not; and from any piece's end on the rest."""
    content = b"".join(map(framed, records))
    path = tmp_path / "o.tfrecord"
    path.write_bytes(gzip.compress(content) if compressed else content)
    pieces = read(path, TfRecords(rows, TEXT), compressed=compressed)
    assert plain(pieces) == records
    for index, piece in enumerate(pieces):
        rest = read(path, TfRecords(rows, TEXT), compressed=compressed, start=piece.after.offset, line=piece.after.line)
        assert plain(rest) == plain(pieces[index + 1 :])


def test_a_damaged_record_is_an_error_of_its_own(tmp_path: Path) -> None:
    """Its neighbours are read; a damaged length ends the object, because nobody knows where the next one begins."""
    path = tmp_path / "o.tfrecord"
    good, bad = framed(b"good"), framed(b"bad!").replace(b"bad!", b"BAD!")
    path.write_bytes(good + bad + good + b"\1" + framed(b"lost")[1:] + good)
    (piece,) = read(path, TfRecords(10, TEXT))
    assert (piece.values, piece.lines) == ([b"good", b"good"], [1, 3])
    assert [(each.line, each.error) for each in piece.refused] == [
        (2, "The record is damaged: its checksum is another one.")
    ]
    assert piece.broken == (
        "Record 4 and all after it cannot be read: The object is no TFRecord file, or damaged: the checksum of a"
        " length is another one."
    )
    path.write_bytes(good + good[:-2])
    (piece,) = read(path, TfRecords(10, TEXT))
    assert (piece.values, piece.broken) == (
        [b"good"],
        "Record 2 and all after it cannot be read: The object ends in the middle of a record: it was cut off.",
    )


@pytest.mark.slow
def test_records_are_what_tensorflow_writes_and_reads(tmp_path: Path) -> None:
    """Both ways: its files are read here, ours there."""
    import tensorflow as tf

    records = [b"", b"a", bytes(range(256)) * 300]
    for kind in ("", "GZIP"):
        path = tmp_path / f"theirs{kind}"
        with tf.io.TFRecordWriter(str(path), kind) as writer:
            for record in records:
                writer.write(record)
        assert plain(read(path, TfRecords(2, TEXT), compressed=bool(kind))) == records
    ours = tmp_path / "ours"
    ours.write_bytes(b"".join(map(framed, records)))
    assert [each.numpy() for each in tf.data.TFRecordDataset(str(ours))] == records


def framed(record: bytes) -> bytes:
    length = struct.pack("<Q", len(record))
    return length + _checksum(length) + record + _checksum(record)


def _checksum(content: bytes) -> bytes:
    value = google_crc32c.value(content)
    return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF)
