"""%%ml_predict and %ml_predict: ask a deployed model, and see the answer."""

from __future__ import annotations

import json
from typing import Any

from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from cloudml_magic.errors import CloudMLError
from cloudml_magic.notebook.options import parse
from cloudml_magic.notebook.run_here import run_here


@magics_class
class PredictMagics(Magics):
    """Predictions of deployed models."""

    @magic_arguments("%ml_predict")
    @argument(
        "model", metavar="MODEL[/VERSION]", help="a deployed model; its traffic decides where no version is named"
    )
    @argument("files", nargs="*", help="pictures: files or gs:// addresses, with * and ? for several")
    @argument("--into", metavar="VAR", help="bind the plain values that the model gave to this variable")
    @line_cell_magic
    def ml_predict(self, line: str, cell: str | None = None) -> None:
        """Asks a deployed model about the value of this cell, or about files named on the line.

        The cell is any Python, its last expression what is asked: an array, a frame, a list, a dictionary, pictures,
        paths or bytes; or JSON. The request is built from what the model says it takes.
        """
        from IPython.display import display

        from cloudml_magic import pipeline
        from cloudml_magic.notebook.prediction_card import bundle

        given = parse(self.ml_predict, line)
        if given.into is not None and not given.into.isidentifier():
            raise CloudMLError("bad-option", f"--into {given.into!r} is no variable.", next="Give a Python name.")
        instances = self._instances(given.model, given.files, cell)
        prediction = pipeline.predict(given.model, instances)
        if given.into:
            self.shell.user_ns[given.into] = prediction.values
        content = bundle(prediction)
        if hasattr(self.shell, "kernel"):
            display(content, raw=True)
        else:
            print(content["text/plain"])

    def _instances(self, model: str, files: list[str], cell: str | None) -> Any:
        from cloudml_magic import pipeline

        if cell is None:
            if not files:
                raise CloudMLError(
                    "nothing-asked",
                    f"Nothing is asked of {model}.",
                    next=f"Name files, `%ml_predict {model} cat.jpg`, or put `%%ml_predict {model}` on a cell.",
                )
            return pipeline.files_of(files)
        if files:
            raise CloudMLError(
                "asked-twice",
                "Both the line and the cell say what is asked.",
                next="Leave the files out of the line, or use `%ml_predict` without a cell.",
            )
        return self._value(model, cell)

    def _value(self, model: str, cell: str) -> Any:
        """What the cell is: JSON, or else the value of its last expression."""
        try:
            return json.loads(cell)
        except ValueError:
            pass
        value = run_here(self.shell, cell)
        if value is None:
            raise CloudMLError(
                "nothing-asked",
                f"Nothing is asked of {model}: the cell has no value.",
                next="End the cell with an expression, such as `x[:3]`.",
            )
        return value
