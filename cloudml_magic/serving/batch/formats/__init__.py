"""Each format of input as a reader: from a range of an object to pieces of instances."""

from __future__ import annotations

from cloudml_magic.records import Signature
from cloudml_magic.serving.batch.formats.json_lines import JsonLines
from cloudml_magic.serving.batch.formats.listed_files import ListedFiles
from cloudml_magic.serving.batch.formats.reader import Reader
from cloudml_magic.serving.batch.formats.table import Table
from cloudml_magic.serving.batch.formats.tf_records import TfRecords
from cloudml_magic.serving.batch.specification import Specification

__all__ = ["Reader", "reader_of"]


def reader_of(specification: Specification, signature: Signature, rows: int) -> Reader:
    """The reader of a format, which makes pieces of so many rows."""
    if specification.format in ("jsonl", "text"):
        return JsonLines(rows, or_text=specification.format == "text")
    if specification.format == "csv":
        return Table(rows, signature)
    if specification.format == "file-list":
        return ListedFiles(rows, specification.buckets)
    return TfRecords(rows, signature)
