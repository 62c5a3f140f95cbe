"""From plain values and arrays to the tensors that a signature takes; or what is wrong, before anything is sent.

Pure: no model is needed, only what its interface says. The server and the request builder check by the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import Signature
from cloudml_magic.serving.shapes import shape_text
from cloudml_magic.serving.tensors import quoted_names, tensor


def tensors_of_rows(signature: Signature, instances: Any) -> dict[str, Any]:
    """Row format: one value per instance, or one object input → value per instance."""
    if isinstance(instances, Mapping | str | bytes) or not hasattr(instances, "__len__"):
        raise CloudMLError(
            "instances-no-list",
            "`instances` is no list.",
            why=f"{signature_takes(signature)}",
            next="Send a list with one entry per instance, also for a single one: [x].",
        )
    if not len(instances):
        raise CloudMLError("no-instances", "There are no instances.", next="Send a list with at least one entry: [x].")
    rows = [] if hasattr(instances, "dtype") else [instance for instance in instances if _is_named(instance)]
    if not rows:
        if len(signature.inputs) != 1:
            raise CloudMLError(
                "inputs-not-named",
                f"An instance names no inputs, but the model has {len(signature.inputs)}.",
                why=signature_takes(signature),
                next=f"Send each instance as an object: {_example(signature)}.",
            )
        only = signature.inputs[0]
        return {only.name: tensor(only, instances)}
    if len(rows) != len(instances):
        index = next(index for index, instance in enumerate(instances) if not _is_named(instance))
        raise CloudMLError(
            "instances-mixed",
            f"Some instances are objects, but instance {index} is a bare value.",
            next=f"Send all of them alike: {_example(signature)}.",
        )
    for index, row in enumerate(rows):
        _check_names(signature, row, f"Instance {index}")
    return {spec.name: tensor(spec, [row[spec.name] for row in rows]) for spec in signature.inputs}


def tensors_of_columns(signature: Signature, inputs: Any) -> dict[str, Any]:
    """Column format: the whole batch of each input by name; bare where there is one input."""
    if not _is_named(inputs):
        if len(signature.inputs) != 1:
            raise CloudMLError(
                "inputs-not-named",
                f"The inputs are not named, but the model has {len(signature.inputs)}.",
                why=signature_takes(signature),
                next=f"Send an object: {_example(signature)}, each with the values of all instances.",
            )
        inputs = {signature.inputs[0].name: inputs}
    _check_names(signature, inputs, "The request")
    return check(signature, inputs)


def check(signature: Signature, values: Mapping[str, Any], *, finite: bool = True) -> dict[str, Any]:
    """The tensors of a signature from arrays or nested lists by input name, the batch first.

    `finite=False` lets NaN and infinity pass, which JSON cannot carry.
    """
    _check_names(signature, values, "The request")
    tensors = {spec.name: tensor(spec, values[spec.name], finite=finite) for spec in signature.inputs}
    counts = {
        spec.name: len(tensors[spec.name])
        for spec in signature.inputs
        if spec.shape and spec.shape[0] is None and tensors[spec.name].ndim
    }
    if len(set(counts.values())) > 1:
        said = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise CloudMLError(
            "unequal-rows",
            f"The inputs have different numbers of instances: {said}.",
            next="Send as many values for each input.",
        )
    if 0 in counts.values():
        raise CloudMLError("no-instances", "There are no instances.", next="Send at least one.")
    return tensors


def signature_takes(signature: Signature) -> str:
    """One sentence: the inputs with dtypes and shapes."""
    inputs = ", ".join(f"{spec.name}: {spec.dtype} {shape_text(spec.shape)}" for spec in signature.inputs)
    return f"The model takes {inputs}."


def _example(signature: Signature) -> str:
    return "{" + ", ".join(f'"{spec.name}": …' for spec in signature.inputs) + "}"


def _is_named(instance: Any) -> bool:
    return isinstance(instance, Mapping) and tuple(instance) != ("b64",)


def _check_names(signature: Signature, given: Mapping[str, Any], who: str) -> None:
    wanted = [spec.name for spec in signature.inputs]
    unknown = [name for name in given if name not in wanted]
    missing = [name for name in wanted if name not in given]
    if not unknown and not missing:
        return
    if len(unknown) == 1 and len(missing) == 1:
        raise CloudMLError(
            "unknown-input",
            f"{who} has an input `{unknown[0]}` that the model does not have, and lacks `{missing[0]}`.",
            why=signature_takes(signature),
            next=f"Rename `{unknown[0]}` to `{missing[0]}`.",
        )
    if missing:
        raise CloudMLError(
            "missing-input",
            f"{who} lacks {quoted_names(missing)}.",
            why=signature_takes(signature),
            next="Give each instance a value for every input.",
        )
    raise CloudMLError(
        "unknown-input",
        f"{who} has {quoted_names(unknown)}, which the model does not have.",
        why=signature_takes(signature),
        next=f"Leave {quoted_names(unknown)} out.",
    )
