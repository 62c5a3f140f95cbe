"""A batch prediction as a variable of the notebook: how it stands, its results and its errors as frames."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.sent_job import Job

_RESULTS, _ERRORS = "prediction.results-", "prediction.errors_stats-"
_UNFINISHED = ".part"


class BatchJob(Job):
    """One batch prediction."""

    def results(self) -> Any:
        """What was predicted, one row an instance in the order of the input: waits for the job."""
        self.wait()
        return _frame([_row(line) for line in self._lines(_RESULTS)])

    def errors(self) -> Any:
        """The instances that could not be predicted, with their line and the reason: waits for the job's end.

        Also of a job that failed, because all of them could not, or that was cancelled.
        """
        try:
            self.wait()
        except CloudMLError as ended:
            if ended.reference not in {"job-failed", "job-cancelled"}:
                raise
        return _frame(list(self._lines(_ERRORS)))

    def model(self, custom_objects: Mapping[str, Any] | None = None, *, trust: bool = False) -> Any:
        """A batch prediction trains nothing."""
        raise CloudMLError(
            "no-model",
            f"Job {self.name} is a batch prediction, which leaves no model.",
            next="Its predictions are `job.results()`, what failed is `job.errors()`.",
        )

    def _lines(self, prefix: str) -> Iterator[dict[str, Any]]:
        if not self.snapshot().folder:
            return
        folder = self.folder
        for name in sorted(self._connection.storage.names(folder)):
            if name.startswith(prefix) and not name.endswith(_UNFINISHED):
                content = self._connection.storage.read(folder / name) or b""
                for line in content.splitlines():
                    if line.strip():
                        yield json.loads(line)


def _row(line: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs by name, where they have one, then the prediction, or each output by its name."""
    instance, prediction = line.get("instance"), line.get("prediction")
    return {**_named("instance", instance), **_named("prediction", prediction)}


def _named(name: str, value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) and tuple(value) != ("b64",) else {name: value}


def _frame(rows: list[dict[str, Any]]) -> Any:
    """A DataFrame, or the rows where there is no pandas."""
    try:
        import pandas
    except ImportError:
        return rows
    return pandas.DataFrame(rows)
