"""Converts a model to ONNX and holds its answers against TensorFlow's. Only certification imports this."""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cloudml_magic.records import ModelInterface, Signature
from cloudml_magic.serving import pictures
from cloudml_magic.serving.certificate import Graph
from cloudml_magic.serving.certification import graph_signatures
from cloudml_magic.serving.engines import Tensors
from cloudml_magic.serving.engines.onnx_engine import open_session
from cloudml_magic.serving.engines.tensorflow_engine import TensorFlowEngine
from cloudml_magic.serving.predictor import PIXELS
from cloudml_magic.serving.trial_inputs import encoded_trials, trials

TENSOR_TOLERANCE = 1e-4
PICTURE_TOLERANCE = 1e-2
_OPSET = 18
_TIMED_CALLS = 7


class NotCertifiedError(Exception):
    """Why TensorFlow serves this model."""


def agreeing_graphs(folder: Path, interface: ModelInterface, engine_folder: Path) -> tuple[dict[str, Graph], str]:
    """One graph per signature, and what was found, in words; raises NotCertifiedError where they do not agree."""
    reference = TensorFlowEngine(folder, "")
    graphs: dict[str, Graph] = {}
    sessions: dict[str, Any] = {}
    largest = 0.0
    faster = []
    for signature in graph_signatures(interface):
        graph = _converted(reference, signature, engine_folder)
        session = open_session(engine_folder / graph.file)
        largest = max(largest, _compared(reference, session, graph, signature))
        faster.append(_times_faster(reference, session, graph, signature))
        graphs[signature.name], sessions[signature.name] = graph, session
    if min(faster) < 1:
        raise NotCertifiedError(f"ONNX Runtime is no faster for this model ({min(faster):.1f} times).")
    words = [f"It agrees with TensorFlow (largest relative difference {largest:.0e}"]
    if interface.picture is not None:
        words.append(f", {_compared_pictures(reference, sessions[PIXELS], graphs[PIXELS], interface):.0e} for pictures")
    return graphs, "".join(words) + f") and was {min(faster):.1f} times as fast."


def _converted(reference: TensorFlowEngine, signature: Signature, engine_folder: Path) -> Graph:
    import tf2onnx.convert

    file = engine_folder / f"{hashlib.sha256(signature.name.encode()).hexdigest()[:16]}.onnx"
    concrete = reference.concrete(signature.name)
    try:
        model, _ = tf2onnx.convert.from_function(_Known(concrete), input_signature=(), opset=_OPSET)
        _keep_constants(model, concrete)
        file.write_bytes(model.SerializeToString())
    except Exception as problem:
        raise NotCertifiedError(f"It cannot be converted to ONNX: {_sentence(problem)}.") from None
    given = {item.name for item in model.graph.input}
    if given != {spec.name for spec in signature.inputs}:
        raise NotCertifiedError("It cannot be converted to ONNX: the graph takes other inputs.")
    # Both list a dictionary's values in the order of its sorted keys.
    names = sorted(concrete.structured_outputs)
    outputs = dict(zip(names, (item.name for item in model.graph.output), strict=True))
    return Graph(file.name, hashlib.sha256(file.read_bytes()).hexdigest(), outputs)


def _keep_constants(model: Any, concrete: Any) -> None:
    """Puts plain tensors that a layer holds (Normalization its mean) into the graph: the converter leaves them open."""
    from onnx import numpy_helper

    first = len(concrete.inputs) - len(concrete.captured_inputs)
    captured = {
        inner.name: outer for inner, outer in zip(concrete.inputs[first:], concrete.captured_inputs, strict=True)
    }
    for item in list(model.graph.input):
        value = captured.get(item.name)
        if value is not None and hasattr(value, "numpy"):
            model.graph.initializer.append(numpy_helper.from_array(value.numpy(), item.name))
            model.graph.input.remove(item)


class _Known:
    """What the converter asks of a function: its one concrete form."""

    def __init__(self, concrete: Any) -> None:
        self._concrete = concrete

    def get_concrete_function(self) -> Any:
        return self._concrete


