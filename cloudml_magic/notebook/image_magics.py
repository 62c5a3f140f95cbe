"""%ml_image: images for the cloud that hold what a long list of requirements would install at each start."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from cloudml_magic.notebook.options import parse

_HEADINGS = ("image", "on", "holds")


@magics_class
class ImageMagics(Magics):
    """Images that are built for jobs in the cloud."""

    @magic_arguments()
    @argument("action", nargs="?", choices=["list", "build", "setup"], default="list", help="what to do (list)")
    @argument("requirements", nargs="*", help="what the image is to hold, such as scikit-learn==1.5.0")
    @argument("--base", metavar="IMAGE", help="the image to build on, in place of the one that fits this kernel")
    @argument("--gpu", metavar="KIND[:N]", help="as for the job: with one, the base is the one for GPUs")
    @argument("--target", choices=["local", "cloud"], help="where the image is to be")
    @line_cell_magic
    def ml_image(self, line: str, cell: str | None = None) -> Any:
        """Builds an image with requirements in the cloud, once; jobs that require the same use it by themselves.

        `setup` makes the repositories for images, once. `build` takes requirements from its line, or as a cell magic
        from what the cell needs. Without an action it lists the images that were built.
        """
        # Imported when it is asked for, so that %load_ext stays instant.
        from cloudml_magic import pipeline
        from cloudml_magic.notebook.table import show_table

        given = parse(self.ml_image, line)
        if given.action == "setup":
            pipeline.set_up_image_registry(target=given.target, on_stage=print)
            print("The repositories for images are there.")
        elif given.action == "list":
            rows = [(each.address, each.base, ", ".join(each.requirements)) for each in pipeline.built_images()]
            show_table(_HEADINGS, rows, "No images were built yet.")
        else:
            requirements = [*given.requirements, *self._needed(cell, line, given)]
            stage = _Stages()
            image = pipeline.build_image(
                requirements, base=given.base, gpu=given.gpu, target=given.target, on_stage=stage.say
            )
            print(f"{image.address} holds {', '.join(image.requirements)}.")
            print("Jobs in the cloud that require exactly this use it by themselves.")
            return image
        return None

    def _needed(self, cell: str | None, line: str, given: Namespace) -> Sequence[str]:
        """What the cell would require as a job."""
        from cloudml_magic import pipeline
        from cloudml_magic.notebook.this_cell import this_cell

        if cell is None:
            return ()
        options = {name: getattr(given, name) for name in ("gpu", "target") if getattr(given, name)}
        typed = this_cell(self.shell, line, cell, "ml_image")
        return pipeline.prepare_here(typed, "image", pipeline.TrainOptions.of(options)).package.requirements


class _Stages:
    """Prints each stage once, however often it is told."""

    def __init__(self) -> None:
        self._last = ""

    def say(self, stage: str) -> None:
        if stage != self._last:
            print(stage)
        self._last = stage
