"""The batch process: what it writes, for each format, and what it says of what it cannot predict."""

from __future__ import annotations

import base64
import gzip
import json
import re
import signal
import time
from itertools import pairwise
from pathlib import Path

import pytest

from cloudml_magic.serving.batch.specification import ERRORS, RESULTS
from tests.long_counts import within

from .conftest import Make, rows


def test_every_line_has_its_prediction_in_the_order_of_the_input(batch: Make) -> None:
    """`{"instance": …, "prediction": …}`, one a line; the names are Vertex AI's; nothing else is left beside them."""
    one = batch(rows(10_000))
    code, said, errors = one.run()
    assert (code, errors) == (0, "")
    assert said == (
        "m@1 reads 1 object with 10,000 instances.\nIt answers with ONNX Runtime.\n"
        "Done: 10,000 instances predicted, 0 failed. gs://b/out\n"
    )
    assert one.results() == [{"instance": [n, n + 0.5], "prediction": [2 * n, 2 * n + 1]} for n in range(10_000)]
    assert one.errors() == []
    assert sorted(path.name for path in one.output.iterdir()) == [ERRORS, RESULTS]


def test_several_objects_count_through_and_blank_lines_are_none(batch: Make) -> None:
    """In the order that the specification has; a last line needs no end."""
    one = batch(b"[1, 1]\n\n  \n[2, 2]", "a.jsonl")
    one.add("b.jsonl.gz", gzip.compress(b"[3, 3]\r\n") + gzip.compress(b"[4, 4]\n"))
    one.add("empty.jsonl", b"")
    assert one.run()[0] == 0
    assert [each["instance"][0] for each in one.results()] == [1, 2, 3, 4]


def test_a_bad_row_is_an_error_with_its_line_while_its_neighbours_are_predicted(batch: Make) -> None:
    """Whatever is wrong with it: no JSON, another shape, text, a number that is none, a list too deep, a line too long."""
    lines = [json.dumps([n, n]).encode() for n in range(300)]
    bad = {
        3: (b"[1, 2", '"[1, 2"', "The line is no JSON: unexpected end of data"),
        50: (b"[1, 2, 3]", [1, 2, 3], "Dimension 1 is 3 and must be 2."),
        51: (b'["a", 2]', ["a", 2], "`x` was given the text 'a' at [0]."),
        120: (b'{"y": [1, 2]}', {"y": [1, 2]}, "Rename `y` to `x`."),
        121: (b"NaN", "NaN", "The line is no JSON"),
        200: (b"\xff\x00\xfe", None, "The line is no JSON"),
        201: (b"[" * 50_000, None, "The line is no JSON"),
        202: (b"[" * 900 + b"]" * 900, None, "more than 64 dimensions"),
        250: (b"[" + b"1," * 25_000_000 + b"1]", None, "The line has 50,000,003 bytes; an instance has at most 10,485,760."),
        299: (b"[1e999, 1]", None, "is no"),
    }  # fmt: skip
    for index, (raw, _, _) in bad.items():
        lines[index] = raw
    one = batch(b"\n".join(lines) + b"\n")
    code, _, errors = one.run()
    assert (code, errors) == (0, "")
    assert [each["instance"] for each in one.results()] == [[n, n] for n in range(300) if n not in bad]
    found = one.errors()
    assert [each["line"] for each in found] == [index + 1 for index in bad]
    assert {each["source"] for each in found} == {"gs://b/rows.jsonl"}
    for each, (_, instance, words) in zip(found, bad.values(), strict=True):
        assert words in each["error"]
        if isinstance(instance, list | dict):
            assert each["instance"] == instance
        assert len(json.dumps(each)) < 20_000


def test_lines_are_not_joined_into_instances(batch: Make) -> None:
    """What is an array only together with the next line is two errors."""
    one = batch(b"[1, 2], [3\n4]\n[5, 6]\n[7,\n8]\n")
    one.run()
    assert [each["instance"] for each in one.results()] == [[5, 6]]
    assert [each["line"] for each in one.errors()] == [1, 2, 4, 5]


def test_an_instance_that_the_model_refuses_costs_its_neighbours_nothing(batch: Make, table: tuple[Path, Path]) -> None:
    """Named inputs and outputs; the model itself says no to one row of the batch."""
    lines = [json.dumps({"index": n % 3, "weight": n}) for n in range(100)]
    lines[41] = json.dumps({"index": 7, "weight": 1})
    one = batch("\n".join(lines).encode(), model=table)
    assert one.run()[0] == 0
    assert one.results()[5] == {"instance": {"index": 2, "weight": 5}, "prediction": {"picked": 30.0, "weight": 10.0}}
    assert len(one.results()) == 99
    (error,) = one.errors()
    assert (error["line"], error["instance"]) == (42, {"index": 7, "weight": 1})
    assert error["error"].startswith("The model refuses this instance: ")


