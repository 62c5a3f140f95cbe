"""The second street's second half: from whatever a user has to a request in the right shape, and back to an answer."""

from cloudml_magic.pipeline.prediction.predicting import files_of, predict

__all__ = ["files_of", "predict"]
