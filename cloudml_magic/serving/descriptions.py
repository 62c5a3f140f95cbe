"""State and metadata of a model, as TensorFlow Serving writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cloudml_magic.records import ModelInterface, Signature, TensorSpec

_DTYPES = {
    "float32": "DT_FLOAT", "float64": "DT_DOUBLE", "float16": "DT_HALF", "bfloat16": "DT_BFLOAT16",
    "int8": "DT_INT8", "int16": "DT_INT16", "int32": "DT_INT32", "int64": "DT_INT64",
    "uint8": "DT_UINT8", "uint16": "DT_UINT16", "uint32": "DT_UINT32", "uint64": "DT_UINT64",
    "bool": "DT_BOOL", "string": "DT_STRING", "complex64": "DT_COMPLEX64", "complex128": "DT_COMPLEX128",
}  # fmt: skip


def state(version: str) -> dict[str, Any]:
    """Of a version that answers."""
    return {
        "model_version_status": [
            {"version": version, "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
        ]
    }


def metadata(model: str, version: str, interface: ModelInterface, manifest: Any) -> dict[str, Any]:
    """The signatures, and beside them our manifest where there is one."""
    return {
        "model_spec": {"name": model, "signature_name": "", "version": version},
        "metadata": {
            "signature_def": {"signature_def": {name: _signature(item) for name, item in interface.signatures.items()}}
        },
        "cloudml": manifest,
    }


def _signature(signature: Signature) -> dict[str, Any]:
    return {
        "inputs": _tensors(signature.inputs),
        "outputs": _tensors(signature.outputs),
        "method_name": "tensorflow/serving/predict",
    }


def _tensors(specs: Sequence[TensorSpec]) -> dict[str, Any]:
    return {
        spec.name: {
            "dtype": _DTYPES.get(spec.dtype, "DT_INVALID"),
            "tensor_shape": {
                "dim": [{"size": str(-1 if size is None else size), "name": ""} for size in spec.shape],
                "unknown_rank": False,
            },
            "name": spec.name,
        }
        for spec in specs
    }
