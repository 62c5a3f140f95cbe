"""One worker's share, in three stages that overlap: read and parse, predict, write."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from queue import Queue

from cloudml_magic.records import ModelInterface, PictureInput, Signature, TensorSpec
from cloudml_magic.serving.batch.confirmed import MOST_PARTIAL, Confirmed, Output, beginning, read_confirmed
from cloudml_magic.serving.batch.formats import reader_of
from cloudml_magic.serving.batch.pieces import Piece, Place, Refused
from cloudml_magic.serving.batch.predictions import Answered, answered, error_lines, prediction_lines, result_lines
from cloudml_magic.serving.batch.questions import Asked, Asker
from cloudml_magic.serving.batch.shares import Range
from cloudml_magic.serving.batch.specification import Specification
from cloudml_magic.serving.engines import Engine

_CONFIRM_SECONDS = 0.5
_AHEAD = 3
_MOST_ROWS, _ROWS_OF_TEXT, _MOST_PICTURES = 4096, 256, 32
_BATCH_BYTES = 4 * 1024 * 1024
_MOST_PIXEL_BYTES = 64 * 1024 * 1024


class ShareWork:
    """Predicts a share from where it was confirmed last; `stop` ends it soon, with what is written confirmed."""

    def __init__(
        self,
        specification: Specification,
        number: int,
        ranges: Sequence[Range],
        interface: ModelInterface,
        engine: Engine,
        progress: Callable[[Confirmed], None],
    ) -> None:
        self._specification = specification
        self._ranges = ranges
        self._engine = engine
        self._progress = progress
        decoders = max(2, len(os.sched_getaffinity(0)))
        self._asker = Asker(interface, engine, decoders, specification.signature)
        self._rows = batch_rows(specification.batch_size, self._asker.signature, self._asker.picture)
        self._outputs = [spec.name for spec in self._asker.asked.outputs]
        # While one batch of pictures is decoded in the graph, another is computed.
        self._predictors = ThreadPoolExecutor(2 if self._asker.picture else 1, thread_name_prefix="predicting")
        self._stopping = threading.Event()
        self._is_through = False
        start = read_confirmed(specification, number) or Confirmed(beginning(ranges))
        self._output = Output(specification, number, start)

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> Confirmed:
        """Returns what is confirmed, which is all of the share unless it was stopped."""
        read: Queue[Asked | BaseException | None] = Queue(_AHEAD)
        predicted: Queue[Future[Answered] | None] = Queue(_AHEAD)
        failures: list[BaseException] = []
        reading = threading.Thread(target=self._read, args=(read,), name="reading", daemon=True)
        writing = threading.Thread(target=self._write, args=(predicted, failures), name="writing", daemon=True)
        reading.start()
        writing.start()
        try:
            while not self._stopping.is_set() and (asked := read.get()) is not None:
                if isinstance(asked, BaseException):
                    raise asked
                predicted.put(self._predictors.submit(answered, asked, self._engine, self._outputs))
            self._is_through = not self._stopping.is_set()
        finally:
            predicted.put(None)
            writing.join()
        if failures:
            raise failures[0]
        return self._output.confirmed

    # --- the first stage ---

    def _read(self, read: Queue[Asked | BaseException | None]) -> None:
        try:
            for piece in self._pieces():
                read.put(self._asker.ask(piece))
                if self._stopping.is_set():
                    break
            read.put(None)
        except BaseException as problem:
            read.put(problem)

    def _pieces(self) -> Iterator[Piece]:
        place = self._output.confirmed.place
        reader = reader_of(self._specification, self._asker.signature, self._rows)
        for index in range(place.range, len(self._ranges)):
            part = self._ranges[index]
            at = place if index == place.range else Place(index, part.start, part.line)
            if part.end is not None and at.offset >= part.end:
                continue
            for piece in reader.pieces(part, at):
                if piece.broken:
                    piece.refused.append(Refused(piece.after.line, b"null", piece.broken))
                    piece.after = _after_range(self._ranges, index, piece.after)
                yield piece

    # --- the third stage ---

    def _write(self, predicted: Queue[Future[Answered] | None], failures: list[BaseException]) -> None:
        confirmed_at = time.monotonic()
        # What loading left is never looked at again, and what a piece leaves is freed without being looked for.
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            while (answer := predicted.get()) is not None:
                if failures:
                    continue
                try:
                    self._write_one(answer.result())
                    if time.monotonic() - confirmed_at >= _CONFIRM_SECONDS:
                        self._output.confirm()
                        gc.collect()
                        confirmed_at = time.monotonic()
                except BaseException as problem:
                    failures.append(problem)
                    self._stopping.set()
            if not failures:
                self._finish(failures)
        finally:
            gc.enable()
            self._output.close()

    def _write_one(self, answer: Answered) -> None:
        before, piece = self._output.written, answer.piece
        failed = len(piece.refused) + len(answer.errors)
        first = before.first_error
        if failed and not first:
            first = _first_error(answer)
        partial = before.partial
        if piece.broken and len(partial) < MOST_PARTIAL:
            partial = (*partial, f"{piece.source}: {piece.broken}")
        after = replace(
            before,
            place=piece.after,
            succeeded=before.succeeded + len(piece.lines) - len(answer.errors),
            failed=before.failed + failed,
            first_error=first,
            partial=partial,
        )
        results = prediction_lines(answer) if self._specification.predictions_only else result_lines(answer)
        self._output.write(results, error_lines(answer), after)
        self._progress(self._output.written)

    def _finish(self, failures: list[BaseException]) -> None:
        try:
            self._output.confirm(finished=self._is_through)
        except BaseException as problem:
            failures.append(problem)


def batch_rows(wanted: int | None, signature: Signature, picture: PictureInput | None) -> int:
    """How many instances are asked at once: what was wished, or what the model's fixed batch or its rows' size says."""
    specs = signature.inputs
    if fixed := next((spec.shape[0] for spec in specs if spec.shape and spec.shape[0]), None):
        return fixed
    if picture is not None:
        weight = picture.height * picture.width * picture.channels * 4
        return max(1, min(wanted or _MOST_PICTURES, _MOST_PIXEL_BYTES // weight))
    if wanted is not None:
        return wanted
    if any(spec.dtype == "string" for spec in specs):
        return _ROWS_OF_TEXT
    return max(1, min(_MOST_ROWS, _BATCH_BYTES // sum(map(_row_bytes, specs))))


def _row_bytes(spec: TensorSpec) -> int:
    size = 8
    for each in spec.shape[1:]:
        size *= each or 64
    return size


def _after_range(ranges: Sequence[Range], index: int, place: Place) -> Place:
    """Where the next range begins; past the last one, nowhere."""
    if index + 1 < len(ranges):
        return Place(index + 1, ranges[index + 1].start, ranges[index + 1].line)
    return Place(index + 1, 0, place.line)


def _first_error(answer: Answered) -> str:
    piece = answer.piece
    found = [(each.line, each.error) for each in piece.refused]
    found += [(piece.lines[row], error) for row, error in answer.errors.items()]
    line, error = min(found)
    return f"Line {line} of {piece.source}: {error}"
