"""%%ml_predict and %ml_predict: ask a deployed model, and see the answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from cloudml_magic.errors import CloudMLError
from cloudml_magic.notebook.options import check_variable, parse
from cloudml_magic.notebook.run_here import run_here

if TYPE_CHECKING:
    from cloudml_magic.pipeline.batch_job import BatchJob


@magics_class
class PredictMagics(Magics):
    """Predictions of deployed models."""

    @magic_arguments("%ml_predict")
    @argument(
        "model",
        metavar="MODEL[/VERSION]",
        nargs="?",
        help="a deployed model; its traffic decides where no version is named",
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
        from cloudml_magic.cards.prediction import bundle
        from cloudml_magic.patience import heard_by, said_once

        given = parse(self.ml_predict, line)
        check_variable(given.into)
        if given.model is None:
            raise CloudMLError(
                "no-model-named",
                "No model is named.",
                next="Name one: `%ml_predict MODEL cat.jpg`; `%ml_models` lists what is deployed.",
            )
        instances = self._instances(given.model, given.files, cell)
        with heard_by(said_once(print)):
            prediction = pipeline.predict(given.model, instances)
        if given.into:
            self.shell.user_ns[given.into] = prediction.values
        content = bundle(prediction)
        if hasattr(self.shell, "kernel"):
            display(content, raw=True)
        else:
            print(content["text/plain"])

    @magic_arguments()
    @argument("model", metavar="MODEL[/VERSION]", help="a model; it need not be deployed")
    @argument("--input", required=True, help="gs://…, a file, a folder of pictures, or a variable of the notebook")
    @argument("--output", metavar="gs://…", help="the folder for results, in place of one in your bucket")
    @argument("--format", choices=["jsonl", "csv", "tfrecord", "files"], help="where it does not follow from the name")
    @argument("--batch-size", type=int, metavar="ROWS", help="how many instances the model is asked at once")
    @argument("--workers", type=int, metavar="N", help="how many machines (here: processes) share the work")
    @argument("--name", help="the job's name (MODEL-batch)")
    @argument("--target", choices=["local", "cloud"], help="where the job runs")
    @argument("--machine", help="machine type, such as n1-standard-8")
    @argument("--gpu", metavar="KIND[:N]", help="accelerator, such as T4")
    @argument("--wait", action="store_true", help="return when the job has ended; raise if it failed")
    @argument("--into", metavar="VAR", help="bind the job to this variable; job.results() is a frame of the answers")
    @line_magic
    def ml_batch_predict(self, line: str) -> BatchJob:
        """Predicts many instances as a job: its card counts rows, `job.results()` gives the answers as a frame.

        A row that cannot be predicted goes to the errors with its line and the reason; the others are not disturbed.
        """
        from cloudml_magic import pipeline
        from cloudml_magic.notebook import live
        from cloudml_magic.notebook.train_magics import wait_here

        given = vars(parse(self.ml_batch_predict, line))
        wait, into = given.pop("wait"), given.pop("into")
        check_variable(into)
        model, value = given.pop("model"), pipeline.value_or_words(given.pop("input"))
        job = pipeline.batch_predict(model, value, given.pop("output"), **given)
        if into:
            self.shell.user_ns[into] = job
        live.show_job(self.shell, job)
        if wait:
            wait_here(job)
        return job

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
            return json.loads(cell, object_pairs_hook=_named_once)
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


def _named_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; of two values for one name, neither is guessed."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise CloudMLError("named-twice", f"The cell gives `{twice}` twice.", next="Leave one of its values out.")
    return found
