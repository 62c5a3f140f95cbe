"""IPython syntax → plain Python, by IPython's own transformer, every line staying where the editor shows it."""

from __future__ import annotations

import ast
import re
import shlex
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cloudml_magic.source.words import words

# Magics that only show, load or configure: nothing is lost without them.
DROPPED = words(
    """
    matplotlib load_ext reload_ext unload_ext autoreload aimport config pinfo pinfo2 pdoc pdef psource pfile
    psearch page who whos who_ls history hist pwd ls ll lsmagic magic quickref precision pprint colors
    doctest_mode tensorboard xmode pdb debug tb logstart logstop logon logoff logstate notebook qtconsole
    connect_info automagic memit mprun lprun clear cls less more cat man env_list watermark html javascript js
    svg latex markdown alias_magic alias unalias dhist bookmark rehashx store nbagg gui google_colab
    """
)
TIMING = frozenset({"time", "timeit", "prun", "capture", "memit"})
_SENT = frozenset({"ml_train", "ml_run", "ml_image"})
_CELL_MAGIC = re.compile(r"[ \t]*%%(?P<name>[\w.]+)(?P<line>[^\n]*)\n?")
_OPTIONS_WITH_VALUE = {"timeit": "nr", "prun": "lsTD", "time": "", "capture": "", "memit": "rt"}


@dataclass(frozen=True, slots=True)
class CellMagic:
    """The `%%name line` with which a cell begins, and the 1-based line of the cell on which it stands."""

    name: str
    line: str
    at: int


@dataclass(frozen=True, slots=True)
class PlainCell:
    """A cell's text as Python with IPython's own calls in it, line for line the text that was typed.

    `foreign` says why nothing of it is Python (`%%bash`); `error` what the parser said of it.
    """

    text: str
    tree: ast.Module | None = None
    magic: CellMagic | None = None
    foreign: str = ""
    dropped: bool = False
    error: tuple[str, int] | None = None

    @property
    def did_not_run(self) -> bool:
        """Whether the kernel only sent this cell away."""
        # `%%ml_run` without a word ran here, and travels as a marked cell does.
        return self.magic is not None and self.magic.name in _SENT and not self.marked

    @property
    def marked(self) -> bool:
        magic = self.magic
        return magic is not None and (magic.name == "ml_code" or (magic.name == "ml_run" and not magic.line))


def normalized(text: str) -> str:
    """The text with the line ends that Python itself reads."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


@lru_cache(maxsize=4096)
def plain_cell(text: str) -> PlainCell:
    """What IPython would run for this text; never raises."""
    text = normalized(text).removeprefix("\ufeff")
    magic, body = _split_cell_magic(text)
    if magic is None:
        return _parsed(body, None)
    if magic.name in _SENT or magic.name == "ml_code":
        return _parsed(body, magic)
    if magic.name in TIMING:
        setup = without_options(magic.name, magic.line) if magic.name == "timeit" else ""
        lines = body.split("\n")
        lines[magic.at - 1] = setup
        return _parsed("\n".join(lines), magic)
    dropped = magic.name.startswith("ml_") or magic.name in DROPPED
    return PlainCell(text, None, magic, foreign=f"%%{magic.name} is not Python that a job could run", dropped=dropped)


def without_options(name: str, line: str) -> str:
    """A timing magic's line without the magic's own options (`-n 10 -r3`)."""
    rest = line.strip()
    taking = _OPTIONS_WITH_VALUE.get(name, "")
    while match := re.match(r"--?(?P<letters>[A-Za-z][\w-]*)(?:=\S+)?(?:\s+|$)", rest):
        rest = rest[match.end() :]
        letters = match["letters"]
        if len(letters) == 1 and letters in taking:
            rest = rest.partition(" ")[2].lstrip()
    return rest


def _split_cell_magic(text: str) -> tuple[CellMagic | None, str]:
    """The cell magic, and the text with that line blank."""
    stripped = text.lstrip("\n")
    lines = text.split("\n")
    first = next((index for index, line in enumerate(lines) if line.strip()), None)
    if first is None or not lines[first].lstrip().startswith("%%"):
        return None, text
    match = _CELL_MAGIC.match(stripped if stripped.startswith(lines[first]) else "\n".join(lines[first:]))
    if match is None or match["line"].rstrip().endswith("?"):
        return None, text
    lines[first] = ""
    return CellMagic(match["name"], match["line"].strip(), first + 1), "\n".join(lines)


def _parsed(text: str, magic: CellMagic | None) -> PlainCell:
    tree, error = _parse(text)
    if tree is None:
        transformed = _transformed(text)
        if transformed != text:
            tree, error = _parse(transformed)
            text = transformed
    return PlainCell(text, tree, magic, error=error)


def _parse(text: str) -> tuple[ast.Module | None, tuple[str, int] | None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text), None
    except SyntaxError as error:
        return None, (error.msg or "invalid syntax", error.lineno or _first_odd_line(text))
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        said = "a character that is no text" if isinstance(error, UnicodeError) else str(error) or "it is too large"
        return None, (said, _first_odd_line(text))


def _first_odd_line(text: str) -> int:
    return next((number for number, line in enumerate(text.split("\n"), 1) if not _is_text(line)), 1)


def _is_text(line: str) -> bool:
    return "\0" not in line and not any("\ud800" <= character <= "\udfff" for character in line)


@lru_cache(maxsize=1)
def _transformer() -> Any:
    from IPython.core.inputtransformer2 import TransformerManager

    return TransformerManager()


def _transformed(text: str) -> str:
    """IPython's transformations, one at a time, so that a line which shrinks is followed by blank ones."""
    manager = _transformer()
    lines = (text if text.endswith("\n") else text + "\n").splitlines(keepends=True)
    blank = next((index for index, line in enumerate(lines) if line and not line.isspace()), len(lines))
    taken = lines[:blank]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for transform in manager.cleanup_transforms:
                lines = transform(lines)
            for _ in range(500):
                changed, after = manager.do_one_token_transform(lines)
                if not changed:
                    break
                lines = _padded(lines, after)
    except Exception:  # whatever a third party's transformer or a tokenizer raises, the text is unfit as it is
        return text
    # Python's splitlines also cuts at separators that no editor counts as the end of a line.
    return "\n" * sum(line.count("\n") for line in taken) + "".join(lines)