def test_a_table_gives_its_columns_to_the_inputs_of_their_names(batch: Make, table: tuple[Path, Path]) -> None:
    """Other columns are left out; a cell that is no number is an error that names its column."""
    content = b'\xef\xbb\xbfnote,weight,index\n"several\nlines, quoted",1.5,2\nx,abc,0\n\ny,2,1.5\nz,3\nw,,1\nv,4,1\n'
    one = batch(content, "t.csv", format="csv", model=table)
    assert one.run()[0] == 0
    assert one.results() == [
        {"instance": {"index": 2, "weight": 1.5}, "prediction": {"picked": 30.0, "weight": 3.0}},
        {"instance": {"index": 1, "weight": 4.0}, "prediction": {"picked": 20.0, "weight": 8.0}},
    ]
    found = [(each["line"], each["error"]) for each in one.errors()]
    assert found[0] == (4, "The cell in column `weight` is `abc`, which is no number.")
    assert found[1][0] == 6
    assert "1.5" in found[1][1]
    assert found[2:] == [
        (7, "The row has 2 cells, but the first line names 3 columns."),
        (8, "The cell in column `weight` is empty, which is no number."),
    ]


def test_a_table_without_the_names_of_inputs_is_vectors(batch: Make) -> None:
    """Each line is one instance of the one input."""
    one = batch(b"a,b\n1,2\n3,4\n", "t.csv", format="csv")
    assert one.run()[0] == 0
    assert one.results() == [
        {"instance": [1.0, 2.0], "prediction": [2.0, 4.0]}, {"instance": [3.0, 4.0], "prediction": [6.0, 8.0]},
    ]  # fmt: skip


def test_a_table_that_lacks_an_input_says_so(batch: Make, table: tuple[Path, Path]) -> None:
    """Before anything is predicted."""
    one = batch(b"index,price\n1,2\n", "t.csv", format="csv", model=table)
    code, _, errors = one.run()
    assert code == 1
    assert errors == (
        "gs://b/t.csv has no column `weight`. The model takes index: int64 [?], weight: float32 [?]. Its columns are"
        " `index` and `price`. Name the columns in the first line as the model's inputs are named.\n"
    )
    assert (one.replica / "message").read_text() == errors.strip()


def test_records_need_a_model_that_takes_bytes(batch: Make) -> None:
    """A model of numbers says what to send in their place."""
    code, _, errors = batch(b"x", "t.tfrecord", format="tf-record").run()
    assert code == 1
    assert errors == (
        "The model cannot take the records of a TFRecord file. A record is bytes: an encoded picture, or a"
        " tf.train.Example. The model takes x: float32 [?, 2]. Send JSON lines or CSV.\n"
    )


def test_a_compressed_object_that_was_cut_off_gives_what_came_before(batch: Make) -> None:
    """The rest is one error, told as a partial failure; the next object is read as if nothing had been."""
    one = batch(gzip.compress(rows(50_000))[:-5000], "a.jsonl.gz")
    one.add("b.jsonl", b"[7, 7]\n")
    one.add("c.jsonl.gz", b"no gzip at all")
    assert one.run()[0] == 0
    found = one.results()
    assert found[-1]["instance"] == [7, 7]
    assert [each["instance"][0] for each in found[:-1]] == list(range(len(found) - 1))
    assert len(found) > 1000
    first, second = one.errors()
    assert first["source"] == "gs://b/a.jsonl.gz"
    assert first["error"] == "The object ends in the middle of its compressed data: it was cut off."
    assert second["error"].startswith("The object's compressed data is damaged: ")
    partial = json.loads((one.state / "confirmed-0.json").read_bytes())["partial"]
    assert partial == [f"{each['source']}: {each['error']}" for each in (first, second)]


def test_rubbish_is_errors_and_nothing_else(batch: Make) -> None:
    """A job of which every instance failed has failed, with the first reason; its errors are there to be read."""
    one = batch(bytes(range(256)) * 40)
    code, _, errors = one.run()
    assert code == 1
    count = len(one.errors())
    assert count > 1
    assert errors.startswith(
        f"None of the {count} instances could be predicted. Line 1 of gs://b/rows.jsonl: The line is no JSON: "
    )
    assert one.results() == []


def test_an_empty_input_has_no_instance(batch: Make) -> None:
    """That is a failure too: somebody expected predictions."""
    one = batch()
    one.add("empty.jsonl", b"")
    assert one.run()[0::2] == (1, "There is no instance in the input.\n")


def test_an_input_that_changed_is_not_read(batch: Make) -> None:
    """Places that were confirmed would be others in it."""
    one = batch(rows(3))
    process = one.start()
    process.kill()
    process.communicate()
    document = json.loads((one.state / "specification.json").read_bytes())
    document["inputs"][0]["modified_ns"] += 1
    one.fields = {"inputs": document["inputs"]}
    code, _, errors = one.run()
    assert code == 1
    assert errors == (
        "gs://b/rows.jsonl is another one now. It changed after the job was sent. Send the job again, and leave its"
        " input as it is until it ends.\n"
    )


