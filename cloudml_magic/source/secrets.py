"""Text that looks like a key, token or password: finds it, and masks it without ever showing it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_KNOWN: tuple[tuple[str, str], ...] = (
    ("an AWS access key", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
    ("a Google API key", r"\bAIza[\w-]{35}"),
    ("a Google OAuth token", r"\bya29\.[\w.-]{20,}"),
    ("a Google OAuth client secret", r"\bGOCSPX-[\w-]{20,}"),
    ("a private key", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    ("a GitHub token", r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{40,})"),
    ("a GitLab token", r"\bglpat-[\w-]{20,}"),
    ("a Slack token", r"\bxox[abeoprs]-[\w-]{10,}|hooks\.slack\.com/services/T\w+/B\w+/\w{16,}"),
    ("a Stripe key", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    ("an API key", r"\bsk-(?:proj-|ant-|or-v1-|svcacct-|admin-)?[A-Za-z0-9_-]{20,}"),
    ("a Hugging Face token", r"\bhf_[A-Za-z0-9]{30,}"),
    ("a PyPI token", r"\bpypi-[\w-]{40,}"),
    ("an npm token", r"\bnpm_[A-Za-z0-9]{36}"),
    ("a SendGrid key", r"\bSG\.[\w-]{20,}\.[\w-]{20,}"),
    ("a Twilio key", r"\bSK[0-9a-f]{32}\b"),
    ("a Discord or Telegram bot token", r"\b\d{8,10}:AA[\w-]{33}\b|\b[MN][A-Za-z\d]{23}\.[\w-]{6}\.[\w-]{27,}"),
    ("a JSON web token", r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"),
    ("an authorization header", r"(?i)\b(?:bearer|authorization:\s*(?:bearer|basic|token))\s+[\w.~+/=-]{16,}"),
    ("a URL with a password", r"\b[a-zA-Z][\w+.-]*://[^\s/:@'\"{}$<>]*:(?![\s*x<]+@)[^\s/@'\"{}$<>]{3,}@[\w.-]+"),
    ("a signed URL", r"[?&](?:X-Goog-Signature|X-Amz-Signature|Signature|sig|X-Amz-Security-Token)=[\w%+/=-]{16,}"),
    ("a storage account key", r"(?i)AccountKey=[\w+/=]{40,}"),
)
_PATTERNS = tuple((kind, re.compile(pattern)) for kind, pattern in _KNOWN)

_SECRET_WORD = (
    r"(?:pass(?:word|wd|phrase)|pwd|secret(?:[_-]?(?:access)?[_-]?key)?|api[_-]?key|apikey|access[_-]?key(?:[_-]?id)?"
    r"|auth[_-]?token|access[_-]?token|refresh[_-]?token|(?<![a-z])token|private[_-]?key|client[_-]?secret"
    r"|credential|encryption[_-]?key|signing[_-]?key)"
)
_ASSIGNED = re.compile(
    rf"(?i)(?P<name>[\w.\-]*{_SECRET_WORD})(?P<plural>s)?[\"']?\s*\]?\s*(?::\s*[\w\[\], ]+?)?\s*(?P<sign>=(?!=)|:|,)\s*"
    r"(?:[rbuf]{0,2}(?P<quote>[\"'])(?P<value>[^\"'\n]{4,})(?P=quote)|(?P<bare>[^\s\"'(){}\[\],;#]{8,}))"
)
_ENVIRONMENT = re.compile(r"^\s*(?:[%!]\s*(?:set_env|env|export)|export)\s")
_PLACEHOLDER = re.compile(
    r"(?i)^(?:[x*.\-_#]+|<.*>|\$?\{.*\}|\$\w+|your[\w\- ]*|my[_\- ].*|change[_\- ]?me.*|example.*|placeholder.*|dummy.*"
    r"|none|null|true|false|todo.*|insert.*|enter.*|test|secret|password|token|api[_\- ]?key|\[\w+\]|https?://[^@]*"
    r"|[\w.-]+/[\w./-]*)$"
)
_WORDS = re.compile(r"[a-z]+|[A-Z]+(?![a-z])|[A-Z][a-z]+")


@dataclass(frozen=True, slots=True)
class Secret:
    """Where in a text something looks like a secret, and like which kind; never the secret itself."""

    kind: str
    line: int
    start: int
    end: int


def find_secrets(text: str) -> Iterator[Secret]:
    """Everything in a text that looks like a secret, in order, at most one for each stretch of text."""
    if not _worth_reading(text):
        return
    found: list[Secret] = []
    offset = 0
    for number, line in enumerate(text.split("\n"), 1):
        for kind, start, end in _in_line(line):
            whole = Secret(kind, number, offset + start, offset + end)
            if not any(whole.start < other.end and other.start < whole.end for other in found):
                found.append(whole)
        offset += len(line) + 1
    yield from sorted(found, key=lambda secret: secret.start)


LONG_ENOUGH = 8  # what is shorter stands in any text by chance


def masked(text: str, handed_over: Sequence[str] = ()) -> str:
    """The text with each secret replaced by `***`, also those that are handed over apart; a private key's lines go
    as a whole."""
    for value in sorted(handed_over, key=len, reverse=True):
        if len(value) >= LONG_ENOUGH:
            text = text.replace(value, "***")
    text = re.sub(
        r"(-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----)(.*?)(-----END [A-Z0-9 ]*-----|\Z)",
        lambda match: "***" + "\n" * match[0].count("\n"),
        text,
        flags=re.DOTALL,
    )
    for secret in reversed(list(find_secrets(text))):
        text = text[: secret.start] + "***" + text[secret.end :]
    return text


_HINTS = re.compile(
    r"(?i)pass|pwd|secret|key|token|credential|://|akia|asia|abia|acca|aiza|ya29|gocspx|-----begin|gh[pousr]_|github_pat"
    r"|glpat|xox|slack|[rs]k_|sk-|hf_|pypi-|npm_|sg\.|\bsk[0-9a-f]{32}|\d:aa|eyj|bearer|authorization|signature|sig="
    r"|[mn][a-z\d]{23}\."
)


def _worth_reading(text: str) -> bool:
    return _HINTS.search(text) is not None


def _in_line(line: str) -> Iterator[tuple[str, int, int]]:
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(line):
            if _is_real(match[0]):
                yield kind, match.start(), match.end()
    for match in _ASSIGNED.finditer(line):
        group = "value" if match["value"] is not None else "bare"
        value = match[group]
        if group == "bare" and not _ENVIRONMENT.match(line):
            continue
        if match["sign"] == "," and not _calls_setter(line[: match.start()]):
            continue
        if match["plural"] and match["name"].lower().endswith("token"):
            continue
        if _looks_secret(value, match["name"]):
            yield f"a value named {match['name'].strip('.-')}", match.start(group), match.end(group)


def _calls_setter(before: str) -> bool:
    return bool(re.search(r"(?:setdefault|putenv|set|header|login|auth)\w*\(\s*[\"']?$", before))


def _is_real(text: str) -> bool:
    """Documentation's `sk-xxxxxxxx`, `user:password@` and `AKIAIOSFODNN7EXAMPLE`-like fillers are no secrets."""
    if text.startswith("-----BEGIN"):
        return True
    if "://" in text:
        password = text.rpartition("@")[0].rpartition(":")[2].lower()
        return password not in {"password", "pass", "passwd", "pwd", "secret", "***", "xxx", "port"}
    tail = re.split(r"[-_. ]", text)[-1]
    return not re.search(r"([xX*.0-])\1{7,}|\.{3}", text) and len(set(tail.lower())) > 2


def _looks_secret(value: str, name: str) -> bool:
    value = value.strip()
    if _PLACEHOLDER.match(value) or (" " in value.strip() and not re.search(r"(?i)pass", name)):
        return False
    if len(set(value)) < 4:
        return False
    password = re.search(r"(?i)pass|pwd", name) is not None
    if password:
        return bool(re.search(r"[^A-Za-z_\s]", value)) and len(value) >= 6 and not value.isdigit() and " " not in value
    if len(value) < 12:
        return bool(re.search(r"(?i)secret", name)) and len(value) >= 8 and _mixed(value)
    return _entropy(value) >= 3.0 and (_mixed(value) or _entropy(value) >= 4.0)


def _mixed(value: str) -> bool:
    """Letters and digits in one, as keys have and words have not."""
    return bool(re.search(r"\d", value)) and bool(re.search(r"[A-Za-z]", value))


def _entropy(value: str) -> float:
    counts = {character: value.count(character) for character in set(value)}
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