def _padded(before: list[str], after: list[str]) -> list[str]:
    missing = sum(line.count("\n") for line in before) - sum(line.count("\n") for line in after)
    if missing <= 0:
        return after
    at = next((i for i, (old, new) in enumerate(zip(before, after, strict=False)) if old != new), len(after) - 1)
    return [*after[: at + 1], *(["\n"] * missing), *after[at + 1 :]]


# --- what the transformer's calls stand for ---


@dataclass(frozen=True, slots=True)
class MagicCall:
    """`get_ipython().run_line_magic("name", "line")` and its kin; `name` is `!` for a shell line."""

    name: str
    line: str

    @property
    def shown(self) -> str:
        """As the user typed it, but never more than its first word: the rest may hold a secret."""
        word = self.line.split(maxsplit=1)[0] if self.line.split() else ""
        return f"!{word}" if self.name == "!" else f"%{self.name}"


def magic_call(node: ast.AST) -> MagicCall | None:
    """The magic that an expression calls, if it does."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    owner = node.func.value
    if not (isinstance(owner, ast.Call) and isinstance(owner.func, ast.Name) and owner.func.id == "get_ipython"):
        return None
    texts = [a.value if isinstance(a, ast.Constant) and isinstance(a.value, str) else "" for a in node.args]
    match node.func.attr, texts:
        case (("run_line_magic" | "run_cell_magic"), [name, line, *_]):
            return MagicCall(name, line)
        case (("magic" | "line_magic"), [line, *_]):
            name, _, rest = line.lstrip("%").partition(" ")
            return MagicCall(name, rest)
        case (("system" | "getoutput" | "getoutputerror"), [line, *_]):
            return MagicCall("!", line)
    return MagicCall(node.func.attr, "")


_PIP_LINE = re.compile(
    r"^\s*(?:(?:sudo\s+)?(?:[\w./~-]*/)?(?:pip[\d.]*|(?:\{sys\.executable\}|\$\{?sys\.executable\}?|py(?:thon[\d.]*)?)"
    r"\s+-m\s+pip|uv\s+pip|conda|mamba))\s+install\b(?P<rest>.*)$",
    re.DOTALL,
)
_PIP_OPTIONS_WITH_VALUE = words(
    """
    -i --index-url --extra-index-url -f --find-links -r --requirement -c --constraint -t --target -e --editable
    --trusted-host --timeout --retries --prefix --root --python-version --platform --progress-bar -n --name
    --channel --proxy --cache-dir --python --upgrade-strategy --no-binary --only-binary
    """
)


def pip_requirements(call: MagicCall) -> tuple[str, ...] | None:
    """What a pip line installs from the index; None if this is no such line."""
    line = f"{call.name} {call.line}" if call.name in {"pip", "pip3", "conda", "mamba", "uv"} else call.line
    if call.name not in {"!", "pip", "pip3", "conda", "mamba", "uv", "sx", "system"}:
        return None
    match = _PIP_LINE.match(line)
    if match is None:
        return None
    try:
        words = shlex.split(re.split(r"&&|\|\||[|;]|(?<!['\"\w])[12]?>", match["rest"], maxsplit=1)[0], comments=True)
    except ValueError:
        return ()
    found = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = word in _PIP_OPTIONS_WITH_VALUE
        elif re.fullmatch(r"[A-Za-z0-9][\w.-]*(\[[\w.,\s-]*\])?\s*([<>=!~].*)?", word) and "/" not in word:
            found.append(word)
    return tuple(found)


def environment_assignment(call: MagicCall) -> tuple[str, str] | None:
    """The variable that `%env X=v`, `%env X v` or `%set_env X=v` sets, and its value."""
    if call.name not in {"env", "set_env"}:
        return None
    line = call.line.strip()
    separator = "=" if "=" in line else " "
    name, found, value = line.partition(separator)
    name = name.strip()
    if not found or not re.fullmatch(r"[A-Za-z_]\w*", name):
        return None
    return name, value.strip()
