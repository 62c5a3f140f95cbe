"""The magics and what their cells show: parse a line, call one function of `pipeline`, display what comes back."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

# Each family, and for each of its magics whether it is one of a line, of a cell, or of both.
_FAMILIES = {
    "setting_magics:SettingMagics": {"ml_init": "line cell"},
    "train_magics:TrainMagics": {"ml_train": "cell", "ml_code": "cell"},
    "magics_of_2017:MagicsOf2017": {"ml_run": "cell"},
    "job_magics:JobMagics": dict.fromkeys(("ml_jobs", "ml_job", "ml_logs", "ml_cancel", "ml_wait"), "line"),
    "model_magics:ModelMagics": dict.fromkeys(
        ("ml_export", "ml_deploy", "ml_models", "ml_undeploy", "ml_delete"), "line"
    ),
    "predict_magics:PredictMagics": {"ml_predict": "line cell", "ml_batch_predict": "line"},
    "quota_magics:QuotaMagics": {"ml_quota": "line"},
    "image_magics:ImageMagics": {"ml_image": "line cell"},
    "storage_magics:StorageMagics": {"ml_storage": "line"},
    "quality_magics:QualityMagics": dict.fromkeys(("ml_evaluate", "ml_compare", "ml_tensorboard"), "line"),
}
_NAMES = tuple(name for magics in _FAMILIES.values() for name in magics)

# By name: what a cell's value is shows its card, and nothing is imported before there is one.
_SHOWN = {
    "prediction": ("cloudml_magic.records.models", "Prediction"),
    "evaluation": ("cloudml_magic.records.evaluations", "Evaluation"),
    "comparison": ("cloudml_magic.records.comparisons", "Comparison"),
}


def register(shell: Any) -> None:
    """Registers every magic, and the recorder that knows cells by their id."""
    from cloudml_magic.history import CellRecorder
    from cloudml_magic.notebook.late_magic import LateMagic
    from cloudml_magic.notebook.storage_completion import complete_with

    for family, magics in _FAMILIES.items():
        for name, kinds in magics.items():
            late = LateMagic(shell, family, name)
            for kind in kinds.split():
                shell.magics_manager.magics[kind][name] = late
    complete_with(shell)
    # Kept on the shell, so that it lives as long as the notebook and `train()` finds it too.
    if getattr(shell, "cloudml_recorder", None) is None:
        shell.cloudml_recorder = CellRecorder()
        shell.events.register("post_run_cell", shell.cloudml_recorder.post_run_cell)
    for room, shown in _SHOWN.items():
        shell.display_formatter.mimebundle_formatter.for_type_by_name(*shown, partial(_card, room))


def unregister(shell: Any) -> None:
    """Takes the magics and the recorder away."""
    from cloudml_magic.notebook.storage_completion import complete_without

    complete_without(shell)
    for name in _NAMES:
        for kind in ("line", "cell"):
            shell.magics_manager.magics[kind].pop(name, None)
    for family in _FAMILIES:
        shell.magics_manager.registry.pop(family.partition(":")[2], None)
    recorder, shell.cloudml_recorder = getattr(shell, "cloudml_recorder", None), None
    if recorder is not None:
        shell.events.unregister("post_run_cell", recorder.post_run_cell)
    for shown in _SHOWN.values():
        shell.display_formatter.mimebundle_formatter.pop(".".join(shown), None)


def _card(room: str, value: Any) -> dict[str, Any]:
    content: dict[str, Any] = import_module(f"cloudml_magic.cards.{room}").bundle(value)
    return content
