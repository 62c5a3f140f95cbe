"""What a call needs and may change: by what is known of its name, by the notebook's own functions, else cautiously."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cloudml_magic.source import known_calls
from cloudml_magic.source.effects import STATE, file_name, generator
from cloudml_magic.source.known_calls import PLAIN_ATTRIBUTES
from cloudml_magic.source.names import Code, parameters
from cloudml_magic.source.paths import joined_path
from cloudml_magic.source.words import words
from cloudml_magic.source.world import FRESH, ITERATOR, NO_CODE, NOTHING, PLAIN, Value, merged

if TYPE_CHECKING:
    from cloudml_magic.source.reader import Reader

__all__ = ["BUILTIN_NAMES", "PLAIN_ATTRIBUTES", "read_call", "sets_anything", "shows"]

BUILTIN_NAMES = frozenset(dir(builtins)) | {"display"}
_PLAIN_RESULTS = words(
    """
    len int float bool str repr round abs sum hash id ord chr isinstance issubclass hasattr callable range any
    all getenv exists isfile isdir join basename time perf_counter input hex bin oct format type
    """
)
_ITERATORS = words(
    """
    builtins.map builtins.filter builtins.zip builtins.iter builtins.enumerate builtins.reversed itertools.chain
    itertools.islice itertools.cycle
    """
)
_SETTING_CODE = frozenset({"exec", "eval", "globals"})


def shows(path: str, attribute: str) -> bool:
    """Whether setting this member of a module changes only what is shown."""
    whole = f"{path}.{attribute}"
    return path.partition(".")[0] in known_calls.DISPLAY_MODULES or ".options.display" in whole or "rcParams" in whole


def sets_anything(path: str) -> bool:
    """Whether setting a member of this module may be met by any later code."""
    return path.partition(".")[0] in {"keras", "tensorflow", "tf_keras", "torch", "jax"}


def read_call(reader: Reader, node: ast.Call, *, bare: bool) -> Value:
    """Reads a call and what it comes to."""
    owner: Value | None = None
    if isinstance(node.func, ast.Attribute):
        owner = reader.value(node.func.value)
        called = reader._attribute(owner, node.func.attr)
        name = node.func.attr
    else:
        called = reader.value(node.func)
        name = called.path.rpartition(".")[2] or (node.func.id if isinstance(node.func, ast.Name) else "")
    arguments = [reader.value(part.value if isinstance(part, ast.Starred) else part) for part in node.args]
    arguments += [_keyword(reader, part, called) for part in node.keywords]
    for part, argument in zip(node.args, arguments, strict=False):
        reader.use_up(part, argument)
    _files(reader, node, name)
    _run_codes(reader, called, arguments)
    if called.path and called.kind in {"module", "imported"}:
        return _library_call(reader, node, called, arguments, bare=bare)
    if owner is not None and owner.kind not in {"module", "class"}:
        return _method_call(reader, node, owner, name, arguments, bare=bare)
    if called.kind in {"function", "class"}:
        return _own_call(reader, node, called, arguments)
    if bare:
        reader.change(called)
        for argument in arguments:
            reader.change(argument)
    # What an unknown name makes when it is called does not share with the name: `Dense(1)` after a star import.
    return _result(arguments if called.kind == "unknown" and owner is None else [called, *arguments])


def _keyword(reader: Reader, keyword: ast.keyword, called: Value) -> Value:
    value = reader.value(keyword.value)
    if keyword.arg in {"out", "file"} and value.kind != "plain":
        reader.change(value)
    return value


def _result(values: Sequence[Value]) -> Value:
    whole = merged(values) if values else FRESH
    return Value("display" if whole.kind == "display" else "value", whole.sources, "", whole.codes)


def _run_codes(reader: Reader, called: Value, arguments: Sequence[Value]) -> None:
    """Whatever of the notebook's code a call can reach, it may run."""
    codes = called.codes.union(*(argument.codes for argument in arguments))
    for code in codes:
        summary = reader.summary_of(code)
        reader.changes |= summary.changes
        reader.needs |= summary.reads
        for name in summary.binds:
            if reader.code is None or reader.is_outer(name):
                reader.stored.add(name)
                if reader.world.held.get(name) is None:
                    reader.world.held[name] = FRESH


