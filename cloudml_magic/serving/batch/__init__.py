"""The process of a batch prediction (docs/batch_prediction.md): reads instances, predicts them, writes the answers."""
