"""The magics and what their cells show: parse a line, call one function of `pipeline`, display what comes back."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

_NAMES = (
    *("ml_init", "ml_code", "ml_run", "ml_train", "ml_jobs", "ml_job", "ml_logs", "ml_cancel", "ml_wait"),
    *("ml_export", "ml_deploy", "ml_models", "ml_undeploy", "ml_delete", "ml_predict", "ml_batch_predict"),
    *("ml_quota", "ml_image", "ml_storage"),
    *("ml_evaluate", "ml_compare", "ml_tensorboard"),
)

# By name: what a cell's value is shows its card, and nothing is imported before there is one.
_SHOWN = {
    "prediction": ("cloudml_magic.records.models", "Prediction"),
    "evaluation": ("cloudml_magic.records.evaluations", "Evaluation"),
    "comparison": ("cloudml_magic.records.comparisons", "Comparison"),
}


def register(shell: Any) -> None:
    """Registers every magic, and the recorder that knows cells by their id."""
    from cloudml_magic.history import CellRecorder
    from cloudml_magic.notebook.image_magics import ImageMagics
    from cloudml_magic.notebook.job_magics import JobMagics
    from cloudml_magic.notebook.magics_of_2017 import MagicsOf2017
    from cloudml_magic.notebook.model_magics import ModelMagics
    from cloudml_magic.notebook.predict_magics import PredictMagics
    from cloudml_magic.notebook.quality_magics import QualityMagics
    from cloudml_magic.notebook.quota_magics import QuotaMagics
    from cloudml_magic.notebook.setting_magics import SettingMagics
    from cloudml_magic.notebook.storage_completion import complete_with
    from cloudml_magic.notebook.storage_magics import StorageMagics
    from cloudml_magic.notebook.train_magics import TrainMagics

    families = (SettingMagics, TrainMagics, MagicsOf2017, JobMagics, ModelMagics, PredictMagics)
    for family in (*families, QuotaMagics, ImageMagics, StorageMagics, QualityMagics):
        shell.register_magics(family(shell))
    complete_with(shell)
    # Kept on the shell, so that it lives as long as the notebook and `train()` finds it too.
    if getattr(shell, "cloudml_recorder", None) is None:
        shell.cloudml_recorder = CellRecorder()
        shell.events.register("post_run_cell", shell.cloudml_recorder.post_run_cell)
    for room, name in _SHOWN.items():
        shell.display_formatter.mimebundle_formatter.for_type_by_name(*name, partial(_card, room))


def unregister(shell: Any) -> None:
    """Takes the magics and the recorder away."""
    from cloudml_magic.notebook.storage_completion import complete_without

    complete_without(shell)
    for name in _NAMES:
        for kind in ("line", "cell"):
            shell.magics_manager.magics[kind].pop(name, None)
    recorder, shell.cloudml_recorder = getattr(shell, "cloudml_recorder", None), None
    if recorder is not None:
        shell.events.unregister("post_run_cell", recorder.post_run_cell)
    for shown in _SHOWN.values():
        shell.display_formatter.mimebundle_formatter.pop(".".join(shown), None)


def _card(room: str, value: Any) -> dict[str, Any]:
    content: dict[str, Any] = import_module(f"cloudml_magic.cards.{room}").bundle(value)
    return content
