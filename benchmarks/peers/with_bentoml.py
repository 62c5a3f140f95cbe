"""BentoML, as its own guide writes a service: `bentoml serve with_bentoml:Model`, the folder in MODEL_FOLDER."""

import os

import bentoml
import numpy as np


@bentoml.service
class Model:
    def __init__(self):
        import tensorflow as tf

        self.constant = tf.constant
        self.model = tf.saved_model.load(os.environ["MODEL_FOLDER"])
        self.signature = self.model.signatures["serving_default"]
        self.input = next(iter(self.signature.structured_input_signature[1]))

    @bentoml.api
    def predict(self, instances: np.ndarray) -> np.ndarray:
        return self.signature(**{self.input: self.constant(instances.astype(np.float32))})["output_0"].numpy()