def _compared(reference: TensorFlowEngine, session: Any, graph: Graph, signature: Signature) -> float:
    """The largest relative difference over all trials."""
    expected, found = [], []
    for inputs in trials(signature):
        try:
            expected.append(reference.run(signature.name, inputs))
        except Exception as problem:
            raise NotCertifiedError(
                f"TensorFlow itself cannot compute arbitrary numbers: {_sentence(problem)}."
            ) from None
        try:
            found.append(_run(session, graph, inputs))
        except Exception as problem:
            raise NotCertifiedError(f"ONNX Runtime cannot compute it: {_sentence(problem)}.") from None
    return _judged(expected, found, TENSOR_TOLERANCE)


def _compared_pictures(reference: TensorFlowEngine, session: Any, graph: Graph, interface: ModelInterface) -> float:
    """Encoded pictures: TensorFlow's decoder and graph against Pillow, NumPy and ONNX Runtime."""
    picture = interface.picture
    assert picture is not None
    taken = next(item for item in interface.signatures.values() if item.inputs[0].name == picture.input)
    pixels = interface.signatures[PIXELS].inputs[0]
    expected, found = [], []
    for index, content in enumerate(encoded_trials(picture)):
        expected.append(reference.run(taken.name, {picture.input: np.array([content], object)}))
        array = pictures.pixels(content, picture, index)[None]
        found.append(_run(session, graph, {pixels.name: array[..., 0] if len(pixels.shape) == 3 else array}))
    return _judged(expected, found, PICTURE_TOLERANCE)


def _judged(expected: list[Tensors], found: list[Tensors], tolerance: float) -> float:
    largest = 0.0
    differ = False
    for name in expected[0]:
        ours, theirs = [output[name] for output in found], [output[name] for output in expected]
        if any(one.shape != other.shape for one, other in zip(ours, theirs, strict=True)):
            raise NotCertifiedError(f"The engines give `{name}` different shapes.")
        if not all(np.isfinite(array).all() for array in (*ours, *theirs)):
            raise NotCertifiedError(f"`{name}` is not finite on ordinary numbers.")
        scale = max(float(np.abs(array).max(initial=0)) for array in theirs)
        apart = max(float(np.abs(one - other).max(initial=0)) for one, other in zip(ours, theirs, strict=True))
        differ = differ or _spread(theirs) > 2 * tolerance * scale
        largest = max(largest, apart / scale if scale else apart)
        if largest > tolerance:
            raise NotCertifiedError(f"The engines differ by {largest:.0e} in `{name}`; {tolerance:.0e} is allowed.")
        if any(_first_classes(one) != _first_classes(other) for one, other in zip(ours, theirs, strict=True)):
            raise NotCertifiedError(f"The engines name different first classes in `{name}`.")
    if not differ:
        raise NotCertifiedError("The model answers all trial inputs alike, so nothing is shown by agreeing on them.")
    return largest


def _spread(arrays: list[Any]) -> float:
    """How far the answers to different inputs lie apart, at most."""
    means = [array.reshape(len(array), -1) for array in arrays]
    width = min(rows.shape[1] for rows in means)
    rows = np.concatenate([rows[:, :width] for rows in means])
    return float((rows.max(axis=0) - rows.min(axis=0)).max(initial=0))


def _first_classes(array: Any) -> list[int]:
    return array.argmax(axis=-1).reshape(-1).tolist() if array.ndim > 1 and array.shape[-1] > 1 else []


def _times_faster(reference: TensorFlowEngine, session: Any, graph: Graph, signature: Signature) -> float:
    inputs = {name: array[:1] for name, array in next(iter(trials(signature))).items()}

    def taken(call: Callable[[], object]) -> float:
        began = time.perf_counter()
        call()
        return time.perf_counter() - began

    theirs, ours = [], []
    for _ in range(_TIMED_CALLS):
        theirs.append(taken(lambda: reference.run(signature.name, inputs)))
        ours.append(taken(lambda: _run(session, graph, inputs)))
    return statistics.median(theirs) / statistics.median(ours)


def _run(session: Any, graph: Graph, inputs: Tensors) -> Tensors:
    return dict(zip(graph.outputs, session.run(list(graph.outputs.values()), dict(inputs)), strict=True))


def _sentence(problem: Exception) -> str:
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    return (lines[0] if lines else type(problem).__name__)[:200].rstrip(".")
