"""What computes predictions: TensorFlow, the reference, or ONNX Runtime where it was certified to agree."""

from cloudml_magic.serving.engines.engine import Engine, ModelRefusedError, Tensors

__all__ = ["Engine", "ModelRefusedError", "Tensors"]
