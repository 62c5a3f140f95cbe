"""Where jobs keep what TensorBoard shows, and what it calls them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.sent_job import Job
from cloudml_magic.places import PlatformPlaces
from cloudml_magic.records import Target

_LOGS = "logs"
_LONGEST_NAME = 80


def local_log_folder(job: Job) -> Path:
    """The folder on this machine; in a local bucket the files are the truth."""
    if job.target is not Target.LOCAL or not job.last_seen.folder:
        raise CloudMLError(
            "no-tensorboard",
            f"TensorBoard cannot show job {job.name}.",
            why="It left no folder on this machine.",
            next="`tensorboard --logdir` reads a gs:// folder where its logs lie in the cloud.",
        )
    buckets = PlatformPlaces.of_this_user().buckets.resolve()
    folder = (buckets / job.folder.bucket / job.folder.name / _LOGS).resolve()
    if not folder.is_relative_to(buckets):
        raise CloudMLError(
            "no-tensorboard", f"TensorBoard cannot show job {job.name}.", why="Its folder lies in no bucket."
        )
    return folder


def run_names(jobs: Sequence[Job]) -> list[str]:
    """What TensorBoard calls the jobs: by their names, with their ids where two have the same."""
    names = [re.sub(r"[^\w.-]+|^\.", "_", job.name)[:_LONGEST_NAME] or "job" for job in jobs]
    # Ids hold no tilde and no name here does, so that no job can be called what another one is made of.
    return [name if names.count(name) == 1 else f"{name}~{job.id}" for name, job in zip(names, jobs, strict=True)]


def tensorboard_command(jobs: Sequence[Job]) -> str:
    """The command that shows jobs in a TensorBoard of the user's own."""
    folders = [str(local_log_folder(job) if job.target is Target.LOCAL else job.folder / _LOGS) for job in jobs]
    if len(folders) == 1:
        return shlex.join(["tensorboard", "--logdir", folders[0]])
    named = ",".join(f"{name}:{folder}" for name, folder in zip(run_names(jobs), folders, strict=True))
    return shlex.join(["tensorboard", "--logdir_spec", named])
