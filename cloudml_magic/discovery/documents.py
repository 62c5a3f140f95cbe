"""Reads the discovery documents that google-api-python-client ships, without importing it.

A document becomes a table `method id → verb, URL pattern, schema`, and answers which method a request means.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from cloudml_magic.errors import CloudMLError

# In `ml` the flatPath of these never matches what clients send (`…/models/M:predict`).
_MATCHED_BY_PATH = frozenset({"ml.projects.predict", "ml.projects.explain"})
_VARIABLE = re.compile(r"\{(\+?)(\w+)\}")


@dataclass(frozen=True)
class _Template:
    """A path with variables; compiled when it is first needed, since a document has a thousand of them."""

    path: str
    part: str
    before: str = ""

    @functools.cached_property
    def pattern(self) -> re.Pattern[str]:
        pieces = [self.before]
        position = 0
        for variable in _VARIABLE.finditer(self.path):
            pieces.append(re.escape(self.path[position : variable.start()]))
            pieces.append(f"(?P<{variable[2]}>{'.+' if variable[1] else self.part})")
            position = variable.end()
        pieces.append(re.escape(self.path[position:]))
        return re.compile("".join(pieces))


@dataclass(frozen=True, slots=True)
class Method:
    """One method of one API, as its document describes it."""

    id: str
    verb: str
    path: str
    parameters: Mapping[str, Mapping[str, Any]]
    request: str | None
    response: str | None
    templates: tuple[_Template, ...] = field(default=(), repr=False)

    def read(self, path: str) -> dict[str, str] | None:
        """The decoded parts of an undecoded path that means this method, else None."""
        for template in self.templates:
            found = template.pattern.fullmatch(path)
            if found:
                return {name: unquote(value) for name, value in found.groupdict().items()}
        return None


@dataclass(frozen=True, slots=True)
class Match:
    """A method that a URL means, with the decoded parts of its path."""

    method: Method
    path_parameters: Mapping[str, str]


@dataclass(frozen=True)
class Document:
    """One API: its methods by id and its schemas by name."""

    name: str
    methods: Mapping[str, Method]
    schemas: Mapping[str, Mapping[str, Any]]
    parameters: Mapping[str, Mapping[str, Any]]

    def matches(self, path: str, verb: str | None = None) -> Iterator[Match]:
        """All methods that an undecoded path may mean, of one verb or whatever the verb."""
        for method in self.methods.values():
            parts = method.read(path) if verb in (None, method.verb) else None
            if parts is not None:
                yield Match(method, parts)

    def match(self, verb: str, path: str) -> Match | None:
        """The method that a verb and an undecoded path mean."""
        return next(self.matches(path, verb), None)

    def only(self, ids: Collection[str]) -> Document:
        """The same document with no other methods than these."""
        kept = {name: method for name, method in self.methods.items() if name in ids}
        return Document(self.name, kept, self.schemas, self.parameters)


@functools.cache
def document(name: str) -> Document:
    """The document of an API by its file's name, `aiplatform.v1` or `storage.v1`."""
    file = _folder() / f"{name}.json"
    try:
        raw = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise CloudMLError(
            "discovery-document-missing",
            f"The discovery document {name}.json is not where google-api-python-client keeps it.",
            why=f"There is no file {file}.",
            next="Reinstall it: pip install --force-reinstall google-api-python-client",
        ) from None
    storage = name.startswith("storage.")
    methods = (_method(entry, raw["servicePath"], by_path=storage) for entry in _entries(raw))
    return Document(
        name=name,
        methods={method.id: method for method in methods},
        schemas=raw["schemas"],
        parameters=raw.get("parameters", {}),
    )


def _folder() -> Path:
    package = importlib.util.find_spec("googleapiclient")
    if package is None or not package.submodule_search_locations:
        raise CloudMLError(
            "google-client-missing",
            "The package google-api-python-client is not installed.",
            why="Google's API documents, which come with it, say which requests exist.",
            next="Install it: pip install google-api-python-client",
        )
    return Path(package.submodule_search_locations[0]) / "discovery_cache" / "documents"


def _entries(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from resource.get("methods", {}).values()
    for child in resource.get("resources", {}).values():
        yield from _entries(child)


def _method(entry: Mapping[str, Any], service_path: str, *, by_path: bool) -> Method:
    use_path = by_path or entry["id"] in _MATCHED_BY_PATH
    path = service_path + (entry["path"] if use_path else entry["flatPath"])
    protocols = entry.get("mediaUpload", {}).get("protocols", {})
    # A colon never belongs to an id, else `models/5@2:deleteVersion` would be an id of `models.delete`.
    plain = _Template("/" + path, "[^/]+", "(?:/download)?") if by_path else _Template("/" + path, "[^/:]+")
    return Method(
        id=entry["id"],
        verb=entry["httpMethod"],
        path="/" + path,
        parameters=entry.get("parameters", {}),
        request=entry.get("request", {}).get("$ref"),
        response=entry.get("response", {}).get("$ref"),
        templates=(plain, *(_Template(protocol["path"], "[^/]+") for protocol in protocols.values())),
    )
