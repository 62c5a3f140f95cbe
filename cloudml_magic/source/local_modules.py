"""Modules and packages beside the notebook: found by name, read as source, their own imports followed."""

from __future__ import annotations

import ast
import os
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import SourceFile

LARGEST_SOURCE = 10 * 1024 * 1024
_NEVER_ENTERED = frozenset({"__pycache__", "node_modules", "site-packages", "venv", "env", "dist-packages"})


@dataclass(frozen=True, slots=True)
class Imported:
    """One module that code imports; `expected` is false where the code itself copes with its absence."""

    module: str
    expected: bool = True
    level: int = 0


def imports_of(tree: ast.AST) -> Iterator[Imported]:
    """Every import in a tree, in functions too, but those under `if TYPE_CHECKING`."""
    waiting: list[tuple[ast.AST, bool]] = [(tree, True)]
    while waiting:
        node, expected = waiting.pop()
        match node:
            case ast.Import(names=names):
                yield from (Imported(alias.name, expected) for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                if module and not level:
                    yield from (Imported(f"{module}.{alias.name}", expected) for alias in names if alias.name != "*")
                    if any(alias.name == "*" for alias in names):
                        yield Imported(module, expected)
            case ast.If(test=test) if _is_type_checking(test):
                waiting += [(part, expected) for part in node.orelse]
            case ast.Try(body=body, handlers=handlers):
                copes = any(_catches_import_error(handler.type) for handler in handlers)
                waiting += [(part, expected and not copes) for part in body]
                waiting += [(part, expected and not copes) for part in [*handlers, *node.orelse, *node.finalbody]]
            case ast.Call(
                func=ast.Name(id="__import__") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield Imported(name, expected)
            case _:
                waiting += [(child, expected) for child in ast.iter_child_nodes(node)]


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _catches_import_error(kind: ast.expr | None) -> bool:
    names = {n.id for n in ast.walk(kind) if isinstance(n, ast.Name)} if kind is not None else {"Exception"}
    return bool(names & {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


@dataclass
class LocalModules:
    """The modules beside a notebook that travel; `also` are further folders on the import path."""

    folder: Path
    also: tuple[Path, ...] = ()
    files: dict[str, SourceFile] = field(default_factory=dict)
    imports: list[Imported] = field(default_factory=list)
    _size: int = 0

    def take(self, module: str) -> bool:
        """Takes the top-level module with all its files, if it lies here."""
        top = module.partition(".")[0]
        if not top.isidentifier() or top in sys.builtin_module_names or top == "cloudml_magic":
            return False
        for folder in (self.folder, *self.also):
            if (folder / f"{top}.py").is_file() and not (folder / top / "__init__.py").is_file():
                self._read(folder, folder / f"{top}.py")
                return True
            if (folder / top).is_dir() and self._package(folder, folder / top):
                return True
        return False

    def _package(self, folder: Path, package: Path) -> bool:
        paths = []
        for where, names, files in os.walk(package):
            names[:] = sorted(n for n in names if n not in _NEVER_ENTERED and not n.startswith("."))
            paths += [Path(where) / name for name in sorted(files) if name.endswith(".py")]
        for path in paths:
            self._read(folder, path)
        return bool(paths)

    def _read(self, folder: Path, path: Path) -> None:
        relative = path.relative_to(folder).as_posix()
        if relative in self.files:
            return
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CloudMLError(
                "module-unreadable", f"{relative}, which the cell imports, cannot be read.",
                why=str(error.strerror or error), next="Make the file readable, or take the import out.",
            ) from error  # fmt: skip
        self._size += len(content)
        if self._size > LARGEST_SOURCE:
            raise CloudMLError(
                "modules-too-large", "The modules beside the notebook that the cell imports are larger than 10 MB.",
                why=f"{relative} was the one too much.",
                next="Import less, or install them as a package and add --requires.",
            )  # fmt: skip
        self.files[relative] = SourceFile(relative, content)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.imports += imports_of(ast.parse(content))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass  # Python itself will say so where the file is imported
