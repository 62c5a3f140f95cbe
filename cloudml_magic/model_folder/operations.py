"""Refuses a SavedModel that does more than compute, by the names of its operations, without TensorFlow.

A SavedModel is a program that its maker chose: loading and asking it runs operations with the rights of who serves it.
The numbers are field numbers of TensorFlow's `meta_graph.proto`, `graph.proto`, `function.proto` and `node_def.proto`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cloudml_magic.errors import CloudMLError
from cloudml_magic.model_folder.interface import SAVED_MODEL
from cloudml_magic.model_folder.saved_model import UnreadableError, fields, messages, text_of

_REACHING_OUT = {
    "writes files": re.compile(
        r"WriteFile|DumpTensor|SaveDataset(V2)?|(Experimental)?DatasetToTFRecord|DistributedSave|_?Snapshot.*Dataset.*"
        r"|CalibrationStatisticsSaver|GenerateVocabRemapping"
    ),
    "reads files": re.compile(
        r"ReadFile|MatchingFiles|(Experimental)?MatchingFilesDataset|(WholeFile|TFRecord|TextLine|FixedLengthRecord|LMDB"
        r"|Identity)Reader(V2)?|(TFRecord|TextLine|FixedLengthRecord)Dataset(V2)?|(Experimental)?(CSV|LMDB|Sql)Dataset"
        r"(V2)?|LoadDataset|ListSnapshotChunksDataset|LoadAndRemapMatrix|CacheDataset(V2)?"
    ),
    "runs Python": re.compile(r"_?(Eager)?PyFunc(Stateless)?"),
    "writes event files": re.compile(
        r"ImportEvent|CreateSummary(File|Db)Writer|SummaryWriter|Write(Graph|Histogram|RawProto|Scalar|Audio|Image)?Summary"
        r"|StatsAggregatorSetSummaryWriter|DebugIdentity(V\d)?|Debug(NumericSummary|NanCount)(V\d)?|CopyHost"
    ),
    "talks to other processes": re.compile(
        r"Rpc\w*|DeleteRpc\w*|RemoteCall|RemoteFusedGraphExecute|(Experimental)?(Register|DataService)Dataset\w*|_?Send"
        r"|_?Recv|_?Host(Send|Recv)|_?Xla(Send|Recv)\w*|_?XlaHostCompute\w*|Collective\w*|_?Nccl\w*|FileSystemSetConfiguration"
        r"|\w*DistributedTPU\w*|Bigtable\w*|Kafka\w*"
    ),
    "runs code of its own": re.compile(r"XlaCustomCall(V2)?|_?TPU(Compile|Execute)\w*|_?XlaRun|_?XlaCompile\w*"),
}
_SAVING = re.compile(r"Save(V2|Slices)?|MergeV2Checkpoints")
_RESTORING = re.compile(r"(DTensor)?Restore(V2|Slice)?")
_SAVER = re.compile(r"__inference__traced_(save|restore)_\d+")
_OTHER_FORMS = ("saved_model.pbtxt", "saved_model.cpb")


@dataclass(frozen=True, slots=True)
class _Node:
    names: tuple[str, ...]
    operations: tuple[str, ...]
    inputs: tuple[str, ...]
    content: memoryview


@dataclass(frozen=True, slots=True)
class _Function:
    name: str
    nodes: tuple[_Node, ...]
    content: memoryview


def check_operations(folder: Path, where: str | None = None) -> None:
    """Refuses what is no mere computation; `where` is how errors call the folder."""
    called = where or str(folder)
    for name in _OTHER_FORMS:
        if (folder / name).exists():
            raise _refused(called, f"it is written as {name}", f"What it does cannot be read from {name}.")
    if not (folder / SAVED_MODEL).is_file():
        return
    try:
        for graph in messages(memoryview((folder / SAVED_MODEL).read_bytes()), 2):
            _check_graph(graph, called)
    except UnreadableError as problem:
        raise CloudMLError(
            "saved-model-unreadable",
            f"{called}/{SAVED_MODEL} cannot be read.",
            why=str(problem),
            next="Export the model again; a copy may have been cut off.",
        ) from None


def _check_graph(meta_graph: memoryview, where: str) -> None:
    graphs = list(messages(meta_graph, 2))
    nodes = [_node(each) for graph in graphs for each in messages(graph, 1)]
    functions = [_function(each) for graph in graphs for library in messages(graph, 2) for each in messages(library, 1)]
    _check_assets(meta_graph, where)
    asked = _upstream(nodes, _asked_names(meta_graph))
    restored = asked | _upstream(nodes, _saver_names(meta_graph, 3))
    for node in nodes:
        _check_node(node, "", where, may_save=restored.isdisjoint(node.names), may_restore=asked.isdisjoint(node.names))
    savers = _savers(meta_graph, nodes, functions, asked)
    for function in functions:
        is_saver = function.name in savers
        for node in function.nodes:
            _check_node(node, function.name, where, may_save=is_saver, may_restore=is_saver)


def _check_node(node: _Node, function: str, where: str, *, may_save: bool, may_restore: bool) -> None:
    place = f" in the function {function[:100]}" if function else ""
    for operation in node.operations:
        for does, pattern in _REACHING_OUT.items():
            if pattern.fullmatch(operation):
                raise _refused(where, f"it has the operation {operation}{place}", f"{operation} {does}.")
        # It prints to the terminal unless it is told a file.
        if operation == "PrintV2" and b"file:" in bytes(node.content):
            raise _refused(where, f"it has the operation {operation}{place}", f"{operation} writes files.")
        if _SAVING.fullmatch(operation) and not may_save:
            raise _refused(where, f"it has the operation {operation}{place}", f"{operation} writes files.")
        if _RESTORING.fullmatch(operation) and not may_restore:
            raise _refused(where, f"it has the operation {operation}{place}", f"{operation} reads files.")


def _check_assets(meta_graph: memoryview, where: str) -> None:
    for asset in messages(meta_graph, 6):
        for name in map(text_of, messages(asset, 2)):
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise _refused(
                    where, f"it has the asset {name[:100]!r}", "The file lies outside of the model's folder."
                )


def _savers(meta_graph: memoryview, nodes: list[_Node], functions: list[_Function], asked: set[str]) -> set[str]:
    """The functions with which TensorFlow saves and restores checkpoints, if nothing else names them.

    A name is easily taken: what an answer or an object of the model leads to is no saver, whatever it is called.
    """
    named = {function.name for function in functions if _SAVER.fullmatch(function.name)}
    # TensorFlow writes one of each; a search for many would take long.
    if len(named) > 2:
        return set()
    callers = set(_saver_names(meta_graph, 2)) | set(_saver_names(meta_graph, 3))
    others = [node.content for node in nodes if not callers.issuperset(node.names) or not asked.isdisjoint(node.names)]
    others += messages(meta_graph, 7)
    found = set()
    for name in named:
        elsewhere = [function.content for function in functions if function.name != name]
        if not any(name.encode() in bytes(content) for content in [*others, *elsewhere]):
            found.add(name)
    return found


def _asked_names(meta_graph: memoryview) -> Iterator[str]:
    """The nodes of the main graph that signatures and initialization ask for."""
    for entry in messages(meta_graph, 5):
        for signature in messages(entry, 2):
            for outputs in messages(signature, 2):
                for tensor in messages(outputs, 2):
                    yield from map(text_of, messages(tensor, 1))
    for entry in messages(meta_graph, 4):
        for collection in messages(entry, 2):
            for listed in messages(collection, 1):
                yield from map(text_of, messages(listed, 1))


def _saver_names(meta_graph: memoryview, number: int) -> Iterator[str]:
    for saver in messages(meta_graph, 3):
        yield from (_node_name(text_of(name)) for name in messages(saver, number))


def _upstream(nodes: list[_Node], wanted: Iterable[str]) -> set[str]:
    """The names of all nodes that these need, and their own."""
    inputs: dict[str, list[str]] = {}
    for node in nodes:
        for name in node.names:
            inputs.setdefault(name, []).extend(node.inputs)
    found: set[str] = set()
    waiting = [_node_name(name) for name in wanted]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += map(_node_name, inputs.get(name, ()))
    return found


def _node_name(tensor: str) -> str:
    return tensor.removeprefix("^").partition(":")[0]


def _node(content: memoryview) -> _Node:
    found: dict[int, list[str]] = {1: [], 2: [], 3: []}
    for number, value in fields(content):
        if number in found and not isinstance(value, int):
            found[number].append(text_of(value))
    return _Node(tuple(found[1]), tuple(found[2]), tuple(found[3]), content)


def _function(content: memoryview) -> _Function:
    names = [text_of(name) for signature in messages(content, 1) for name in messages(signature, 1)]
    return _Function(" ".join(names), tuple(_node(each) for each in messages(content, 3)), content)


def _refused(where: str, what: str, why: str) -> CloudMLError:
    return CloudMLError(
        "model-reaches-out",
        f"The model in {where} does more than compute: {what}.",
        why=f"{why} Whoever made the model chose that, and it would happen with your rights.",
        next="If the model is your own, `--trust` serves it.",
    )
