"""Performs a Call through google-api-python-client, with the retries that are safe for it."""

from __future__ import annotations

import base64
import contextlib
import http.client
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from cloudml_magic.client.access import Access, Locate
from cloudml_magic.dialects.call import Call
from cloudml_magic.dialects.google_errors import explain
from cloudml_magic.dialects.shortages import NOT_ENOUGH_QUOTA
from cloudml_magic.errors import CloudMLError
from cloudml_magic.patience import Patience
from cloudml_magic.sign_in import expired

_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
_GIVE_UP_SECONDS = 60.0
TIMEOUT_SECONDS = 30.0
Answered = TypeVar("Answered")
UNREADABLE = "answer-unreadable"
HASH_HEADER = "x-goog-hash"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class LostReplyError(Exception):
    """No answer came, or none that says whether the call was applied; `wait` is how long we are asked to wait."""

    def __init__(self, error: CloudMLError, wait: float = 0.0) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait


class Caller:
    """Calls one API at one place, with one service per access and thread, since httplib2 is not thread-safe."""

    def __init__(
        self, locate: Locate, api: tuple[str, str], complete: Callable[[Call], Call] = lambda call: call
    ) -> None:
        # What a place adds to whatever is sent there.
        self._complete = complete
        self._locate = locate
        self._api = api
        self._local = threading.local()
        self._was_refused = False

    def perform(self, call: Call) -> dict[str, Any]:
        """Repeats a call that is safe to repeat until it is answered or a minute is over."""
        return self._repeated(lambda again: self.once(call, search_again=again))

    def perform_raw(self, call: Call) -> tuple[bytes, dict[str, str]]:
        """Sends the bytes of a call, as `perform` does; the answer's body and headers as they came."""
        return self._repeated(lambda again: self._once_raw(call, again))

    def _repeated(self, send: Callable[[bool], Answered]) -> Answered:
        last: LostReplyError | None = None
        patience = Patience()
        for again in attempts():
            try:
                return send(again)
            except LostReplyError as lost:
                last = lost
                patience.failed(lost.error.why)
        raise last.error if last else AssertionError("at least one attempt is made")

    def once(self, call: Call, *, search_again: bool = False) -> dict[str, Any]:
        """Sends a call once: its answer, a clear refusal (CloudMLError), or LostReplyError."""
        access = self._located(search_again)
        with self._explained(call, access):
            request = self._request(access, self._complete(call))
            request.headers.update(call.headers)
            answer = request.execute()
        if not isinstance(answer, dict):
            raise LostReplyError(unreadable(f"{call.method} was answered with {str(answer)[:200]!r}."))
        return answer

    def _once_raw(self, call: Call, search_again: bool) -> tuple[bytes, dict[str, str]]:
        from googleapiclient.errors import HttpError

        access = self._located(search_again)
        with self._explained(call, access):
            # The library sends JSON only; its own request says where the bytes belong.
            request = self._request(access, call)
            address = f"{request.uri.partition('?')[0]}?{urlencode(call.query)}"
            sent = {**call.headers, HASH_HEADER: digest(call.content or b"")}
            headers, content = request.http.request(address, "POST", body=call.content, headers=sent)
            if headers.status >= 300:
                raise HttpError(headers, content)
            if headers.get(HASH_HEADER, digest(content)) != digest(content):
                raise http.client.HTTPException("The answer arrived damaged.")
            return content, dict(headers)

    def _located(self, search_again: bool) -> Access:
        # Whom Google refused is looked for anew at the next call: the user may have logged in meanwhile.
        access = self._locate(search_again or self._was_refused)
        self._was_refused = False
        return access

    @contextlib.contextmanager
    def _explained(self, call: Call, access: Access) -> Iterator[None]:
        import httplib2
        from google.auth.exceptions import GoogleAuthError, TransportError
        from googleapiclient.errors import HttpError

        try:
            yield
        except HttpError as problem:
            if problem.status_code == 401:
                self._was_refused = True
                raise expired(problem.reason) from problem
            error = explain(call, problem.status_code, problem.content)
            # To ask again for what is not allowed would only take time.
            if problem.status_code in _TRANSIENT and error.reference != NOT_ENOUGH_QUOTA:
                raise LostReplyError(error, _asked_to_wait(problem.resp)) from problem
            raise error from problem
        except TransportError as problem:
            raise LostReplyError(_unreachable(access, problem)) from problem
        except GoogleAuthError as problem:
            self._was_refused = True
            raise expired(str(problem.args[0] if problem.args else problem)) from problem
        except (UnicodeDecodeError, RecursionError) as problem:
            raise LostReplyError(unreadable(str(problem))) from problem
        except (OSError, httplib2.HttpLib2Error, http.client.HTTPException) as problem:
            self._local.__dict__.clear()
            raise LostReplyError(_unreachable(access, problem)) from problem

    def _request(self, access: Access, call: Call) -> Any:
        target = self._service(access)
        *resources, method = call.method.split(".")[1:]
        for resource in resources:
            target = getattr(target, resource)()
        parameters: dict[str, Any] = dict(call.parameters)
        if call.body is not None:
            parameters["body"] = call.body
        return getattr(target, method)(**parameters)

    def _service(self, access: Access) -> Any:
        cached = getattr(self._local, "service", None)
        if cached is None or cached[0] != access:
            cached = (access, self._build(access))
            self._local.service = cached
        return cached[1]

    def _build(self, access: Access) -> Any:
        import google_auth_httplib2
        import httplib2
        from googleapiclient import discovery

        # With any http_proxy variable httplib2 would not reach loopback, whatever no_proxy says.
        near = urlsplit(access.url).hostname in _LOOPBACK
        proxy = None if near else httplib2.proxy_info_from_environment
        plain = httplib2.Http(timeout=TIMEOUT_SECONDS, proxy_info=proxy)
        authorized = google_auth_httplib2.AuthorizedHttp(access.credentials(), http=plain)
        return discovery.build(
            *self._api, static_discovery=True, client_options={"api_endpoint": access.url}, http=authorized
        )


