"""Predictions of many instances as a job: inputs to the bucket, the job, and its results as a frame."""

from cloudml_magic.pipeline.batch.predicting import batch_predict, value_or_words

__all__ = ["batch_predict", "value_or_words"]
