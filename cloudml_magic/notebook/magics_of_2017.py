"""%%ml_run: the cell of 2017 that ran here, or, with the word `cloud`, as a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, cell_magic, magics_class

from cloudml_magic.errors import CloudMLError
from cloudml_magic.notebook.run_here import run_here

if TYPE_CHECKING:
    from cloudml_magic.pipeline import Job

_NOTE = "%%ml_run cloud is %%ml_train today; it has a name, options and a page: %%ml_train?"


@magics_class
class MagicsOf2017(Magics):
    """The first version's way to say it."""

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self._said = False

    @cell_magic
    def ml_run(self, line: str, cell: str) -> Job | Any:
        """Runs this cell here and marks it, as `%%ml_code` does; `%%ml_run cloud` trains it as a job.

        The job goes where jobs go now; where nothing was said about that, to the cloud, as the word says.
        """
        if line.strip() not in ("", "cloud"):
            raise CloudMLError(
                "bad-option",
                f"%%ml_run does not understand {line.strip()!r}.",
                why="It knows one word: cloud.",
                next="Write %%ml_run to run the cell here, %%ml_run cloud to train it as a job, or %%ml_train NAME.",
            )
        if not line.strip():
            return run_here(self.shell, cell)
        from cloudml_magic.notebook.sending import send
        from cloudml_magic.notebook.this_cell import this_cell
        from cloudml_magic.pipeline.options import TrainOptions
        from cloudml_magic.pipeline.session import CURRENT
        from cloudml_magic.records import Target

        if not self._said:
            print(_NOTE)
            self._said = True
        target = Target.CLOUD.value if CURRENT.resolve("target").origin == "default" else None
        return send(self.shell, this_cell(self.shell, line, cell, "ml_run"), "job", TrainOptions(target=target))