def _library_call(reader: Reader, node: ast.Call, called: Value, arguments: list[Value], *, bare: bool) -> Value:
    path = called.path
    name = path.rpartition(".")[2]
    if path.partition(".")[0] in known_calls.DISPLAY_MODULES:
        return Value("display", NOTHING)
    if name in {"__import__", "import_module"} and arguments and arguments[0].text:
        return Value("module", path=arguments[0].text)
    _state(reader, path)
    if path.startswith("os.environ.") and name in {"update", "setdefault", "pop", "clear"}:
        reader.changes.add(STATE)
    elif name in _SETTING_CODE and path.startswith("builtins."):
        if name == "exec":
            reader.changes.add(STATE)
    elif name in known_calls.CHANGING_FUNCTIONS and arguments:
        reader.change(arguments[0], by=arguments[1:])
    elif name in known_calls.SHUFFLES and bare:
        for argument in arguments:
            reader.change(argument)
    elif bare and not known_calls.only_reads(path):
        for argument in arguments:
            reader.change(argument)
        if not path.startswith("builtins.") and not known_calls.uses_generator(path):
            reader.change_module(path)
    if name in _PLAIN_RESULTS and (path.startswith(("builtins.", "os.", "time."))):
        text = joined_path(node, reader.text_of)
        return Value("plain", text=text)
    text = joined_path(node, reader.text_of) if name in {"Path", "PurePath"} else None
    codes = NO_CODE.union(*(argument.codes for argument in arguments))
    if text is not None:
        return Value("plain", text=text)
    if path in _ITERATORS:
        return replace(_result(arguments), path=ITERATOR)
    if name in known_calls.FRESH_FUNCTIONS:
        return Value("value", codes=codes)
    return _result(arguments)


def _state(reader: Reader, path: str) -> None:
    for seeded in known_calls.seeded_by(path):
        reader.world.seeded.add(seeded)
        if reader.conditional or reader.code is not None:
            reader.changes.add(generator(seeded))
        else:
            reader.bound.add(generator(seeded))
    if known_calls.sets_state(path) and not known_calls.seeded_by(path):
        reader.changes.add(STATE)
    drawn = known_calls.draws_from(path)
    if drawn is not None and (drawn in reader.world.seeded or reader.code is not None):
        reader.changes.add(generator(drawn))
        reader.needs.add(generator(drawn))


def _method_call(
    reader: Reader, node: ast.Call, owner: Value, name: str, arguments: list[Value], *, bare: bool
) -> Value:
    in_place = any(
        k.arg == "inplace" and not (isinstance(k.value, ast.Constant) and k.value.value is False) for k in node.keywords
    )
    if owner.kind == "display":
        return Value("display")
    if owner.kind == "plain":
        text = joined_path(node, reader.text_of)
        return Value("plain", text=text) if all(a.kind == "plain" for a in arguments) else _result(arguments)
    if in_place or name in known_calls.TRAINING_METHODS:
        reader.change(owner)
    elif name in known_calls.READING_METHODS and not (bare and name in known_calls.SHUFFLES):
        pass
    elif name in known_calls.OWNER_METHODS:
        reader.change(owner, by=arguments)
    else:
        reader.change(owner, by=arguments)
        if bare:
            for argument in arguments:
                reader.change(argument)
    if name in known_calls.FRESH_METHODS:
        return Value("value", codes=owner.codes.union(*(argument.codes for argument in arguments)))
    if name in known_calls.TRAINING_METHODS:
        return _result([owner])
    return _result([owner, *arguments])


