"""Cells that train in the cloud or on this machine: what IPython and Jupyter look for; everything else lazily."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudml_magic.version import VERSION

if TYPE_CHECKING:
    from cloudml_magic.pipeline import (
        build_image,
        cancel,
        compare,
        deploy,
        evaluate,
        export,
        files,
        init,
        job,
        jobs,
        logs,
        predict,
        quota,
        report,
        train,
        undeploy,
        wait,
    )

__version__ = VERSION
__all__ = [
    "__version__",
    "batch_predict",
    "build_image",
    "cancel",
    "compare",
    "deploy",
    "evaluate",
    "export",
    "files",
    "init",
    "job",
    "jobs",
    "logs",
    "predict",
    "quota",
    "report",
    "train",
    "undeploy",
    "wait",
]


def load_ipython_extension(shell: Any) -> None:
    """Registers the magics when a notebook says `%load_ext cloudml_magic`."""
    from cloudml_magic.notebook import register

    register(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Takes the magics away again; jobs go on."""
    from cloudml_magic.notebook import unregister

    unregister(shell)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Where a Jupyter server finds its half of the lab extension."""
    from cloudml_magic.server_extension.application import ServerExtension

    return [{"module": "cloudml_magic.server_extension.application", "app": ServerExtension}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where JupyterLab finds the page's half."""
    return [{"src": "labextension", "dest": "cloudml-magic"}]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from cloudml_magic import pipeline

        return getattr(pipeline, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
