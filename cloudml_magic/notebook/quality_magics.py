"""%ml_evaluate, %ml_compare, %ml_tensorboard: how good a trained model is, and jobs beside each other."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from cloudml_magic.errors import CloudMLError
from cloudml_magic.notebook.options import check_variable, parse

if TYPE_CHECKING:
    from cloudml_magic.records import Comparison, Evaluation


@magics_class
class QualityMagics(Magics):
    """The quality of what was trained."""

    @magic_arguments()
    @argument("model", help="a job's name, a variable that holds a Keras model, a deployed model, or a .keras file")
    @argument("--data", metavar="FOLDER|VAR|X,Y", help="folders of pictures, here or gs://, a frame, a dataset, or x,y")
    @argument("--labels", metavar="NAMES", help="what the model's classes are called: cat,dog, or a variable")
    @argument("--label", metavar="COLUMN", help="the column of the frame that holds the truth")
    @argument("--preprocess", metavar="FUNCTION", help="what training did to pictures before the model")
    @argument("--trust", action="store_true", help="load a model of your own although it holds code")
    @argument("--into", metavar="VAR", help="bind the evaluation to this variable")
    @line_magic
    def ml_evaluate(self, line: str) -> Evaluation | None:
        """Scores a model on data whose truth is known: accuracy, confusion matrix, each class, the worst examples.

        On a job that has not ended it waits, as `%ml_wait` does. A model that answers with a number gets its errors.
        """
        from cloudml_magic import pipeline
        from cloudml_magic.notebook.train_magics import wait_with_card

        given = vars(parse(self.ml_evaluate, line))
        into, model, data = given.pop("into"), given.pop("model"), given.pop("data")
        check_variable(into)
        if data is None:
            raise CloudMLError(
                "no-data-named",
                f"Nothing says on what {model} is evaluated.",
                next=f"Name examples whose truth is known: `%ml_evaluate {model} --data x_test,y_test`, a frame's or a"
                " dataset's variable, or a folder that has a folder of pictures for each class.",
            )
        wait = partial(wait_with_card, self.shell)
        evaluation = pipeline.evaluate(model, self._data(data), wait=wait, **given)
        if into is None:
            return evaluation
        self.shell.user_ns[into] = evaluation
        from IPython.display import display

        display(evaluation)
        return None

    @magic_arguments()
    @argument("jobs", nargs="+", help="jobs by name (digits, digits~1) or id")
    @line_magic
    def ml_compare(self, line: str) -> Comparison:
        """Puts the curves, parameters and last metrics of jobs beside each other; what differs stands out."""
        from cloudml_magic import pipeline

        return pipeline.compare(*parse(self.ml_compare, line).jobs)

    @magic_arguments()
    @argument("jobs", nargs="*", default=["latest"], help="jobs by name (digits, digits~1) or id; the latest if none")
    @argument("--height", type=int, default=640, metavar="PIXELS", help="how tall the frame is (640)")
    @line_magic
    def ml_tensorboard(self, line: str) -> None:
        """Shows TensorBoard inline on one or several jobs, reached through the Jupyter server and no other way.

        Where there is no Jupyter server, and for jobs in the cloud, it says the command that opens one.
        """
        from cloudml_magic.notebook.tensorboard_frame import show_tensorboard

        given = parse(self.ml_tensorboard, line)
        show_tensorboard(given.jobs, given.height)

    def _data(self, words: str) -> Any:
        """One variable, two of them as a pair, or the words themselves: a folder."""
        names = [name.strip() for name in words.split(",")]
        if len(names) <= 2 and all(name in self.shell.user_ns for name in names):
            values = [self.shell.user_ns[name] for name in names]
            return values[0] if len(values) == 1 else tuple(values)
        unknown = [name for name in names if name not in self.shell.user_ns]
        if unknown and all(name.isidentifier() for name in names) and not Path(words).exists():
            raise CloudMLError(
                "data-not-found",
                f"There is no variable {unknown[0]}.",
                why=f"--data {words} names no folder either.",
                next="Look at its spelling; a variable comes with the cell that makes it, `%who` lists them.",
            )
        return words
