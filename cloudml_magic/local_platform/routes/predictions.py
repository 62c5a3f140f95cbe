"""Vertex AI: predict and rawPredict, which go through to the serving process untouched, on the event loop."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial

from cloudml_magic.discovery import Document, normalise, normalise_parameters
from cloudml_magic.local_platform.buckets.digests import crc32c_of, declared_digests
from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.predictors.connection import Answer, ConnectionLostError, NotListeningError
from cloudml_magic.local_platform.predictors.deployments import Deployments
from cloudml_magic.local_platform.predictors.route import Route, Target
from cloudml_magic.local_platform.resources.names import resource_name
from cloudml_magic.local_platform.wire import Request, Response, read_json

WANTED = "x-cloudml-deployed-model"
_HASH = "x-goog-hash"
_PREFIX = "aiplatform.projects.locations.endpoints."
_VERBS = ("predict", "rawPredict")
_CONNECTION_TRIES = 100
_CONNECTION_PAUSE = 0.02
_LONGEST_ERROR = 4000


Prediction = Callable[[Request, bool], Awaitable[Response]]
"""Answers a request for a model; true where the connection to the model is kept for the next. Raises PlatformError."""


class PredictionRoutes:
    """Answers `endpoints.predict` and `endpoints.rawPredict`."""

    def __init__(self, api: Document, deployments: Deployments, limit: int) -> None:
        self._api = api
        self._methods = {verb: api.methods[_PREFIX + verb] for verb in _VERBS}
        self._deployments = deployments
        self.limit = limit

    def methods(self) -> list[str]:
        """The ids of what is answered here and by no handler."""
        return [method.id for method in self._methods.values()]

    def find(self, verb: str, path: str) -> Prediction | None:
        """What answers a prediction; None for every other request."""
        kind = path.rpartition(":")[2]
        if verb != "POST" or kind not in self._methods:
            return None
        parts = self._methods[kind].read(path)
        return None if parts is None else partial(self._answer, kind, parts["locationsId"], parts["endpointsId"])

    async def _answer(self, kind: str, location: str, endpoint: str, request: Request, keep: bool) -> Response:
        if kind == "predict" and request.query_text:
            normalise_parameters(self._api, self._methods[kind], request.query)
        body = self.read(request)
        content_type = request.header("content-type") or "application/json"
        if kind == "rawPredict":
            content_type, body = self._unwrapped(content_type, body)
        headers = {"Content-Type": content_type}
        if kind == "rawPredict" and request.header("accept"):
            headers["Accept"] = request.header("accept")
        query = request.query_text if kind == "rawPredict" else ""
        target, answer = await self.ask(location, endpoint, request.header(WANTED), headers, query, body, keep)
        return hashed(_predicted(target, answer) if kind == "predict" else _raw(target, answer))

    def read(self, request: Request) -> bytes:
        """The body of a request for a model, if it is no larger than it may be and arrived whole."""
        if request.length > self.limit:
            raise PlatformError(400, f"Request payload size exceeds the limit: {self.limit} bytes.")
        body = request.body.read()
        _check_whole(request, body)
        return body

    async def ask(
        self,
        location: str,
        endpoint: str,
        wanted: str,
        headers: Mapping[str, str],
        query: str,
        body: bytes,
        keep: bool,
    ) -> tuple[Target, Answer]:
        """The answer of one deployed version, `wanted` or by the traffic split; raises PlatformError."""
        route, target = await self._begun(location, endpoint, wanted)
        try:
            head = _head(target.route, query, headers, len(body))
            return target, await self._sent(target, head, body, route.seconds, keep)
        finally:
            target.predictor.end()

    async def _begun(self, location: str, endpoint: str, wanted: str) -> tuple[Route, Target]:
        for _ in range(_CONNECTION_TRIES):
            route = self._route(location, endpoint)
            target = _chosen(route, wanted, self._deployments)
            if target.predictor.begin():
                return route, target
            if wanted:
                break
            # It is going: the next table has another one, or none.
            await asyncio.sleep(_CONNECTION_PAUSE)
        raise PlatformError(503, "The deployed model that was chosen takes no more requests.", retry_after=1)

    async def _sent(self, target: Target, head: bytes, body: bytes, seconds: float, keep: bool) -> Answer:
        predictor = target.predictor
        try:
            async with asyncio.timeout(seconds):
                for _ in range(_CONNECTION_TRIES):
                    waking = predictor.wake()
                    if waking is not None:
                        await asyncio.wrap_future(waking)
                    with contextlib.suppress(NotListeningError):
                        return await predictor.connections.ask(head, body, keep=keep)
                    # It has died and nobody has noticed yet.
                    await asyncio.sleep(_CONNECTION_PAUSE)
        except TimeoutError:
            raise PlatformError(504, f"The model did not answer within {seconds:g} seconds.") from None
        except ConnectionLostError:
            await asyncio.sleep(_CONNECTION_PAUSE)
            why = predictor.why_lost()
            raise PlatformError(
                503,
                "The serving process ended while it answered this request." + (f" {why}" if why else ""),
                retry_after=1,
            ) from None
        raise PlatformError(503, "The serving process does not listen.", retry_after=1)

    def _route(self, location: str, endpoint: str) -> Route:
        route = self._deployments.route(location, endpoint)
        if route is None:
            name = resource_name(location, "endpoints", endpoint[:80])
            raise PlatformError(404, f"The Endpoint {name} does not exist.")
        return route

    def _unwrapped(self, content_type: str, body: bytes) -> tuple[str, bytes]:
        """What a client that sends Google's envelope means by it; every other body is what it is."""
        start = body[:64].lstrip()
        if "json" not in content_type or not start.startswith(b"{") or b"http" not in start[:24]:
            return content_type, body
        with contextlib.suppress(PlatformError):
            sent = read_json(body)
            if set(sent) <= {"httpBody", "http_body"}:
                envelope = normalise(self._api, "GoogleCloudAiplatformV1RawPredictRequest", sent)["httpBody"]
                data = envelope.get("data", "").replace("-", "+").replace("_", "/")
                return envelope.get("contentType") or "application/json", base64.b64decode(
                    data + "=" * (-len(data) % 4)
                )
        return content_type, body


