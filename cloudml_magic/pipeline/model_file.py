"""Loads a `.keras` file without running anything that it holds; what could run is refused by name first."""

from __future__ import annotations

import inspect
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.session import notebook_namespace

_MEMBERS, _BYTES, _RATIO, _CONFIG_BYTES = 10_000, 1 << 30, 100, 1 << 26
_PACKAGES = frozenset({"keras", "keras_hub", "keras_nlp", "keras_cv", "builtins", "__main__"})
# They hold Python code, or load it from elsewhere.
_CODE = frozenset({"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "__lambda__"})
_FUNCTIONS_OF_KERAS = frozenset({"keras.utils", "keras.saving", "keras.config", "keras.backend", "keras.export"})
_REFUSED = {
    "an HDF5 file": ((b"\x89HDF",), (".h5", ".hdf5")),
    "a pickle": ((b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"), (".pkl", ".pickle", ".joblib")),
    "a PyTorch file": ((), (".pt", ".pth")),
}
_NEXT_OF_JOB = "Run the cells that define its classes, or pass them: job.model(custom_objects={'Name': Class})."
_NEXT_OF_FILE = (
    "Run the cells that define its classes and try again, or load it with keras.saving.load_model and give the"
    " variable."
)
_CUSTOM_BASES = (
    "Layer",
    "Metric",
    "Loss",
    "Optimizer",
    "Initializer",
    "Regularizer",
    "Constraint",
    "LearningRateSchedule",
)


def load_model(
    file: Path, what: str, custom_objects: Mapping[str, Any] | None = None, *, trust: bool = False, trusting: str
) -> Any:
    """The model in a file, with the notebook's own classes; `what` is how errors call it.

    Only with `trust` may the file hold code, and `trusting` says how a user gives that word.
    """
    given = dict(custom_objects or {})
    config = _config(file, what)
    if not trust:
        _refuse_code(config, what, given, trusting)
    import keras

    try:
        return keras.saving.load_model(file, custom_objects=notebook_classes(keras) | given, safe_mode=not trust)
    except Exception as problem:
        lines = str(problem).strip().splitlines() or [type(problem).__name__]
        if not trust and "safe_mode" in str(problem):
            raise _holds_code(what, lines[0][:300], trusting) from problem
        lacking = _lacking(config, given)
        raise CloudMLError(
            "model-not-loadable",
            f"{what} cannot be loaded here.",
            why=f"It is made with {', '.join(lacking)}, which this notebook does not define."
            if lacking
            else lines[0][:500],
            next=_NEXT_OF_FILE if trusting == "`--trust`" else _NEXT_OF_JOB,
        ) from problem


def _lacking(config: Any, given: Mapping[str, Any]) -> list[str]:
    """What a model is made with that is neither Keras's nor the notebook's."""
    own = [
        str(item["config"] if item["class_name"] == "function" else item["class_name"])[:100]
        for item in _objects(config)
        if not is_of_keras({**item, "config": None}) and not _is_known(item, given)
    ]
    return sorted(set(own))


def notebook_classes(keras: Any) -> dict[str, Any]:
    """Classes and functions that the notebook defined and a saved model may name."""
    found: dict[str, Any] = {}
    for name, value in list(notebook_namespace().items()):
        if name.startswith("_"):
            continue
        if inspect.isclass(value) and issubclass(value, _bases(keras)) and not value.__module__.startswith("keras."):
            found[value.__name__] = value
        elif inspect.isfunction(value) and value.__module__ == "__main__":
            found[name] = value
    return found


def _bases(keras: Any) -> tuple[type, ...]:
    rooms = (
        keras,
        keras.metrics,
        keras.losses,
        keras.optimizers,
        keras.initializers,
        keras.regularizers,
        keras.constraints,
    )
    bases = [getattr(room, name, None) for name in _CUSTOM_BASES for room in (*rooms, keras.optimizers.schedules)]
    return tuple({base for base in bases if isinstance(base, type)})


def is_of_keras(config: Any) -> bool:
    """Whether everything that a description names is Keras's own, and holds no code."""
    for item in _objects(config):
        name, module = str(item.get("class_name")), str(item.get("module"))
        is_value = name.startswith("__") and name not in _CODE
        if name in _CODE or not (is_value or module.partition(".")[0] == "keras"):
            return False
    return True


def _config(file: Path, what: str) -> Any:
    """The model's description; the archive is checked before anything of it is unpacked."""
    try:
        with file.open("rb") as stream:
            begin = stream.read(8)
    except OSError as problem:
        raise CloudMLError("no-model-file", f"{what} cannot be read.", why=str(problem),
                           next="Give the path of a .keras file.") from problem  # fmt: skip
    for kind, (magics, suffixes) in _REFUSED.items():
        if begin.startswith(magics) or file.suffix.lower() in suffixes:
            raise CloudMLError(
                "model-format-refused",
                f"{what} is {kind}, which is not loaded.",
                why="Whoever made such a file could have code run in this kernel, with your rights.",
                next="Load it yourself if you know where it comes from, and save it: model.save('model.keras').",
            )
    try:
        with zipfile.ZipFile(file) as archive:
            _check_members(archive, what, file)
            return json.loads(archive.read("config.json"))
    except (
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        RecursionError,
        EOFError,
        OSError,
        NotImplementedError,
    ) as problem:
        raise _no_keras_file(what, f"{type(problem).__name__}: {problem}") from None


def _check_members(archive: zipfile.ZipFile, what: str, file: Path) -> None:
    members = archive.infolist()
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts:
            raise _no_keras_file(what, f"It holds {member.filename[:200]!r}, which would land outside its folder.")
    size = sum(member.file_size for member in members)
    if len(members) > _MEMBERS or size > max(_BYTES, _RATIO * file.stat().st_size):
        raise _no_keras_file(what, f"It claims {size:,} bytes in {len(members):,} parts.")
    if any(member.filename == "config.json" and member.file_size > _CONFIG_BYTES for member in members):
        raise _no_keras_file(what, "Its description is larger than any model's.")


def _no_keras_file(what: str, why: str) -> CloudMLError:
    return CloudMLError(
        "no-keras-file",
        f"{what} is no sound .keras file.",
        why=why[:400],
        next="Save the model again with model.save('model.keras').",
    )


def _refuse_code(config: Any, what: str, given: Mapping[str, Any], trusting: str) -> None:
    for item in _objects(config):
        name, module = str(item.get("class_name")), item.get("module")
        package = str(module).partition(".")[0] if module else "keras"
        if name in _CODE:
            raise _holds_code(
                what, f"It has a {name.strip('_').capitalize() if name == '__lambda__' else name}.", trusting
            )
        if str(module) in _FUNCTIONS_OF_KERAS and name == "function":
            raise _holds_code(what, f"It calls {module}.{item.get('config')}, which is no part of a model.", trusting)
        _refuse_file(item, what, trusting)
        # Functions of a notebook are said to be of `builtins` and looked up by name; classes never are.
        is_own = package in _PACKAGES and (package != "builtins" or name == "function")
        if not is_own and not _is_known(item, given):
            raise _holds_code(what, f"It names {str(module)[:100]}.{name[:100]}, which is not Keras's.", trusting)


def _refuse_file(item: Mapping[str, Any], what: str, trusting: str) -> None:
    """Refuses a layer whose vocabulary is a path: its words would become part of the model's answers."""
    config = item.get("config")
    path = config.get("vocabulary") if isinstance(config, dict) else None
    if isinstance(config, dict) and isinstance(path, str):
        raise CloudMLError(
            "model-reads-file",
            f"{what} would read a file of this machine.",
            why=f"Its layer {str(config.get('name'))[:100]} ({str(item.get('class_name'))[:100]}) takes its vocabulary"
            f" from {path[:200]!r}; whoever made the file chose which.",
            next=f"If the file is your own, {trusting} loads it.",
        )


def _is_known(item: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    """Whether the notebook has or passes what a file calls by name, so that no module has to be imported for it."""
    import keras

    known = notebook_classes(keras) | dict(given)
    names = (item.get("registered_name"), item.get("class_name"), item.get("config"))
    registered = keras.saving.get_registered_object(str(item.get("registered_name")))
    return registered is not None or any(isinstance(name, str) and name in known for name in names)


def _objects(config: Any) -> Iterator[dict[str, Any]]:
    """Every object that a description names, however deep."""
    waiting = [config]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if "class_name" in item:
                yield item
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item


def _holds_code(what: str, why: str, trusting: str) -> CloudMLError:
    return CloudMLError(
        "model-holds-code",
        f"{what} holds code that loading it would run.",
        why=f"{why} Whoever made the file chose what it does, and it would do so here, with your rights.",
        next=f"If the file is your own, {trusting} loads it.",
    )
