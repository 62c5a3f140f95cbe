"""What `%%ml_predict` shows: pictures beside their classes, rows with their predictions, numbers as numbers."""

from cloudml_magic.cards.prediction.bundle import PREDICTION_MIME, bundle

__all__ = ["PREDICTION_MIME", "bundle"]
