"""Imports → the distributions that provide them, pinned to what the kernel has, less what the runtime holds."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from cloudml_magic.errors import CloudMLError
from cloudml_magic.source.local_modules import Imported, LocalModules

# Where an import's name is not its distribution's and nothing is installed that would tell.
_KNOWN_PROVIDERS = {
    "sklearn": "scikit-learn", "PIL": "pillow", "cv2": "opencv-python-headless", "yaml": "pyyaml",
    "skimage": "scikit-image", "bs4": "beautifulsoup4", "dateutil": "python-dateutil", "attr": "attrs",
    "dotenv": "python-dotenv", "tensorflow": "tensorflow", "keras": "keras", "numpy": "numpy", "h5py": "h5py",
    "google.protobuf": "protobuf", "google.cloud.storage": "google-cloud-storage",
    "google.cloud.bigquery": "google-cloud-bigquery", "googleapiclient": "google-api-python-client",
    "tensorflow_datasets": "tensorflow-datasets", "tensorflow_hub": "tensorflow-hub", "tf_keras": "tf-keras",
    "keras_hub": "keras-hub", "keras_cv": "keras-cv", "keras_nlp": "keras-nlp", "keras_tuner": "keras-tuner",
    "umap": "umap-learn", "Bio": "biopython", "serial": "pyserial", "Crypto": "pycryptodome",
}  # fmt: skip
_RUNTIME_PROVIDERS = {
    "tensorflow": ("tensorflow", "tensorflow-cpu"), "keras": ("keras",), "numpy": ("numpy",), "h5py": ("h5py",),
    "tensorboard": ("tensorboard",), "jax": ("jax",), "torch": ("torch",), "absl": ("absl-py",), "rich": ("rich",),
    "optree": ("optree",), "requests": ("requests",), "packaging": ("packaging",), "six": ("six",),
    "wrapt": ("wrapt",), "ml_dtypes": ("ml-dtypes",), "google.protobuf": ("protobuf",),
}  # fmt: skip
_SPECIFIER = re.compile(r"^\s*(?P<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?P<extras>\[[^\]]*\])?\s*(?P<rest>.*)$")


def canonical(name: str) -> str:
    """The one spelling of a distribution's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


_TENSORFLOW_RUNTIME = (
    "tensorflow", "tensorflow-cpu", "keras", "numpy", "h5py", "protobuf", "absl-py", "ml-dtypes",
)  # fmt: skip


@lru_cache(maxsize=8)
def runtime_distributions(roots: tuple[str, ...] = _TENSORFLOW_RUNTIME) -> frozenset[str]:
    """What a runtime holds: these distributions and all that they require, as this environment's metadata tells."""
    found = set(roots)
    waiting = list(found)
    while waiting:
        try:
            required = importlib.metadata.requires(waiting.pop()) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for line in required:
            match = _SPECIFIER.match(line.partition(";")[0])
            if match is None or "extra ==" in line:
                continue
            name = canonical(match["name"])
            if name not in found:
                found.add(name)
                waiting.append(name)
    return frozenset(found)


def requirements_for(
    imports: Iterable[Imported],
    *,
    local: LocalModules,
    holds: frozenset[str],
    installed_lines: Sequence[str] = (),
    requires: Sequence[str] = (),
    warnings: list[str],
    static: bool = False,
) -> tuple[str, ...]:
    """The requirements of these imports, of the local modules that they bring, and of what the user named."""
    pinned: dict[str, str] = {}
    missing: dict[str, str] = {}
    waiting = list(imports)
    seen: set[str] = set()
    while waiting:
        imported = waiting.pop(0)
        if imported.module in seen:
            continue
        seen.add(imported.module)
        before = len(local.imports)
        if local.take(imported.module):
            waiting += local.imports[before:]
            continue
        if _is_held(imported.module, holds):
            continue
        _add(pinned, imported, local, holds, missing, waiting, static=static)
    for line in installed_lines:
        _add_line(pinned, line, holds)
    for line in requires:
        match = _SPECIFIER.match(line)
        if match is None or not re.fullmatch(r"((?:[<>=!~]=?|===|@).*|;.*)?", match["rest"].strip()):
            raise CloudMLError(
                "requirement-unreadable", f"--requires {line.strip()!r} is no requirement.",
                next="Write it as pip would take it: --requires 'pandas>=2,scikit-learn==1.5.0'.",
            )  # fmt: skip
        pinned[canonical(match["name"])] = line.strip()
    warnings += [
        f"`{module}` is not installed here, so the job will install the latest {name}."
        for name, module in missing.items()
        if pinned[canonical(name)] == name
    ]
    pinned.pop("cloudml-magic", None)
    return tuple(pinned[name] for name in sorted(pinned))


