"""MLServer without worker processes, which is its fastest for a small model: `with_mlserver.py MODEL_FOLDER PORT`."""

import asyncio
import os
import sys

from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse


class Model(MLModel):
    async def load(self):
        import tensorflow as tf

        self.constant = tf.constant
        self.saved = tf.saved_model.load(os.environ["MODEL_FOLDER"])
        self.signature = self.saved.signatures["serving_default"]
        self.input = next(iter(self.signature.structured_input_signature[1]))
        return True

    async def predict(self, payload):
        rows = self.decode(payload.inputs[0], default_codec=NumpyCodec)
        output = self.signature(**{self.input: self.constant(rows)})["output_0"].numpy()
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("output_0", output)])


async def main():
    os.environ["MODEL_FOLDER"] = sys.argv[1]
    port = int(sys.argv[2])
    settings = Settings(
        debug=False, parallel_workers=0, host="127.0.0.1", http_port=port, grpc_port=port + 100, metrics_port=port + 200
    )
    await MLServer(settings).start([ModelSettings(name="model", implementation=Model)])


if __name__ == "__main__":
    asyncio.run(main())
