"""A literal that looks like a key or token: it stays home, and is never shown, not even in the refusal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cloudml_magic.records import CapturedStatement, CapturedValue, SourceFile
from cloudml_magic.source.rules.refusal import Refusal, place
from cloudml_magic.source.secrets import LONG_ENOUGH, find_secrets

_ADVICE = "Hand it over with --env NAME and read os.environ[NAME]; if it is no secret, add --allow-secrets."
_WHY = "What a job's package holds can be read by whoever reads the bucket."


def refusals(
    statements: Sequence[CapturedStatement],
    values: Sequence[CapturedValue],
    files: Sequence[SourceFile],
    handed_over: Mapping[str, str],
) -> Iterator[Refusal]:
    """Each literal in what would travel that looks like a secret, or is one that is handed over apart."""
    for statement in statements:
        for offset, what, advice in _found(statement.text, handed_over):
            line = statement.first_line + offset
            yield Refusal("secret-literal", f"{place(statement.cell, line)} holds {what}.",
                          _WHY, advice, statement.cell, line)  # fmt: skip
    for value in values:
        if any(True for _ in _found(f"{value.name} = {value.literal}", handed_over)):
            yield Refusal("secret-literal", f"`{value.name}`, which the kernel holds, looks like a secret.",
                          _WHY, f"Hand it over with --env {value.name}; if it is no secret, add --allow-secrets.",
                          name=value.name)  # fmt: skip
    for file in files:
        for offset, what, advice in _found(file.content.decode("utf-8", "replace"), handed_over):
            yield Refusal("secret-literal", f"{file.path}, line {offset + 1} holds {what}.", _WHY, advice)


def _found(text: str, handed_over: Mapping[str, str]) -> Iterator[tuple[int, str, str]]:
    """Lines from 0, what stands there, and what to do about it."""
    for secret in find_secrets(text):
        yield secret.line - 1, f"what looks like {secret.kind}", _ADVICE
    for name, value in handed_over.items():
        before, found, _ = text.partition(value) if len(value) >= LONG_ENOUGH else (text, "", "")
        if found:
            advice = f"Read os.environ[{name!r}] there; if it is no secret, add --allow-secrets."
            yield before.count("\n"), f"the value of --env {name}", advice
