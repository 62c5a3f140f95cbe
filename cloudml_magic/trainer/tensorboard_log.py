"""Writes each epoch's metrics as TensorBoard event files, with TensorFlow's own writer: no TensorBoard is needed."""

from __future__ import annotations

import os
from typing import Any

from .fit_reports import FitReports
from .reporting import EventFile, warn


def log_epochs(reports: FitReports, folder: str | None, events: EventFile | None) -> None:
    """From here on every epoch goes to `train` and `validation` in the folder, named as Keras names them."""
    if folder is None:
        warn("TensorBoard files were asked for, but the job has no folder to write them to.")
        return
    writers: dict[str, Any] = {}
    unable: list[str] = []

    def write(index: int, metrics: dict[str, float]) -> None:
        if unable:
            return
        try:
            _write(folder, writers, index, metrics)
        except Exception as problem:
            unable.append(str(problem))
            warn(f"TensorBoard files cannot be written: {type(problem).__name__}: {problem}")
            return
        if index == 0 and events is not None:
            events.write("artifact", artifact="tensorboard", path="logs")

    reports.on_epoch = write


def _write(folder: str, writers: dict[str, Any], index: int, metrics: dict[str, float]) -> None:
    import tensorflow as tf

    for name, value in metrics.items():
        part = "validation" if name.startswith("val_") else "train"
        if part not in writers:
            writers[part] = tf.summary.create_file_writer(os.path.join(folder, part))
        metadata = tf.compat.v1.SummaryMetadata(plugin_data={"plugin_name": "scalars"}, data_class=1)
        with writers[part].as_default(step=index):
            tf.summary.write("epoch_" + name.removeprefix("val_"), tf.constant(value, tf.float32), metadata=metadata)
    for writer in writers.values():
        writer.flush()
