"""The seam between the server and what computes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

Tensors = Mapping[str, Any]
"""NumPy arrays by the names of a signature's inputs or outputs."""


class ModelRefusedError(Exception):
    """The model itself says that an instance is no valid input: a word beyond its table, bytes that are no picture."""


class Engine(Protocol):
    """A loaded model. `why` says in words why this engine serves and not the other."""

    name: str
    why: str
    batch_bytes: int
    """How many bytes of inputs it computes at once."""

    def answers(self, signature: str) -> bool:
        """Whether this engine can compute the signature."""
        ...

    def run(self, signature: str, inputs: Tensors) -> Tensors:
        """The outputs of a signature; raises ModelRefusedError where the inputs are at fault."""
        ...
