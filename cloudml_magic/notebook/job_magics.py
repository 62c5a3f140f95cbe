"""%ml_jobs, %ml_job, %ml_logs, %ml_cancel, %ml_wait: the jobs that there are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from cloudml_magic.notebook.asking import ask_to_delete
from cloudml_magic.notebook.options import parse
from cloudml_magic.notebook.train_magics import wait_here

if TYPE_CHECKING:
    from cloudml_magic.pipeline import Job
    from cloudml_magic.pipeline.deletion import GoneJob

_name = argument("name", nargs="?", default="latest", help="a job's name, NAME~1 for the one before, its id, or latest")


@magics_class
class JobMagics(Magics):
    """Jobs that were sent, from this kernel or another."""

    @magic_arguments()
    @argument("--delete", metavar="NAME", help="remove a job that has ended, with its folder in the bucket")
    @argument("--older-than", metavar="AGE", help="remove jobs that ended longer ago: 30d")
    @argument("--yes", action="store_true", help="do not ask")
    @line_magic
    def ml_jobs(self, line: str) -> None:
        """Lists the jobs, latest first, and in the cloud what they have cost and what costs now.

        `--delete` and `--older-than` free jobs and what they left, after asking.
        """
        from cloudml_magic import pipeline
        from cloudml_magic.notebook.job_table import show_jobs

        given = parse(self.ml_jobs, line)
        if given.delete or given.older_than:
            found = [pipeline.deletable(given.delete)] if given.delete else []
            if given.older_than:
                found += pipeline.older_than(given.older_than, time.time())
            _delete(found, given.yes)
            return
        listed = pipeline.list_jobs()
        jobs = [job.last_seen for job in listed.jobs]
        show_jobs(jobs, time.time())
        for line in listed.lines():
            print(line)
        if spent := pipeline.spending(jobs):
            print("\n".join(["", *spent.lines()]))

    @magic_arguments()
    @_name
    @argument("--into", metavar="VAR", help="bind the job to this variable")
    @line_magic
    def ml_job(self, line: str) -> Job:
        """Shows a job's card again, live until it ends, and returns the job."""
        from cloudml_magic import pipeline
        from cloudml_magic.notebook import live

        given = parse(self.ml_job, line)
        job = pipeline.job(given.name)
        if given.into:
            self.shell.user_ns[given.into] = job
        live.show_job(self.shell, job)
        return job

    @magic_arguments()
    @_name
    @argument("--follow", action="store_true", help="go on until the job ends; an interrupt stops only the following")
    @argument("-n", type=int, metavar="LINES", help="only the last lines")
    @line_magic
    def ml_logs(self, line: str) -> None:
        """Prints what a job printed."""
        from cloudml_magic import pipeline
        from cloudml_magic.wording import clean

        given = parse(self.ml_logs, line)
        job = pipeline.job(given.name)
        if not given.follow:
            for text in job.logs(given.n):
                print(clean(text))
            return
        try:
            for event in job.watch(log_tail=given.n):
                if event.kind == "log":
                    print(clean(str(event.fields.get("text", ""))))
        except KeyboardInterrupt:
            print(f"Stopped following; job {job.name} goes on.")

    @magic_arguments()
    @_name
    @line_magic
    def ml_cancel(self, line: str) -> None:
        """Stops a job at its next batch; what there is of the model is saved."""
        from cloudml_magic import pipeline

        job = pipeline.cancel(parse(self.ml_cancel, line).name)
        print(f"{job.name} · {job.state}")

    @magic_arguments()
    @_name
    @line_magic
    def ml_wait(self, line: str) -> Job:
        """Waits until a job has ended and raises if it failed: a gate for Run All. An interrupt detaches."""
        from cloudml_magic import pipeline
        from cloudml_magic.notebook import live

        job = pipeline.job(parse(self.ml_wait, line).name)
        live.show_job(self.shell, job)
        wait_here(job)
        return job


def _delete(found: list[Job | GoneJob], sure: bool) -> None:
    from cloudml_magic import pipeline

    if not found:
        print("No job is that old.")
        return
    words = pipeline.deletion_of(found)
    ask_to_delete(words, sure)
    pipeline.delete(found)
    print(f"Deleted {words}.")
