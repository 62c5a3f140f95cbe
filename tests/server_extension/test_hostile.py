"""What a page may send: known fields of their types and sizes, and nothing else."""

from __future__ import annotations

import json

import pytest

from cloudml_magic.local_platform import lifecycle
from tests.server_extension.conftest import Server, in_thread

BODIES = {
    "no JSON": "{",
    "a list": "[]",
    "not a number": '{"page": "a", "visible": NaN}',
    "infinity": '{"page": "a", "visible": Infinity}',
    "another type": '{"page": 1, "visible": true}',
    "a number for a flag": '{"page": "a", "visible": 1}',
    "missing": '{"visible": true}',
    "empty": '{"page": " ", "visible": true}',
    "too long": json.dumps({"page": "a" * 65, "visible": True}),
    "unknown": '{"page": "a", "visible": true, "more": 1}',
    "deep": '{"page": ' + "[" * 100 + "]" * 100 + ', "visible": true}',
    "very deep": '{"page": ' + "[" * 100_000 + "]" * 100_000 + ', "visible": true}',
    "no text": b"\xff\xfe",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_body_that_is_not_as_it_must_be(server: Server, body: str) -> None:
    status, parts = await server.refused("POST", "watch", body=body)
    assert (status, parts["reference"]) == (400, "bad-request")
    assert parts["why"]


async def test_a_body_that_is_too_large(server: Server) -> None:
    status, parts = await server.refused("POST", "watch", body=json.dumps({"page": "a" * (1 << 20), "visible": True}))
    assert (status, parts["reference"]) == (413, "body-too-large")


@pytest.mark.parametrize("path", ["x", "-1", "1.5", "1" * 21, "..%2F1", "%2e%2e", "1%00", "１"])
async def test_only_digits_are_ids(server: Server, path: str) -> None:
    with pytest.raises(Exception, match="404"):
        await server.get("jobs", path, "logs")


@pytest.mark.parametrize("ids", ["x", "1,,2", "1,", ",".join("1" * 61), "1;2", "1" * 21])
async def test_only_lists_of_ids_are_asked(server: Server, ids: str) -> None:
    status, _ = await server.refused("GET", "jobs", params={"ids": ids})
    assert status == 400


@pytest.mark.parametrize("last", ["0", "-1", "10001", "x", "1e3"])
async def test_so_many_lines_cannot_be_asked(server: Server, last: str) -> None:
    status, _ = await server.refused("GET", "jobs", "1", "logs", params={"last": last})
    assert status == 400


@pytest.mark.parametrize("route", ["cancel", "delete", "deploy"])
async def test_actions_work_on_known_jobs_only(server: Server, route: str) -> None:
    status, parts = await server.refused("POST", "jobs", "424242", route, body="{}")
    assert (status, parts["reference"], parts["what"]) == (404, "unknown-job", "There is no job 424242.")


@pytest.mark.parametrize("title", ["../x", "a/b/c", "/", "x/", "", "a" * 5000])
async def test_titles_name_models(server: Server, title: str) -> None:
    await in_thread(lifecycle.ensure_running)
    for route in ("interface", "removal"):
        status, _ = await server.refused("GET", "models", route, params={"title": title})
        assert status in (400, 404)


@pytest.mark.parametrize("jobs", [[], ["x"], [1], ["../.."], "1", ["1"] * 61])
async def test_tensorboard_of_jobs_only(server: Server, jobs: object) -> None:
    status, _ = await server.refused("POST", "tensorboard", body=json.dumps({"jobs": jobs}))
    assert status == 400


async def test_no_such_operation(server: Server) -> None:
    status, parts = await server.refused("GET", "operations", "ab")
    assert (status, parts["reference"]) == (404, "unknown-operation")


@pytest.mark.parametrize(
    "picture", [1, {"name": "a"}, {"name": "a", "content": "?"}, {"name": "a", "content": "aa", "x": 1}]
)
async def test_pictures_are_a_name_and_base64(server: Server, picture: object) -> None:
    body = json.dumps({"title": "m", "pictures": [picture]})
    status, parts = await server.refused("POST", "models", "predict", body=body)
    assert (status, parts["reference"]) == (400, "bad-request")


async def test_half_a_character_is_no_title(server: Server) -> None:
    """JSON can carry what no file and no request can."""
    for path, name in ((("models", "undeploy"), "title"), (("models", "deploy"), "what")):
        status, parts = await server.refused("POST", *path, body=f'{{"{name}": "\\ud800"}}')
        assert (status, parts["reference"]) == (400, "bad-request")


async def test_what_is_too_large_is_not_taken_apart(server: Server) -> None:
    """Ten megabytes of pictures; more would hold up everything else that the server does."""
    status, parts = await server.refused("POST", "models", "predict", body="[" * (15 << 20))
    assert (status, parts["reference"]) == (413, "body-too-large")
