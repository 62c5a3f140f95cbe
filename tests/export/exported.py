"""Exports models in the test's own process and asks them as a serving process would: by their SavedModel alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cloudml_magic.model_folder import check_files, read_folder
from cloudml_magic.records import ModelInterface
from cloudml_magic.trainer.export import export_model


class Exported:
    """A model folder, loaded again."""

    def __init__(self, model: Any, folder: Path, **options: Any) -> None:
        import tensorflow as tf

        self.warnings: list[str] = []
        self.folder = folder
        export_model(model, str(folder), name="demo", warn=self.warnings.append, **options)
        check_files(folder)
        self.interface: ModelInterface = read_folder(folder)
        self.manifest: dict[str, Any] = json.loads((folder / "cloudml.json").read_bytes())
        self._loaded = tf.saved_model.load(str(folder))

    def ask(self, signature: str = "serving_default", **inputs: Any) -> Any:
        """The answer by output, or the array where there is one."""
        import tensorflow as tf

        asked = self._loaded.signatures[signature]
        answer = asked(**{name: tf.constant(value) for name, value in inputs.items()})
        arrays = {name: tensor.numpy() for name, tensor in answer.items()}
        return arrays["output_0"] if list(arrays) == ["output_0"] else arrays
