"""Compares a package that Google installed by itself with the one that was submitted, before its cell runs."""

from __future__ import annotations

import hashlib
import os
import sys

from .job_folder import mounted

VARIABLE = "CLOUDML_PACKAGE"


def check_package() -> None:
    """Ends the process if the package in the bucket is another one; does nothing where the boot command compared it."""
    digest, _, address = os.environ.get(VARIABLE, "").partition(" ")
    if not digest:
        return
    try:
        with open(mounted(address), "rb") as file:
            found = hashlib.sha256(file.read()).hexdigest()
    except OSError as problem:
        sys.exit(f"The package {address} cannot be read: {problem}. Nothing of the cell was run.")
    if found != digest:
        sys.exit(
            f"The package {address} is not the one that was submitted: its sha256 is {found}, not {digest}."
            " Nothing of the cell was run."
        )
