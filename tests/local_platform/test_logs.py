"""A replica's captured bytes as lines."""

from __future__ import annotations

import time
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudml_magic.local_platform.logs import LONGEST_LINE, LogLine, ReplicaLog
from tests.long_counts import within


def write(folder: Path, *pieces: tuple[int, bytes]) -> ReplicaLog:
    log, index, offset = b"", "", 0
    for number, (stream, content) in enumerate(pieces):
        index += f"{1000 + number}.5 {offset} {stream}\n"
        log += content
        offset += len(content)
    (folder / "output.log").write_bytes(log)
    (folder / "output.index").write_text(index)
    return ReplicaLog(folder)


def test_lines_have_the_time_and_severity_of_their_piece(tmp_path: Path) -> None:
    """A line is dated and judged by the piece in which it begins; the other stream breaks a line off."""
    log = write(tmp_path, (1, b"a\nb"), (1, b"c\nd"), (2, b"E\n"), (1, b"f"))
    assert [(line.text, line.time, line.severity) for line in log.lines()] == [
        ("a", 1000.5, "INFO"),
        ("bc", 1000.5, "INFO"),
        ("d", 1001.5, "INFO"),
        ("E", 1002.5, "ERROR"),
    ]
    assert [line.text for line in log.lines(ended=True)][-1] == "f"


def test_a_line_without_end_is_cut(tmp_path: Path) -> None:
    """A gigabyte without a newline becomes lines of 64 KiB, in bounded memory and time."""
    log = write(tmp_path, (1, b"x" * (LONGEST_LINE * 40 + 5)))
    began = time.monotonic()
    assert [len(line.text) for line in log.lines(ended=True)] == [LONGEST_LINE] * 40 + [5]
    assert time.monotonic() - began < within(2)


def test_structured_lines_keep_their_fields(tmp_path: Path) -> None:
    """A line that is a JSON object gives its severity and message; hostile ones stay text or harmless."""
    deep = b"[" * 5_000
    log = write(
        tmp_path, (1, b'{"severity":"bogus","message":"m","n":NaN}\n{"a":' + deep + b'}\n{}\n[1]\n{"a":"\\ud800"}\n')
    )
    lines = list(log.lines())
    assert (lines[0].text, lines[0].severity, lines[0].payload) == ("m", "INFO", {"message": "m", "n": "NaN"})
    assert lines[1].payload is None
    assert (lines[2].payload, lines[3].payload) == ({}, None)
    assert lines[4].payload == {"a": "?"}


def test_a_missing_or_damaged_index_hides_no_line(tmp_path: Path) -> None:
    """Lines are shown even where the index says nothing or nonsense of them."""
    log = write(tmp_path, (1, b"a\nb\n"))
    (tmp_path / "output.index").write_bytes(b"\xff nonsense\n5\n\n1000.5 zero 1\n")
    assert [line.text for line in log.lines()] == ["a", "b"]
    (tmp_path / "output.index").unlink()
    assert [line.text for line in ReplicaLog(tmp_path).lines()] == ["a", "b"]
    assert list(ReplicaLog(tmp_path / "nowhere").lines()) == []


PIECES = st.lists(
    st.tuples(st.sampled_from([1, 2]), st.sampled_from([b"a", b"\n", b"bb\n", b"c\nd", b"\xff"])), max_size=12
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(PIECES, st.integers(0, 12))
def test_reading_on_is_reading_at_once(tmp_path: Path, pieces: list[tuple[int, bytes]], cut: int) -> None:
    """Whoever reads a growing log piece by piece, each time from the last line's end, sees what one reading shows."""
    whole: list[LogLine] = []
    offset = 0
    for end in (min(cut, len(pieces)), len(pieces)):
        for line in write(tmp_path, *pieces[:end]).lines(offset, ended=end == len(pieces)):
            whole.append(line)
            offset = line.end
    assert whole == list(write(tmp_path, *pieces).lines(ended=True))
    for count in range(5):
        tail = list(ReplicaLog(tmp_path).lines(ReplicaLog(tmp_path).tail_offset(count), ended=True))
        assert tail == (whole[len(whole) - len(tail) :] if tail else [])
