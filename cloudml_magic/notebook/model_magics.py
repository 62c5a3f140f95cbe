"""%ml_export, %ml_deploy, %ml_models, %ml_undeploy, %ml_delete: models, and where they answer."""

from __future__ import annotations

from argparse import BooleanOptionalAction
from functools import partial
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from cloudml_magic.errors import CloudMLError
from cloudml_magic.notebook.asking import ask_to_delete
from cloudml_magic.notebook.options import parse

if TYPE_CHECKING:
    from cloudml_magic.pipeline.deployment import Deployment


def _export_arguments(magic: Any) -> Any:
    for decorate in (
        argument("--labels", metavar="NAMES", help="what the classes are called: cat,dog, or a variable that says it"),
        argument("--preprocess", metavar="FUNCTION", help="what training did to pictures before the model"),
        argument("--resize", choices=["stretch", "crop", "pad"], help="how pictures are made to fit (stretch)"),
        argument("--picture", action=BooleanOptionalAction, help="whether the model takes picture files"),
        argument("--trust", action="store_true", help="load a .keras file of your own although it holds code"),
    ):
        magic = decorate(magic)
    return magic


@magics_class
class ModelMagics(Magics):
    """Models that were trained, and the versions of them that answer."""

    @magic_arguments()
    @argument("model", help="a variable that holds a Keras model, or the path of a .keras file")
    @argument("--to", metavar="FOLDER", help="gs://… or a folder here, in place of one in your bucket")
    @_export_arguments
    @line_magic
    def ml_export(self, line: str) -> Any:
        """Exports a model for serving: a SavedModel that takes what users have, such as pictures, and its manifest."""
        from cloudml_magic import pipeline

        given = vars(parse(self.ml_export, line))
        name, to = given.pop("model"), given.pop("to")
        value = self.shell.user_ns.get(name, name)
        address = pipeline.export(value, to, name=name if value is not name else None, **_given(given))
        print(f"Exported to {address}")
        return address

    @magic_arguments()
    @argument("model", help="a job's name, a variable that holds a Keras model, a path, or gs://…")
    @argument("--as", dest="as_", metavar="MODEL[/VERSION]", help="what it is called; VERSION is a number or a name")
    @argument("--target", choices=["local", "cloud"], help="where it is deployed")
    @argument("--machine", help="machine type, such as n1-standard-4")
    @argument("--gpu", metavar="KIND[:N]", help="accelerator, such as T4 or T4:2")
    @argument("--min-replicas", type=int, default=1, metavar="N", help="machines that always run")
    @argument("--max-replicas", type=int, metavar="N", help="machines at most, under load")
    @argument("--traffic", type=int, metavar="PERCENT", help="its share; without it, it takes over from the others")
    @argument("--image", help="serving image, in place of TensorFlow Serving's public one")
    @_export_arguments
    @line_magic
    def ml_deploy(self, line: str) -> Deployment:
        """Deploys a model: a version of it, on an endpoint, which answers when this cell has ended.

        On a job that has not ended it waits, as `%ml_wait` does. The new version takes over when it answers its
        health check; with `--traffic 20` it gets a fifth of the requests, and the others stay.
        """
        from cloudml_magic import pipeline
        from cloudml_magic.notebook.deploy_card import DeployCard
        from cloudml_magic.notebook.train_magics import wait_with_card
        from cloudml_magic.patience import heard_by

        given = vars(parse(self.ml_deploy, line))
        what = given.pop("model")
        card = DeployCard(self.shell, str(given["as_"] or what))
        wait = partial(wait_with_card, self.shell)

        try:
            with heard_by(card.say):
                deployment = pipeline.deploy(what, on_stage=card.say, wait=wait, **_given(given))
        except KeyboardInterrupt:
            card.fail()
            raise CloudMLError(
                "deploy-interrupted",
                f"The deployment of {what} was interrupted and cancelled.",
                next="What was deployed before is as it was. Run the cell again to deploy.",
            ) from None
        except BaseException:
            card.fail()
            raise
        card.end(deployment, pipeline.target_of(given["target"]))
        return deployment

    @magic_arguments()
    @argument("model", metavar="MODEL[/VERSION]", nargs="?", help="only this one")
    @line_magic
    def ml_models(self, line: str) -> None:
        """Lists models and their versions: where each answers, its share of the traffic, by which engine and why."""
        from cloudml_magic import pipeline
        from cloudml_magic.notebook.model_table import show_models

        show_models(pipeline.model_lines(parse(self.ml_models, line).model))

    @magic_arguments()
    @argument("model", metavar="MODEL[/VERSION]", help="one version, or all of a model")
    @line_magic
    def ml_undeploy(self, line: str) -> None:
        """Takes a model, or a version of it, off its endpoint once its requests are answered; nothing is deleted."""
        from cloudml_magic import pipeline

        for title in pipeline.undeploy(parse(self.ml_undeploy, line).model):
            print(f"{title} · undeployed")

    @magic_arguments()
    @argument("model", metavar="MODEL[/VERSION]", help="one version, or a model with all its versions and its endpoint")
    @argument("--yes", action="store_true", help="do not ask")
    @line_magic
    def ml_delete(self, line: str) -> None:
        """Deletes a model or a version that is not deployed, after asking; a job's folder stays with its job."""
        from cloudml_magic import pipeline

        given = parse(self.ml_delete, line)
        removal = pipeline.removal_of(given.model)
        ask_to_delete(removal.words, given.yes)
        pipeline.delete_model(removal)
        print(f"Deleted {removal.words}.")


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given; the others are the pipeline's business."""
    return {name: value for name, value in options.items() if value is not None}
