"""What a job is told about the export of its model: as the user says, or as its code shows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.options import TrainOptions, split_labels
from cloudml_magic.records import CapturedSource, Target
from cloudml_magic.source import applied_preprocessing, own_layers
from cloudml_magic.trainer.export import NotExportableError, is_traced, lacking_tensorflow
from cloudml_magic.trainer.export.labels import as_names
from cloudml_magic.trainer.export.picture import RESIZES
from cloudml_magic.trainer.export.preprocessing import name_of, needs_no_notebook, resolved

_NOT_IN_THE_IMAGE = "A SavedModel is written by TensorFlow, which the backend's image does not hold."
_SPELLED = {"torch": "PyTorch"}


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """What CLOUDML_JOB says of the export, in words what was found out, and what the user has to know before."""

    told: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def needed_names(options: TrainOptions, namespace: Mapping[str, Any]) -> frozenset[str]:
    """The names of the notebook that the job looks up when it exports its model."""
    name = _preprocess(options.preprocess, namespace)
    return frozenset() if name is None or needs_no_notebook(name) else frozenset({name.partition(".")[0]})


def plan_export(
    options: TrainOptions, source: CapturedSource, namespace: Mapping[str, Any], backend: str, target: Target
) -> ExportPlan:
    """Puts together what was asked for and what the captured code shows."""
    if options.resize not in (None, *RESIZES):
        raise CloudMLError(
            "bad-option", f"--resize {options.resize!r} is not understood.", next=f"Use {', '.join(RESIZES)}."
        )
    told: dict[str, Any] = {
        "labels": _labels(options.labels, namespace),
        "preprocess": _preprocess(options.preprocess, namespace),
        "resize": options.resize,
        "picture": options.picture,
    }
    notes, warnings = [], list(_unservable(backend, target, source))
    if told["preprocess"] is None and options.picture is not False:
        found = applied_preprocessing(statement.text for statement in source.statements)
        if len(found.before) == 1 and not found.inside:
            told["preprocess"] = found.before[0]
            notes.append(f"Pictures are preprocessed by {found.before[0]}, which the code applies.")
        elif not found.before and not found.inside:
            told["scaling"] = found.scaling
        elif found.before:
            every = ", ".join(sorted({*found.before, *found.inside}))
            where = "inside and outside of the model" if found.inside else "before the model"
            warnings.append(
                f"The code applies {every} {where}, so the exported model applies none to pictures that it is asked"
                " about: say which with --preprocess."
            )
    return ExportPlan({name: value for name, value in told.items() if value is not None}, tuple(notes), tuple(warnings))


def _unservable(backend: str, target: Target, source: CapturedSource) -> list[str]:
    """Why the model will not be served, or perhaps not: whoever trains for hours wants to know before."""
    if backend == "tensorflow":
        return []
    brings = any(requirement.startswith("tensorflow") for requirement in source.requirements)
    why = "" if brings else lacking_tensorflow() if target is Target.LOCAL else _NOT_IN_THE_IMAGE
    if why:
        return [f"The job will save its model, but not for serving. {why} --requires tensorflow-cpu brings it."]
    own = own_layers(statement.text for statement in source.statements)
    if own and not is_traced(backend):
        return [
            f"The job will save its model, but perhaps not for serving: a model of the {_SPELLED.get(backend, backend)}"
            f" backend is exported through Keras's own layers, and the code has {', '.join(own)}."
        ]
    return []


def _labels(given: str | Sequence[str] | Mapping[str, Any] | None, namespace: Mapping[str, Any]) -> Any:
    if given is None or isinstance(given, Mapping):
        return given
    names = split_labels(given) if isinstance(given, str) else as_names(given)
    if not isinstance(names, str) or names not in namespace:
        # What only the job makes is looked up there.
        return names
    value = namespace[names]
    found = as_names(getattr(value, "class_names", value))
    if found is None:
        raise CloudMLError(
            "bad-option",
            f"--labels {names}: the variable is {type(value).__name__}, not a list of names.",
            next="Give the names, as in --labels cat,dog, or a variable that holds a list of them.",
        )
    return found


def _preprocess(given: str | Callable[..., Any] | None, namespace: Mapping[str, Any]) -> str | None:
    if given is None:
        return None
    name = name_of(given) if callable(given) else given.replace(" ", "")
    if "keras" in sys.modules and (needs_no_notebook(name) or name in namespace):
        # Found out now, since the job would say so only after its training.
        try:
            resolved(name, namespace)
        except NotExportableError as problem:
            raise CloudMLError("bad-option", problem.why, next=problem.next) from None
    return name