def digest(content: bytes) -> str:
    """What content is known by: a number that a damaged byte changes must not pass for an answer."""
    import google_crc32c

    return f"crc32c={base64.b64encode(google_crc32c.value(content).to_bytes(4, 'big')).decode()}"


def attempts(
    clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> Iterator[bool]:
    """False for the first attempt, then True with growing pauses until it is time to give up."""
    began = clock()
    pause = 0.1
    yield False
    while clock() - began < _GIVE_UP_SECONDS:
        sleep(pause * random.uniform(0.5, 1.0))
        pause = min(pause * 2, 8.0)
        yield True


def _asked_to_wait(headers: Any) -> float:
    text = str(headers.get("retry-after", ""))
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0.0


@contextlib.contextmanager
def understood() -> Iterator[None]:
    """Within it answers are read; what is not as Google's documents promise is said so."""
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError) as problem:
        raise unreadable(f"{type(problem).__name__}: {problem}") from problem


def unreadable(why: str) -> CloudMLError:
    """Something answered, and not as Google does."""
    return CloudMLError(
        UNREADABLE,
        "The answer is none that Google's API gives.",
        why=why,
        next="Something else may answer in its place, such as the sign-in page of a network; open a web page and look.",
    )


def _unreachable(access: Access, problem: Exception) -> CloudMLError:
    trying = (
        "`cloudml platform status` and `cloudml platform logs` tell more."
        if access.google is None
        else ("if it lasts, look at this machine's network, and at https://status.cloud.google.com.")
    )
    return CloudMLError(
        "platform-unreachable",
        f"The platform at {access.url} does not answer.",
        why=str(problem) or type(problem).__name__,
        next=f"Jobs that run go on. Try again; {trying}",
    )
