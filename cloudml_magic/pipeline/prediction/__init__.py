"""The second street's second half: from whatever a user has to a request in the right shape, and back to an answer."""

from cloudml_magic.pipeline.prediction.pictures_given import FileName
from cloudml_magic.pipeline.prediction.predicting import content_of, files_of, predict

__all__ = ["FileName", "content_of", "files_of", "predict"]
