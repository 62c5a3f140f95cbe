"""TensorBoard beneath a cell: a frame that the Jupyter server fills, or the command that opens one elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def show_tensorboard(names: Sequence[str], height: int) -> None:
    """Displays the frame, or prints the command."""
    from IPython.display import display

    from cloudml_magic import pipeline
    from cloudml_magic.notebook.jupyter_server import own_server
    from cloudml_magic.pipeline.log_folders import tensorboard_command
    from cloudml_magic.records import Target

    jobs = list({job.id: job for job in map(pipeline.job, names)}.values())
    command = tensorboard_command(jobs)
    server = own_server() if all(job.target is Target.LOCAL for job in jobs) else None
    opened = server.post("tensorboard", {"jobs": [job.id for job in jobs]}) if server else None
    if server is None or opened is None:
        print(f"TensorBoard opens with\n    {command}")
        return
    address = escape(server.base + str(opened["path"]))
    titles = escape(", ".join(job.name for job in jobs))
    frame = (
        f'<iframe src="{address}" title="TensorBoard of {titles}" width="100%" height="{height}"'
        ' style="border:0;display:block"></iframe>'
    )
    display({"text/plain": f"TensorBoard: {command}", "text/html": frame}, raw=True)
