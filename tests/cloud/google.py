"""A stand-in for the parts of Google's cloud that the local platform does not have: sign-in, projects, services.

Every request is found in Google's own discovery documents and checked against their schemas, so that whoever speaks
with it speaks as Google's documents say.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cloudml_magic.discovery import document, violations

Answer = Callable[[Mapping[str, str], Mapping[str, list[str]], Mapping[str, Any]], Mapping[str, Any]]
"""From path parameters, query and body to the body of the answer; raises RefusalError."""


class RefusalError(Exception):
    """An answer that is none, in Google's shape."""

    def __init__(self, code: int, message: str, status: str) -> None:
        super().__init__(message)
        self.body = {"error": {"code": code, "message": message, "status": status}}
        self.code = code


class Google:
    """Answers what tests have declared, under Google's own method ids."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.is_expired = False
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self._answers: dict[str, Answer] = {}
        google = self

        class Handler(_Handler):
            its_google = google

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, method: str, answer: Answer | Mapping[str, Any]) -> None:
        """Declares what a method answers, always the same or by what it was asked."""
        self._answers[method] = answer if callable(answer) else lambda path, query, body: answer

    def methods(self) -> list[str]:
        """What was asked, in order."""
        return [method for method, _ in self.asked]

    def service_account(self, file: Path) -> None:
        """Writes the key file of a service account that signs in here."""
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        key = rsa.generate_private_key(65537, 2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        known = {
            "type": "service_account",
            "project_id": "local",
            "private_key_id": "1",
            "private_key": key.decode(),
            "client_email": "trainer@local.iam.gserviceaccount.com",
            "client_id": "1",
            "token_uri": f"{self.endpoint}/token",
        }
        file.write_text(json.dumps(known))

    def __enter__(self) -> Google:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def handle(self, verb: str, path: str, content: bytes) -> tuple[int, Mapping[str, Any]]:
        parts = urlsplit(path)
        if parts.path == "/token":
            if self.is_expired:
                return 400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
            return 200, {"access_token": self.token, "expires_in": 3600, "token_type": "Bearer"}
        for method in self._answers:
            api = _api_of(method)
            match = document(api).only({method}).match(verb, parts.path)
            if match is None:
                continue
            body = json.loads(content) if content else {}
            if match.method.request is not None:
                assert not violations(document(api), match.method.request, body), (method, body)
            self.asked.append((method, body))
            query: dict[str, list[str]] = {}
            for name, value in parse_qsl(parts.query):
                query.setdefault(name, []).append(value)
            try:
                return 200, self._answers[method](match.path_parameters, query, body)
            except RefusalError as refusal:
                return refusal.code, refusal.body
        return 501, {
            "error": {"code": 501, "message": f"{verb} {parts.path} is not declared", "status": "UNIMPLEMENTED"}
        }


_VERSIONS = {
    "cloudresourcemanager": "v3", "serviceusage": "v1", "cloudbilling": "v1", "cloudbuild": "v1",
    "artifactregistry": "v1", "iam": "v1", "aiplatform": "v1", "logging": "v2",
}  # fmt: skip


def _api_of(method: str) -> str:
    name = method.partition(".")[0]
    return "serviceusage.v1beta1" if ".consumerQuota" in method else f"{name}.{_VERSIONS[name]}"


class _Handler(BaseHTTPRequestHandler):
    its_google: Google
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        status, body = self.its_google.handle(self.command, self.path, content)
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Says nothing."""
