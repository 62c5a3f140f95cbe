"""TFRecord files, read without TensorFlow: a length, its checksum, the bytes, their checksum."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator

import google_crc32c

from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import Signature
from cloudml_magic.serving.batch.formats.reader import MOST_BYTES
from cloudml_magic.serving.batch.pieces import Piece, Place, Refused
from cloudml_magic.serving.batch.shares import Range
from cloudml_magic.serving.batch.streams import BrokenInputError, ByteStream, exactly, open_stream
from cloudml_magic.serving.instances import signature_takes

_LARGEST = 256 * 1024 * 1024
_MASK = 0xA282EAD8
_HEAD, _TAIL = 12, 4


class TfRecords:
    """Reads `tf-record` and `tf-record-gzip`; the number of a record stands for its line."""

    def __init__(self, rows: int, signature: Signature) -> None:
        self._rows = rows
        specs = signature.inputs
        if len(specs) != 1 or specs[0].dtype != "string":
            raise CloudMLError(
                "no-bytes-input",
                "The model cannot take the records of a TFRecord file.",
                why=f"A record is bytes: an encoded picture, or a tf.train.Example. {signature_takes(signature)}",
                next="Send JSON lines or CSV.",
            )
        self._nested = len(specs[0].shape) == 2

    def pieces(self, part: Range, place: Place) -> Iterator[Piece]:
        offset, line = place.offset, place.line
        piece, began = Piece(part.address, [], [], [], place), offset
        with open_stream(part.path, offset, compressed=part.is_compressed) as stream:
            while part.end is None or offset < part.end:
                try:
                    found = read_record(stream)
                except BrokenInputError as problem:
                    piece.broken = f"Record {line} and all after it cannot be read: {problem}"
                    break
                if found is None:
                    break
                record, is_whole, size = found
                if is_whole:
                    piece.lines.append(line)
                    piece.texts.append(b'{"b64":"' + base64.b64encode(record) + b'"}')
                    piece.values.append([record] if self._nested else record)
                else:
                    piece.refused.append(Refused(line, b"null", "The record is damaged: its checksum is another one."))
                offset, line = offset + size, line + 1
                piece.after = Place(place.range, offset, line)
                if len(piece.lines) >= self._rows or offset - began >= MOST_BYTES:
                    yield piece
                    piece, began = Piece(part.address, [], [], [], piece.after), offset
        yield piece


def read_record(stream: ByteStream) -> tuple[bytes, bool, int] | None:
    """The next record, whether its checksum is right, and its size in the file; None at the end."""
    head = exactly(stream, _HEAD)
    if not head:
        return None
    size = record_size(head)
    body = exactly(stream, size + _TAIL)
    if len(body) != size + _TAIL:
        raise BrokenInputError("The object ends in the middle of a record: it was cut off.")
    record = body[:size]
    return record, struct.unpack("<I", body[size:])[0] == _masked(record), _HEAD + size + _TAIL


def record_size(head: bytes) -> int:
    """How long the record after this head is; raises BrokenInputError where it is no head."""
    if len(head) != _HEAD:
        raise BrokenInputError("The object ends in the middle of a record: it was cut off.")
    size, checksum = struct.unpack("<QI", head)
    if checksum != _masked(head[:8]):
        raise BrokenInputError("The object is no TFRecord file, or damaged: the checksum of a length is another one.")
    if size > _LARGEST:
        raise BrokenInputError(f"A record has {size:,} bytes; at most {_LARGEST:,} are read.")
    return int(size)


def _masked(content: bytes) -> int:
    checksum = google_crc32c.value(content)
    return int((checksum >> 15 | checksum << 17) + _MASK) & 0xFFFFFFFF
