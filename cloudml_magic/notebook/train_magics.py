"""%%ml_train and %%ml_code: the cell that trains, and the cells that always travel with it."""

from __future__ import annotations

from argparse import BooleanOptionalAction, Namespace
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, cell_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from cloudml_magic.errors import CloudMLError
from cloudml_magic.notebook.options import parse
from cloudml_magic.notebook.run_here import run_here

if TYPE_CHECKING:
    from cloudml_magic.pipeline import Job
    from cloudml_magic.pipeline.options import TrainOptions

_LAST_DRAWING_SECONDS = 3.0


def _machine_arguments(magic: Any) -> Any:
    for decorate in (
        argument("--target", choices=["local", "cloud"], help="where the job runs"),
        argument("--regions", action="append", metavar="NAMES", help="regions to try in this order: a,b,c"),
        argument("--machine", help="machine type, such as n1-standard-8"),
        argument("--gpu", metavar="KIND[:N]", help="accelerator, such as T4 or T4:2"),
        argument("--spot", action="store_true", help="a cheaper machine that may be taken away; training resumes"),
        argument("--flex-start", action="store_true", help="wait until a GPU is free, for less; training resumes"),
        argument("--max-wait", metavar="DURATION", help="the longest that --flex-start waits (1d if left out)"),
        argument("--timeout", metavar="DURATION", help="the longest that it may run: 90s, 30m, 2h, 1d"),
        argument("--max-cost", metavar="DOLLARS", help="the most that it may cost: it is stopped before it costs more"),
        argument("--image", help="container image, in place of the one that fits this kernel"),
    ):
        magic = decorate(magic)
    return magic


def _capture_arguments(magic: Any) -> Any:
    for decorate in (
        argument("--only-marked", action="store_true", help="take the %%%%ml_code cells and this one, nothing else"),
        argument("--allow-secrets", action="store_true", help="let literals travel that look like keys or tokens"),
        argument("--requires", action="append", metavar="REQUIREMENTS", help="packages to add or override: 'a>=1,b'"),
        argument("--data", action="append", metavar="[PATH=]ADDRESS", help="a file, folder or gs:// address to bring"),
        argument("--stage", action="store_true", help="copy the data to the job's own disk before the code runs"),
        argument("--ship", action="append", metavar="NAMES", help="arrays, frames or tensors to send along: x,y"),
        argument("--arg", action="append", metavar="NAME=VALUE", help="replaces a captured plain value"),
        argument(
            "--env", action="append", metavar="NAME", help="hands over an environment variable, masked everywhere"
        ),
        argument("--model", metavar="NAME", help="the variable to save, in place of the model that was trained last"),
        argument("--tensorboard", action="store_true", help="write TensorBoard event files"),
        argument("--labels", metavar="NAMES|VARIABLE", help="what the model's classes are called: cat,dog or a list"),
        argument("--preprocess", metavar="FUNCTION|FACTOR", help="what training did to pictures before the model"),
        argument("--resize", choices=["stretch", "crop", "pad"], help="how pictures are made to fit the model"),
        argument("--picture", action=BooleanOptionalAction, help="whether the exported model takes picture files"),
    ):
        magic = decorate(magic)
    return magic


@magics_class
class TrainMagics(Magics):
    """Training outside the kernel."""

    @magic_arguments("%ml_train")
    @argument("name", nargs="?", default="job", help="the job's name; a name means its latest job")
    @argument("--wait", action="store_true", help="return when the job has ended; raise if it failed")
    @argument("--dry-run", action="store_true", help="send nothing: show what would travel, and the exact request")
    @argument("--into", metavar="VAR", help="bind the job to this variable")
    @_machine_arguments
    @_capture_arguments
    @cell_magic
    def ml_train(self, line: str, cell: str) -> Job | None:
        """Trains this cell outside the kernel, with everything it needs and nothing else.

        Statements of earlier cells that the cell needs travel with it, in the order in which they ran. The cell
        returns at once; its card follows the job, and the job object (`_`, or `--into VAR`) gives history and
        model back. Values may be $variables or {expressions} of the notebook.
        """
        # Imported at the first training, so that %load_ext stays instant.
        from cloudml_magic import pipeline
        from cloudml_magic.notebook.dry_run import show_dry_run
        from cloudml_magic.notebook.sending import send
        from cloudml_magic.notebook.this_cell import this_cell

        given = parse(self.ml_train, line)
        options = _train_options(given)
        trained = this_cell(self.shell, line, cell)
        if given.dry_run:
            show_dry_run(pipeline.prepare_here(trained, given.name, options))
            return None
        if given.into is not None and not given.into.isidentifier():
            raise CloudMLError("bad-option", f"--into {given.into!r} is no variable.", next="Give a Python name.")
        job = send(self.shell, trained, given.name, options)
        if given.into:
            self.shell.user_ns[given.into] = job
        if given.wait:
            wait_here(job)
        return job

    @cell_magic
    def ml_code(self, line: str, cell: str) -> Any:
        """Marks a cell: it runs here as always, and travels whole with every `%%ml_train`."""
        if line.strip():
            raise CloudMLError(
                "bad-option", f"%%ml_code does not understand {line.strip()!r}.", why="It has no options.",
                next="Write %%ml_code alone on its line.",
            )  # fmt: skip
        return run_here(self.shell, cell)


def wait_with_card(shell: Any, job: Job) -> None:
    """Waits for a job that has to end first, and shows its card meanwhile."""
    from cloudml_magic.notebook.live import show_job

    if not job.snapshot().state.is_final:
        show_job(shell, job)
    wait_here(job)


def wait_here(job: Job) -> None:
    """Blocks until a job has ended and its cards show it; an interrupt leaves the job running and says so."""
    from cloudml_magic.notebook.live import wait_for_cards

    try:
        try:
            job.wait()
        finally:
            if job.snapshot().state.is_final:
                # Else the cell could end before a card does, and a saved notebook would show a job that runs.
                wait_for_cards(job, _LAST_DRAWING_SECONDS)
    except KeyboardInterrupt:
        raise CloudMLError(
            "detached",
            f"Stopped waiting for job {job.name}; the job goes on.",
            why="The wait was interrupted.",
            next=f"`%ml_job {job.name}` shows it, `%ml_wait {job.name}` waits again, `%ml_cancel {job.name}` stops it.",
        ) from None


def _train_options(given: Namespace) -> TrainOptions:
    from cloudml_magic.pipeline.options import TrainOptions

    values = vars(given)
    mine = ("name", "wait", "dry_run", "into")
    return TrainOptions.of({name: value for name, value in values.items() if name not in mine})
