"""What is wrong with a request or an answer, by Google's own documents; nothing of ours is trusted but the validator."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from cloudml_magic.dialects.call import Call
from cloudml_magic.discovery import Document, document, violations
from cloudml_magic.discovery.documents import Match

_VERSIONS = {
    "aiplatform": "v1", "artifactregistry": "v1", "cloudbilling": "v1", "cloudbuild": "v1",
    "cloudresourcemanager": "v3", "compute": "v1", "iam": "v1", "logging": "v2", "ml": "v1", "serviceusage": "v1",
    "storage": "v1",
}  # fmt: skip
# A location itself is a path of both APIs; what lies beneath one is Vertex's.
_PATHS = {
    "/v1/projects/[^/]+/locations": "aiplatform",
    r"/v1/projects/[^/]+(?!/locations/[^/]+/)[/:]": "ml",
    "/v2/": "logging",
    "/(storage|upload|resumable|download)/": "storage",
}
_ANY_BODY = "GoogleApi__HttpBody"
_TYPE = re.compile(r"type\.googleapis\.com/google\.cloud\.aiplatform\.v1\.(\w+)")
_TYPES = {"string": str, "integer": int, "boolean": bool}


def api_of(name: str) -> Document:
    """The document of an API by the first word of its methods' ids."""
    return document(f"{name}.{_VERSIONS[name]}")


def api_of_method(method: str) -> Document:
    """The document in which a method is described."""
    return document("serviceusage.v1beta1") if ".consumerQuota" in method else api_of(method.partition(".")[0])


def wrong_with_call(call: Call) -> list[str]:
    """What Google's document does not allow in a request of ours."""
    api = api_of_method(call.method)
    method = api.methods.get(call.method)
    if method is None:
        return [f"{call.method}: there is no such method"]
    rules = {**api.parameters, **method.parameters}
    found = [f"{name} is missing" for name, rule in method.parameters.items()
             if rule.get("required") and name not in call.parameters]  # fmt: skip
    for name, value in call.parameters.items():
        rule = rules.get(name)
        if rule is None:
            found.append(f"{name} is no parameter")
        elif not isinstance(value, list if rule.get("repeated") else _TYPES[rule["type"]]):
            found.append(f"{name}: {value!r} is no {rule['type']}")
        elif "pattern" in rule and not re.fullmatch(rule["pattern"], str(value)):
            found.append(f"{name}: {value!r} does not match {rule['pattern']}")
    if call.body is not None and method.request is None:
        found.append("it takes no body")
    elif call.body is not None and method.request is not None:
        found += [f"{each.field}: {each.description}" for each in violations(api, method.request, call.body)]
    return [f"{call.method}: {text}" for text in found]


def matched(verb: str, path: str) -> list[tuple[Document, Match]]:
    """The methods of Google's that a verb and a path mean: one, but for paths that two APIs have, each at its host."""
    if path.startswith("/ui/"):
        path = path[3:] if path.startswith("/ui/v1/") else "/v1" + path[3:]
    apis = [api_of(name) for start, name in _PATHS.items() if re.match(start, path)]
    return [(api, match) for api in apis if (match := api.match(verb, path)) is not None]


def wrong_with_answer(verb: str, path: str, status: int, content: bytes) -> list[str]:
    """What Google's document does not allow in a JSON answer."""
    answer = json.loads(content) if content else {}
    if status >= 400:
        return [f"{verb} {path} answers {status}: {text}" for text in _wrong_with_error(path, status, answer)]
    found = [_wrong_with_success(api, match, answer) for api, match in matched(verb, path)]
    return [] if [] in found else [text for texts in found for text in texts]


def _wrong_with_success(api: Document, match: Match, answer: Any) -> list[str]:
    if match.method.response == _ANY_BODY:
        return []  # What the serving process answers goes through as it is.
    if match.method.response is None:
        return [f"{match.method.id} answers nothing"] if answer != {} else []
    wrong = [f"{each.field}: {each.description}" for each in violations(api, match.method.response, answer)]
    wrong += [text for message in _typed_messages(answer) for text in _wrong_with_message(api, message)]
    return [f"{match.method.id}: {text}" for text in wrong]


def _wrong_with_error(path: str, status: int, answer: Any) -> Iterator[str]:
    error = answer.get("error") if isinstance(answer, dict) and set(answer) == {"error"} else None
    if not isinstance(error, dict):
        yield f"{answer!r} is no error of Google's"
        return
    is_storage = path.startswith(("/storage/", "/upload/", "/resumable/", "/download/"))
    keys = {"code": int, "message": str} | ({"errors": list} if is_storage else {"status": str})
    for name, kind in keys.items():
        if not isinstance(error.get(name), kind) or not error[name]:
            yield f"{name} is {error.get(name)!r}"
    if error.get("code") != status:
        yield f"its code is {error.get('code')}"
    for name in set(error) - set(keys) - {"details"}:
        yield f"Google's errors have no {name}"


def _typed_messages(value: Any) -> Iterator[Mapping[str, Any]]:
    """What operations carry: messages that say of which type they are."""
    if isinstance(value, dict):
        if "@type" in value:
            yield value
        for item in value.values():
            yield from _typed_messages(item)
    elif isinstance(value, list):
        for item in value:
            yield from _typed_messages(item)


def _wrong_with_message(api: Document, message: Mapping[str, Any]) -> list[str]:
    found = _TYPE.fullmatch(message["@type"])
    schema = f"GoogleCloudAiplatformV1{found[1]}" if found else None
    if schema is None or schema not in api.schemas:
        return []
    plain = {name: item for name, item in message.items() if name != "@type"}
    return [f"{found[1] if found else ''}.{each.field}: {each.description}" for each in violations(api, schema, plain)]
