"""A batch that is killed goes on: no instance is missing, none is there twice."""

from __future__ import annotations

import gzip
import json

import pytest

from .conftest import Make, rows


def _with_bad_ones(count: int) -> bytes:
    return rows(count).replace(b"[50, 50.5]", b"[50]").replace(b"[7000, 7000.5]", b"oops")


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_again_and_again_it_writes_what_an_undisturbed_one_does(batch: Make, workers: int) -> None:
    """The same bytes, in results and errors, whenever it was killed."""
    content = _with_bad_ones(60_000)
    calm, killed = batch(content), batch(content, batch_size=4, workers=workers)
    assert calm.run()[0] == 0
    kills = 0
    while kills < 4 and killed.kill_after(1 if kills % 2 else 3000):
        kills += 1
    assert kills >= 2
    assert killed.run()[0] == 0
    assert killed.outputs() == calm.outputs()


@pytest.mark.parametrize(
    ("name", "format"), [("rows.jsonl.gz", "jsonl"), ("rows.csv", "csv"), ("quoted.csv", "csv"), ("rows.csv.gz", "csv")]
)
def test_every_format_finds_its_place_again(batch: Make, name: str, format: str) -> None:
    """Also in what is compressed, and in tables whose rows go over several lines."""
    if format == "csv":
        quote = '"' if name.startswith("quoted") else ""
        content = b"a,b\n" + b"".join(b"%s%d%s,%d\n" % (quote.encode(), n, quote.encode(), n) for n in range(40_000))
        content = content.replace(b"\n900,", b"\nwrong,").replace(b'\n"901",', b'\n"9\n01",')
    else:
        content = _with_bad_ones(40_000)
    if name.endswith(".gz"):
        content = gzip.compress(content, 1)
    calm = batch(content, name, format=format)
    killed = batch(content, name, format=format, batch_size=4)
    assert calm.run()[0] == 0
    assert killed.kill_after(2000)
    assert killed.run()[0] == 0
    assert killed.outputs() == calm.outputs()
    assert len(calm.errors()) == (2 if format == "jsonl" else 1)


def test_a_kill_between_the_names_of_the_outputs_is_no_harm(batch: Make) -> None:
    """All is predicted, only one of the two files has its final name: the next process gives the other its own."""
    one = batch(_with_bad_ones(8000))
    assert one.run()[0] == 0
    before = one.outputs()
    errors = one.output / "prediction.errors_stats-00000-of-00001"
    errors.rename(errors.with_name(f"{errors.name}.0.part"))
    assert one.run()[0] == 0
    assert one.outputs() == before


def test_outputs_that_are_no_longer_there_are_written_anew(batch: Make) -> None:
    """Somebody tidied the bucket up: what was confirmed is not there, so nothing is."""
    calm, one = batch(rows(30_000)), batch(rows(30_000), batch_size=4)
    calm.run()
    assert one.kill_after(1000)
    for part in one.output.glob("*.part"):
        part.unlink()
    assert one.run()[0] == 0
    assert one.outputs() == calm.outputs()


def test_what_was_written_but_not_confirmed_is_cut_off(batch: Make) -> None:
    """Half a line at the end of the outputs is not there when it goes on."""
    calm, one = batch(rows(30_000)), batch(rows(30_000), batch_size=4)
    calm.run()
    assert one.kill_after(1000)
    for part in one.output.glob("*.part"):
        with part.open("ab") as file:
            file.write(b'{"instance": [99')
    confirmed = one.confirmed()
    code, said, _ = one.run()
    assert (code, one.outputs()) == (0, calm.outputs())
    assert f"Goes on after {confirmed:,} of 30,000 instances." in said
    done = [json.loads(line)["done"] for line in (one.state / "events.jsonl").read_bytes().splitlines()]
    assert done[-1] == 30_000
