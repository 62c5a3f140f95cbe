"""The command that a job's container runs: it checks the package, installs it and runs it, with no image build."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def boot_command() -> tuple[str, ...]:
    """`python3 -c BOOT`; its arguments are the package's address, its sha256, the module and the job's own."""
    return ("python3", "-c", (files("cloudml_magic") / "trainer" / "boot.py").read_text("utf-8"))
