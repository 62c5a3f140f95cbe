"""Hides, in every answer, the values of environment variables that a job declares secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SECRETS_VARIABLE = "CLOUDML_SECRETS"
MASK = "***"


def masked(body: Mapping[str, Any]) -> dict[str, Any]:
    """The same CustomJob body, with the values of the variables that CLOUDML_SECRETS names replaced."""
    specification = body.get("jobSpec")
    if not isinstance(specification, Mapping):
        return dict(body)
    pools = [masked_container(pool) for pool in specification.get("workerPoolSpecs", [])]
    return {**body, "jobSpec": {**specification, **({"workerPoolSpecs": pools} if pools else {})}}


def masked_container(pool: Mapping[str, Any]) -> dict[str, Any]:
    """The same worker pool or model, its container's secret variables replaced."""
    result = dict(pool)
    for kind in ("containerSpec", "pythonPackageSpec"):
        variables = pool.get(kind, {}).get("env", [])
        secret = {
            name.strip()
            for variable in variables
            if variable.get("name") == SECRETS_VARIABLE
            for name in variable.get("value", "").split(",")
        }
        if secret:
            result[kind] = {
                **pool[kind],
                "env": [{**each, "value": MASK} if each.get("name") in secret else each for each in variables],
            }
    return result
