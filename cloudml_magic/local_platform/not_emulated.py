"""What to do instead, for methods of Google's that this platform does not have and that its users ask for."""

from __future__ import annotations

_LOCATIONS = "aiplatform.projects.locations."
_ADVICE = {
    "hyperparameterTuningJobs.": "It runs no tuning jobs: send a custom job for each trial, or the study to the cloud.",
    "pipelineJobs.": "It runs no pipelines of components: send the training step as a custom job.",
    "datasets.": "It has no managed datasets: let jobs read their data from a bucket.",
    "tensorboards.": "It has no TensorBoard instances: jobs write their logs to the bucket.",
}


def advice(method: str) -> str:
    """A sentence to append to the refusal of a method, or nothing."""
    for prefix, text in _ADVICE.items():
        if method.startswith(_LOCATIONS + prefix):
            return f" {text}"
    return ""