def split_requirements(text: str) -> tuple[str, ...]:
    """`'a>=1,<2,b[x,y]'` → `a>=1,<2` and `b[x,y]`: a part that begins with a sign belongs to the one before."""
    parts: list[str] = []
    for part in re.split(r",(?![^\[]*\])", text):
        word = part.strip()
        if parts and re.match(r"[<>=!~]", word):
            parts[-1] += f",{word}"
        elif word:
            parts.append(word)
    return tuple(parts)


def _is_held(module: str, holds: frozenset[str]) -> bool:
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names or top in sys.builtin_module_names or top in {"cloudml_magic", "__main__"}:
        return True
    for name, providers in _RUNTIME_PROVIDERS.items():
        if (top == name or module == name or module.startswith(name + ".")) and holds.intersection(providers):
            return True
    return False


def _add(
    pinned: dict[str, str], imported: Imported, local: LocalModules, holds: frozenset[str], missing: dict[str, str],
    waiting: list[Imported], *, static: bool,
) -> None:  # fmt: skip
    top = imported.module.partition(".")[0]
    distribution = _provider(imported.module)
    if distribution is None or _is_editable(distribution):
        folder = None if static and distribution is None else _source_folder(top)
        if folder is not None:
            further = LocalModules(folder, files=local.files)
            if further.take(top):
                waiting += further.imports
                return
    if distribution is None:
        if not imported.expected:
            return
        name = _known_provider(imported.module) or top
        if canonical(name) in holds:
            return
        pinned.setdefault(canonical(name), name)
        missing[name] = top
        return
    name = canonical(distribution)
    if name not in holds:
        pinned[name] = f"{name}=={importlib.metadata.version(distribution).partition('+')[0]}"


def _add_line(pinned: dict[str, str], line: str, holds: frozenset[str]) -> None:
    match = _SPECIFIER.match(line)
    if match is None:
        return
    name = canonical(match["name"])
    if match["rest"].strip():
        pinned[name] = line.strip()
    elif name not in holds and name not in pinned:
        try:
            version = importlib.metadata.version(name).partition("+")[0]
            pinned[name] = f"{name}{match['extras'] or ''}=={version}"
        except importlib.metadata.PackageNotFoundError:
            pinned[name] = line.strip()


def _known_provider(module: str) -> str | None:
    parts = module.split(".")
    return next(
        (_KNOWN_PROVIDERS[p] for n in range(len(parts), 0, -1) if (p := ".".join(parts[:n])) in _KNOWN_PROVIDERS), None
    )


def _provider(module: str) -> str | None:
    """The installed distribution that provides a module."""
    known = _known_provider(module)
    for guess in (known, module.partition(".")[0]):
        if guess is not None and _provides(guess, module):
            return guess
    top = module.partition(".")[0]
    candidates = _distributions_of(tuple(sys.path)).get(top, ())
    if len(candidates) < 2:
        return candidates[0] if candidates else None
    parts = module.split(".")
    for count in range(len(parts), 1, -1):
        path = "/".join(parts[:count])
        for candidate in candidates:
            if any(str(file).startswith((path + "/", path + ".py")) for file in _files_of(candidate)):
                return candidate
    return candidates[0]


@lru_cache(maxsize=512)
def _files_of(distribution: str) -> tuple[str, ...]:
    return tuple(str(file) for file in importlib.metadata.files(distribution) or ())


def _provides(distribution: str, module: str) -> bool:
    """Whether a distribution of this name is installed and has the module; cheaper than asking all of them."""
    try:
        importlib.metadata.version(distribution)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return False
    parts = module.split(".")
    paths = tuple(
        f"{'/'.join(parts[:count])}{end}" for count in range(1, len(parts) + 1) for end in ("/__init__.py", ".py")
    )
    return any(file in paths for file in _files_of(distribution))


@lru_cache(maxsize=4)
def _distributions_of(path: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """All distributions by what they provide; slow, so once per import path."""
    return {name: tuple(dict.fromkeys(found)) for name, found in importlib.metadata.packages_distributions().items()}


def _is_editable(distribution: str) -> bool:
    try:
        text = importlib.metadata.distribution(distribution).read_text("direct_url.json") or ""
    except (importlib.metadata.PackageNotFoundError, OSError):
        return False
    return '"editable": true' in text or '"editable":true' in text


def _source_folder(top: str) -> Path | None:
    """The folder from which this kernel imports a module that no index has."""
    try:
        spec = sys.modules[top].__spec__ if top in sys.modules else importlib.util.find_spec(top)
    except (ImportError, ValueError, AttributeError):
        return None
    if spec is None or spec.origin in {None, "built-in", "frozen"} or not str(spec.origin).endswith(".py"):
        return None
    origin = Path(str(spec.origin))
    if {"site-packages", "dist-packages"} & set(origin.parts):
        return None
    return origin.parent.parent if origin.name == "__init__.py" else origin.parent
