"""What `%ml_evaluate` shows: figures, the confusion matrix, each class's scores, and the worst examples."""

from cloudml_magic.cards.evaluation.bundle import EVALUATION_MIME, bundle

__all__ = ["EVALUATION_MIME", "bundle"]
