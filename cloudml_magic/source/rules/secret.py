"""A literal that looks like a key or token: it stays home, and is never shown, not even in the refusal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cloudml_magic.records import CapturedStatement, CapturedValue, SourceFile
from cloudml_magic.source.rules.refusal import Refusal, place
from cloudml_magic.source.secrets import find_secrets

_ADVICE = "Hand it over with --env NAME and read os.environ[NAME]; if it is no secret, add --allow-secrets."
_WHY = "What a job's package holds can be read by whoever reads the bucket."


def refusals(
    statements: Sequence[CapturedStatement], values: Sequence[CapturedValue], files: Sequence[SourceFile]
) -> Iterator[Refusal]:
    """Each literal in what would travel that looks like a secret."""
    for statement in statements:
        for secret in find_secrets(statement.text):
            line = statement.first_line + secret.line - 1
            yield Refusal("secret-literal", f"{place(statement.cell, line)} holds what looks like {secret.kind}.",
                          _WHY, _ADVICE, statement.cell, line)  # fmt: skip
    for value in values:
        if any(True for _ in find_secrets(f"{value.name} = {value.literal}")):
            yield Refusal("secret-literal", f"`{value.name}`, which the kernel holds, looks like a secret.",
                          _WHY, f"Hand it over with --env {value.name}; if it is no secret, add --allow-secrets.",
                          name=value.name)  # fmt: skip
    for file in files:
        for secret in find_secrets(file.content.decode("utf-8", "replace")):
            yield Refusal("secret-literal", f"{file.path}, line {secret.line} holds what looks like {secret.kind}.",
                          _WHY, _ADVICE)  # fmt: skip