def _check_whole(request: Request, body: bytes) -> None:
    """A client that says its body's checksum is told when something else arrived: it may ask again."""
    declared = declared_digests({}, request.header(_HASH)).get("crc32c")
    if declared is not None and declared != crc32c_of(body):
        raise PlatformError(503, "The request's body arrived damaged; its checksum is another one.")


def hashed(response: Response) -> Response:
    """With the checksum of the body: a bit that flips in a number makes another number, and no error."""
    return replace(response, headers={**response.headers, _HASH: f"crc32c={crc32c_of(response.body)}"})


def _chosen(route: Route, wanted: str, deployments: Deployments) -> Target:
    if wanted:
        target = route.targets.get(wanted)
        if target is None:
            raise PlatformError(404, f"The endpoint has no DeployedModel {wanted[:80]!r}.")
        return target
    target = route.choose(deployments.chance)
    if target is None:
        raise PlatformError(
            400,
            "The endpoint has no deployed model that gets traffic."
            if route.targets
            else "The endpoint has no deployed model. Deploy one first.",
            status="FAILED_PRECONDITION",
        )
    return target


def _head(route: str, query: str, headers: Mapping[str, str], length: int) -> bytes:
    path = f"{route}?{query}" if query else route
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    if any("\r" in line or "\n" in line for line in lines) or " " in path:
        raise PlatformError(400, "The query or a header holds what neither may hold.")
    text = "\r\n".join([*lines, f"Content-Length: {length}", "", ""])
    return text.encode("latin-1", "replace")


def _predicted(target: Target, answer: Answer) -> Response:
    """The process's answer with what Vertex adds, not parsed for it."""
    if answer.status != 200:
        raise translated(answer)
    body = answer.body.rstrip()
    if not body.startswith(b"{") or not body.endswith(b"}"):
        raise PlatformError(500, "The serving process answered something else than a JSON object.")
    version = target.version
    added = json.dumps(
        {
            "deployedModelId": target.predictor.deployment.id,
            "model": version.model_name,
            "modelDisplayName": target.display_name,
            "modelVersionId": str(version.version),
        },
        separators=(",", ":"),
    ).encode()
    inner = body[1:-1]
    spliced = b"".join((b"{", inner, b"," if inner.strip() else b"", added[1:]))
    return Response(200, {"content-type": "application/json; charset=UTF-8"}, spliced)


def _raw(target: Target, answer: Answer) -> Response:
    deployment = target.predictor.deployment
    headers = {
        "content-type": answer.headers.get("content-type", "application/octet-stream"),
        "x-vertex-ai-endpoint-id": deployment.endpoint,
        "x-vertex-ai-deployed-model-id": deployment.id,
        "x-vertex-ai-model": target.version.model_name,
        "x-vertex-ai-model-version-id": str(target.version.version),
    }
    if "retry-after" in answer.headers:
        headers["retry-after"] = answer.headers["retry-after"]
    return Response(answer.status, headers, answer.body)


def translated(answer: Answer) -> PlatformError:
    """An error of the serving process in Google's shape."""
    text = error_text(answer)
    retry = answer.headers.get("retry-after", "")
    code = answer.status if 400 <= answer.status < 600 else 500
    return PlatformError(
        code, text[:_LONGEST_ERROR] or f"The serving process answered {answer.status}.",
        retry_after=int(retry) if retry.isdigit() else None,
    )  # fmt: skip


def error_text(answer: Answer) -> str:
    """What the serving process says is wrong."""
    text = answer.body.decode("utf-8", "replace")
    with contextlib.suppress(ValueError, TypeError, KeyError):
        text = str(json.loads(text)["error"])
    return text
