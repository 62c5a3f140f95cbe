"""Secrets never reach the log, however the output is cut; everything else does."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudml_magic.local_platform.jobs.supervised_output import MASK, Masker, OutputLog
from cloudml_magic.local_platform.logs import LogLine, ReplicaLog


@given(
    secret=st.binary(min_size=4, max_size=12),
    around=st.lists(st.binary(max_size=20), min_size=2, max_size=4),
    cuts=st.lists(st.integers(0, 100), max_size=8),
)
def test_a_secret_is_masked_wherever_the_output_is_cut(secret: bytes, around: list[bytes], cuts: list[int]) -> None:
    """Cutting the stream anywhere shows the same as not cutting it."""
    text = secret.join(around)
    masker = Masker([secret])
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    shown = b"".join(masker.feed(text[a:b]) for a, b in itertools.pairwise(places)) + masker.flush()
    assert shown == text.replace(secret, MASK)


@pytest.mark.parametrize("text", [b"opensesame", b"xopen sesamex", b"ababa", b"open", b"openses", b"abopensesame"])
def test_secrets_that_contain_each_other(text: bytes) -> None:
    """Byte by byte gives what the whole gives, and no secret is left in it."""
    secrets = [b"opensesame", b"open", b"aba"]
    whole, slow = Masker(secrets), Masker(secrets)
    expected = whole.feed(text) + whole.flush()
    assert b"".join(slow.feed(text[i : i + 1]) for i in range(len(text))) + slow.flush() == expected
    assert not any(secret in expected for secret in secrets)


def test_what_is_no_secret_is_not_held_back() -> None:
    """A log shows a line when it is printed."""
    assert Masker([b"secret"]).feed(b"a line\n") == b"a line\n"
    assert Masker([]).feed(b"sec") == b"sec"


def test_a_flood_keeps_its_beginning_and_its_end(tmp_path: Path) -> None:
    """Both bounded; the index says which bytes are whose and when."""
    log = OutputLog(str(tmp_path), [], head=100, tail=100)
    for number in range(100):
        log.feed(1 + number % 2, f"{number:09}\n".encode())
    log.close()
    lines = (tmp_path / "output.log").read_text().splitlines()
    assert lines[:10] == [f"{number:09}" for number in range(10)]
    assert lines[-10:] == [f"{number:09}" for number in range(90, 100)]
    assert "[… 790 bytes of output are left out here …]" in lines
    index = [line.split() for line in (tmp_path / "output.index").read_text().splitlines()]
    content = (tmp_path / "output.log").read_bytes()
    assert [content[int(offset) :][:10] for _, offset, stream in index if stream == "1"][:2] == [
        b"000000000\n",
        b"000000002\n",
    ]


def test_a_reader_in_between_sees_each_line_as_it_will_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads between any two writes gets each line with the time and stream that it keeps."""
    log, reader = OutputLog(str(tmp_path), []), ReplicaLog(tmp_path)
    seen: list[LogLine] = []
    write = os.write

    def watched(descriptor: int, content: bytes) -> int:
        done = write(descriptor, content)
        seen.extend(reader.lines(seen[-1].end if seen else 0))
        return done

    monkeypatch.setattr(os, "write", watched)
    for stream, chunk in [(1, b"out\n"), (2, b"error\n"), (1, b"a\nb"), (2, b"E"), (1, b"c\n"), (2, b"\n")]:
        log.feed(stream, chunk)
    log.close()
    monkeypatch.undo()
    assert seen == list(ReplicaLog(tmp_path).lines())
    assert [(line.text, line.severity) for line in seen[:2]] == [("out", "INFO"), ("error", "ERROR")]
    assert all(line.time > 0 for line in seen)


def test_a_torn_line_of_the_index_harms_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a disk that is full for a moment, what was half written is not read together with what comes next."""
    log = OutputLog(str(tmp_path), [])
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:5]))
    log.feed(1, b"lost\n")
    monkeypatch.undo()
    log.feed(2, b"kept\n")
    log.close()
    lines = list(ReplicaLog(tmp_path).lines())
    assert [(line.text, line.severity) for line in lines] == [("lost", "INFO"), ("kept", "ERROR")]
    assert lines[1].time > 1_000_000_000
