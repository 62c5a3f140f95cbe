"""Jobs as the page sees them: documents that fit the schema, curves, logs, cards, and what can be done."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema

from tests.server_extension.conftest import Server, in_thread, send

SCHEMAS = files("cloudml_magic.cards") / "schema"


def check(document: dict[str, Any], schema: str = "job") -> None:
    _validator(schema).validate(document)


@cache
def _validator(schema: str) -> Any:
    return jsonschema.Draft202012Validator(json.loads((SCHEMAS / f"{schema}.schema.json").read_text()))


async def test_a_job_that_has_ended(server: Server) -> None:
    job = await in_thread(
        lambda: send("for n in range(50): report(n, loss=1 / (n + 1), other=n)\nprint('hello')").wait()
    )

    listed = await server.get("jobs")
    briefly = next(each["document"] for each in listed["jobs"] if each["document"]["id"] == job.id)
    check(briefly)
    assert briefly["state"] == "SUCCEEDED" and briefly["log"] == []
    assert [curve["name"] for curve in briefly["curves"]] == ["loss", "other"] and len(
        briefly["curves"][0]["values"]
    ) == 40

    details = await server.get("jobs", ids=f"{job.id},99999")
    assert details["unknown"] == ["99999"] and details["session"] == listed["session"]
    (numbered,) = details["jobs"]
    check(numbered["document"])
    assert numbered["seq"] == 0 and "hello" in [line["text"] for line in numbered["document"]["log"]]

    curves = (await server.get("jobs", job.id, "curves"))["curves"]
    assert [(curve["name"], len(curve["values"])) for curve in curves] == [("loss", 50), ("other", 50)]
    logs = await server.get("jobs", job.id, "logs")
    assert "hello" in [line["text"] for line in logs["lines"]] and not logs["more"]
    last = await server.get("jobs", job.id, "logs", last="1")
    assert last == {"lines": logs["lines"][-1:], "more": True}
    bundle = await server.get("jobs", job.id, "bundle")
    assert set(bundle) == {"text/plain", "text/html", "application/vnd.cloudml.job+json"}
    check(bundle["application/vnd.cloudml.job+json"])
