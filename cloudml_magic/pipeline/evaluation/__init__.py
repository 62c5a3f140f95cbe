"""The quality of a trained model: asked about examples whose truth is known, and scored."""

from cloudml_magic.pipeline.evaluation.evaluating import evaluate

__all__ = ["evaluate"]