@pytest.mark.parametrize("workers", [2, 3, 5])
def test_workers_share_the_input_and_their_outputs_are_joined_in_order(batch: Make, workers: int) -> None:
    """The same bytes as one worker writes, lines of errors included."""
    content = rows(3000).replace(b"[77, 77.5]", b"[77]").replace(b"[2900, 2900.5]", b"oops")
    alone, together = batch(content), batch(content, workers=workers)
    assert alone.run()[0] == together.run()[0] == 0
    assert together.outputs() == alone.outputs()
    assert [each["line"] for each in together.errors()] == [78, 2901]
    events = [json.loads(line) for line in (together.state / "events.jsonl").read_bytes().splitlines()]
    assert {key: events[-1][key] for key in ("kind", "done", "total", "failed")} == {
        "kind": "rows", "done": 3000, "total": 3000, "failed": 2,
    }  # fmt: skip


def test_a_table_with_quotes_is_read_by_one_of_the_workers(batch: Make) -> None:
    """Only reading it tells where its rows begin."""
    content = b"a,b\n" + b"".join(b'"%d",%d\n' % (n, n) for n in range(2000))
    one = batch(content, "t.csv", format="csv", workers=2)
    assert one.run()[0] == 0
    assert [each["instance"][0] for each in one.results()] == list(range(2000))


def test_memory_does_not_grow_with_the_input(batch: Make) -> None:
    """Twenty times the rows take hardly more: pieces wait for each other at every stage."""
    peaks = []
    for count in (50_000, 1_000_000):
        process = batch(rows(count)).start()
        peak = 0
        while process.poll() is None:
            # Of this process alone; what `wait4` tells counts the one that it was forked from.
            found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
            peak = max(peak, int(found[1]) // 1024 if found else 0)
            time.sleep(0.002)
        assert process.communicate()[1] == b""
        assert process.returncode == 0
        peaks.append(peak)
    assert peaks[1] < peaks[0] + 30, peaks


def test_progress_is_told_five_times_a_second_at_most(batch: Make) -> None:
    """Rows only grow, and the last event has them all."""
    one = batch(rows(40_000), batch_size=16)
    assert one.run()[0] == 0
    events = [json.loads(line) for line in (one.state / "events.jsonl").read_bytes().splitlines()]
    done = [event["done"] for event in events]
    assert done == sorted(done)
    assert (done[-1], events[-1]["total"]) == (40_000, 40_000)
    spans = [later["time"] - before["time"] for before, later in pairwise(events[:-1])]
    assert all(span > 0.19 for span in spans)


def test_told_to_stop_by_a_cancel_it_ends_soon_and_leaves_what_is_confirmed(batch: Make) -> None:
    """Both files have their names, whole lines only; the rest is incomplete."""
    one = batch(rows(400_000), batch_size=4)
    process = one.start()
    while one.confirmed() == 0:
        time.sleep(0.005)
    (one.replica / "cancel").touch()
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    process.communicate()
    assert process.returncode == 143
    assert time.monotonic() - began < within(3)
    assert (one.replica / "stopping").exists()
    found = one.results()
    assert 0 < len(found) == one.confirmed() < 400_000
    assert [each["instance"][0] for each in found] == list(range(len(found)))


def test_told_to_stop_otherwise_it_leaves_all_to_be_gone_on_with(batch: Make) -> None:
    """The machine goes down: nothing has its final name, and the next process finishes."""
    one = batch(rows(100_000), batch_size=4)
    process = one.start()
    while one.confirmed() == 0:
        time.sleep(0.005)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 143
    assert not (one.output / RESULTS).exists()
    code, said, _ = one.run()
    assert code == 0
    assert "Goes on after " in said
    assert [each["instance"][0] for each in one.results()] == list(range(100_000))


def test_listed_objects_are_their_content_and_nothing_else_is_read(batch: Make, tmp_path: Path) -> None:
    """Foreign buckets, links out of the bucket, folders and what is missing are errors by line."""
    one = batch(format="file-list", model=(Path("none"), None))
    (tmp_path / "secret").write_bytes(b"secret")
    one.add("names.txt", b"")
    folder = one.folder / "buckets" / "b"
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "way").symlink_to(tmp_path)
    (one.folder / "buckets" / "other-bucket").symlink_to(tmp_path)
    (folder / "good.txt").write_bytes(b"content")
    from cloudml_magic.serving.batch.formats.listed_files import ListedFiles
    from cloudml_magic.serving.batch.pieces import Place
    from cloudml_magic.serving.batch.shares import Range

    names = [
        "gs://bbb/good.txt", "gs://bbb/link", "gs://bbb/way/secret", "gs://other-bucket/secret", "gs://bbb/../b/good.txt",
        "/etc/passwd", "gs://nobody-has-it/x", "gs://bbb", "gs://bbb/none", "\x00", "gs://bbb/good.txt",
    ]  # fmt: skip
    folder.rename(folder.with_name("bbb"))
    listed = tmp_path / "names.txt"
    listed.write_text("\n".join(names))
    part = Range("gs://bbb/names.txt", listed, False, 0, None, 1)
    (piece,) = ListedFiles(100, one.folder / "buckets").pieces(part, Place(0, 0, 1))
    assert (piece.values, piece.lines) == ([b"content", b"content"], [1, 11])
    assert piece.texts == [b'"gs://bbb/good.txt"'] * 2
    assert [each.line for each in piece.refused] == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert base64.b64encode(b"secret") not in b"".join(each.text for each in piece.refused)
