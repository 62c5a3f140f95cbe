"""The environment variables of a job: those that its user hands over, and those that its runtime reads."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.options import split_list


def asked_environment(names: tuple[str, ...]) -> dict[str, str]:
    """`--env NAME` takes the kernel's value, `--env NAME=VALUE` another."""
    found = {}
    for text in names:
        for entry in (text,) if "=" in text else split_list((text,)):
            name, separator, value = entry.partition("=")
            if not name.isidentifier() or name.startswith(("AIP_", "CLOUDML_", "CLOUD_ML_")):
                raise CloudMLError(
                    "bad-option",
                    f"--env {name!r} is no name for a variable of yours.",
                    next="Use letters, digits and _; AIP_…, CLOUD_ML_… and CLOUDML_… belong to the platform.",
                )
            if not separator and name not in os.environ:
                raise CloudMLError(
                    "environment-not-set",
                    f"--env {name}: this kernel has no such environment variable.",
                    next=f"Set it before the kernel starts, or with `os.environ[{name!r}] = getpass.getpass()`.",
                )
            found[name] = value if separator else os.environ[name]
    return found


def container_environment(
    backend: str, told: Mapping[str, Any], environment: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """What a job's container is given: the backend, what its runtime is told, and the variables of its user."""
    # `$` begins an expansion in the values of a container's variables; `$$` stands for itself.
    mine = {"KERAS_BACKEND": backend, "CLOUDML_JOB": json.dumps(told, sort_keys=True)}
    if environment:
        mine["CLOUDML_SECRETS"] = ",".join(environment)
    return tuple((name, value.replace("$(", "$$(")) for name, value in {**mine, **environment}.items())
