"""A bucket against a plain dictionary: whatever the order of API calls, files of jobs and restarts, both agree."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cloudml_magic.local_platform.platform import LocalPlatform
from cloudml_magic.local_platform.wire import Request
from tests.long_counts import only_in_soak

from .conftest import StateRunner, places_in

NAMES = st.sampled_from(["a", "a/b", "a/b/c", "a/", "b//c", "../x", "d/e", "d", "d/e/f/g", "é", "x" * 300])
PATHS = st.sampled_from(["a/b", "a/b/c", "d", "d/e", "q/r"])
CONTENT = st.binary(max_size=5)
BUCKET = "cloudml-local"


class BucketMachine(RuleBasedStateMachine):
    """Drives one bucket; `self.model` is what it must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.places = places_in(self.folder)
        self.platform = LocalPlatform(self.places, StateRunner)
        self.model: dict[str, bytes] = {}
        self.generations: dict[str, int] = {}

    def send(self, verb: str, path: str, query: str = "", body: bytes = b"") -> tuple[int, bytes]:
        answer = self.platform.handle(Request(verb, path, query, {}, io.BytesIO(body), len(body)))
        return answer.status, answer.content()

    def object(self, name: str) -> str:
        return f"/storage/v1/b/{BUCKET}/o/{quote(name, safe='')}"

    @rule(name=NAMES, content=CONTENT, only_new=st.booleans())
    def put(self, name: str, content: bytes, only_new: bool) -> None:
        query = f"uploadType=media&name={quote(name, safe='')}" + ("&ifGenerationMatch=0" if only_new else "")
        status, _ = self.send("POST", f"/upload/storage/v1/b/{BUCKET}/o", query, content)
        assert status == (412 if only_new and name in self.model else 200)
        if status == 200:
            self.model[name] = content

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        assert self.send("DELETE", self.object(name))[0] == (204 if self.model.pop(name, None) is not None else 404)
        self.generations.pop(name, None)

    @rule(source=NAMES, to=NAMES)
    def copy(self, source: str, to: str) -> None:
        path = f"{self.object(source)}/rewriteTo/b/{BUCKET}/o/{quote(to, safe='')}"
        assert self.send("POST", path)[0] == (200 if source in self.model else 404)
        if source in self.model:
            self.model[to] = self.model[source]

    @rule(path=PATHS, content=CONTENT)
    def job_writes(self, path: str, content: bytes) -> None:
        file = self.places.buckets / BUCKET / path
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        except OSError:
            return  # A folder stands where the job wants a file, or a file where it wants a folder.
        self.model[path] = content

    @rule(path=PATHS)
    def job_deletes(self, path: str) -> None:
        file = self.places.buckets / BUCKET / path
        if file.is_file():
            file.unlink()
            if self.send("GET", self.object(path))[0] == 404:
                self.model.pop(path)
            self.generations.pop(path, None)

    @rule()
    def restart(self) -> None:
        self.platform.close()
        self.platform = LocalPlatform(self.places, StateRunner)

    @invariant()
    def agrees(self) -> None:
        listed = json.loads(self.send("GET", f"/storage/v1/b/{BUCKET}/o")[1]).get("items", [])
        assert [each["name"] for each in listed] == sorted(self.model)
        for each in listed:
            name, generation = each["name"], int(each["generation"])
            assert self.send("GET", self.object(name), "alt=media") == (200, self.model[name])
            assert generation >= self.generations.get(name, 0)
            self.generations[name] = generation

    def teardown(self) -> None:
        self.platform.close()
        shutil.rmtree(self.folder)


BucketMachine.TestCase.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
TestBucketAgainstADictionary = BucketMachine.TestCase


@pytest.mark.soak
@only_in_soak
class TestBucketAgainstADictionaryForLong(BucketMachine.TestCase):
    settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
