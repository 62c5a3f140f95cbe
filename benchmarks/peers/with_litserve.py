"""LitServe, as its own guide writes a server: `with_litserve.py MODEL_FOLDER PORT`."""

import sys

import litserve
import numpy as np


class Model(litserve.LitAPI):
    def setup(self, device):
        import tensorflow as tf

        self.constant = tf.constant
        self.model = tf.saved_model.load(sys.argv[1])
        self.signature = self.model.signatures["serving_default"]
        self.input = next(iter(self.signature.structured_input_signature[1]))

    def decode_request(self, request):
        return np.array(request["instances"], np.float32)

    def predict(self, rows):
        return self.signature(**{self.input: self.constant(rows)})["output_0"].numpy()

    def encode_response(self, output):
        return {"predictions": output.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(Model(), accelerator="cpu")
    server.run(port=int(sys.argv[2]), num_api_servers=1, log_level="error", generate_client_file=False)