def _own_call(reader: Reader, node: ast.Call, called: Value, arguments: list[Value]) -> Value:
    """A call of the notebook's own function or class: its body tells."""
    reader.called |= called.roots
    results: list[Value] = []
    plain = called.kind == "function" and bool(called.codes)
    for code in called.codes:
        body = _constructor(code) if isinstance(code, ast.ClassDef) else code
        if body is None:
            results += arguments
            plain = False
            continue
        summary = reader.summary_of(body)
        given = _given(node, body, arguments, skip=1 if body is not code else 0)
        for parameter, value in given:
            if parameter in summary.changed_parameters:
                reader.change(value)
            if body is not code or parameter in summary.returns:
                results.append(value)
        results += [
            reader.load(name) for name in summary.returns if name not in set(parameters(body)) and " " not in name
        ]
        results.append(Value("value", codes=summary.codes | (frozenset({code}) if body is not code else NO_CODE)))
        plain = plain and summary.returns_plain
    if called.kind == "class":
        return Value("value", _result(results).sources if results else NOTHING, "", called.codes | _codes(arguments))
    return PLAIN if plain else _result(results)


def _codes(values: Sequence[Value]) -> frozenset[Code]:
    return NO_CODE.union(*(value.codes for value in values))


def _constructor(code: ast.ClassDef) -> ast.FunctionDef | None:
    return next((part for part in code.body if isinstance(part, ast.FunctionDef) and part.name == "__init__"), None)


def _given(
    node: ast.Call, code: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, arguments: list[Value], *, skip: int
) -> list[tuple[str, Value]]:
    """Which parameter each argument becomes; with stars any may be any."""
    names = parameters(code)
    positional = [a.arg for a in [*code.args.posonlyargs, *code.args.args]][skip:]
    rest = code.args.vararg.arg if code.args.vararg else None
    spread = code.args.kwarg.arg if code.args.kwarg else None
    pairs: list[tuple[str, Value]] = []
    starred = any(isinstance(part, ast.Starred) for part in node.args) or any(k.arg is None for k in node.keywords)
    if starred:
        return [(name, value) for name in names for value in arguments]
    for index, value in enumerate(arguments[: len(node.args)]):
        name = positional[index] if index < len(positional) else rest
        if name is not None:
            pairs.append((name, value))
    for keyword, value in zip(node.keywords, arguments[len(node.args) :], strict=True):
        pairs.append((keyword.arg if keyword.arg in names else spread or "", value))
    return pairs


def _files(reader: Reader, node: ast.Call, name: str) -> None:
    """A file that earlier code wrote is needed by the call that reads it."""
    writes = name in known_calls.WRITERS or (name == "open" and opens_for_writing(node))
    if not writes and not (name in known_calls.READERS and reader.world.written):
        return
    parts: list[ast.expr] = [*node.args, *(keyword.value for keyword in node.keywords)]
    if isinstance(node.func, ast.Attribute) and name in _ON_PATHS:
        parts.append(node.func.value)
    texts = {text for part in parts if (text := joined_path(part, reader.text_of)) and len(text) < 400}
    for text in texts:
        if writes:
            reader.changes.add(file_name(text))
            reader.world.written.add(text)
            if name in known_calls.FOLDER_MAKERS:
                reader.world.folders.add(text)
        else:
            reader.needs |= {file_name(path) for path in reader.world.written if _within(text, path)}


_ON_PATHS = words(
    """
    mkdir write_text write_bytes read_text read_bytes open iterdir glob rename
    """
)


def _within(text: str, written: str) -> bool:
    return text == written or text.startswith(written.rstrip("/") + "/") or written.startswith(text.rstrip("/") + "/")


def opens_for_writing(node: ast.Call) -> bool:
    """Whether an `open` call makes the file rather than reads it."""
    on_path = isinstance(node.func, ast.Attribute) and not (
        isinstance(node.func.value, ast.Name) and node.func.value.id in {"io", "gzip", "bz2", "lzma", "codecs"}
    )
    mode: ast.expr | None = next((k.value for k in node.keywords if k.arg == "mode"), None)
    at = 0 if on_path else 1
    if mode is None and len(node.args) > at:
        mode = node.args[at]
    return isinstance(mode, ast.Constant) and isinstance(mode.value, str) and bool(set(mode.value) & set("wax"))
