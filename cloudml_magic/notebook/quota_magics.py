"""%ml_quota: what this project may use where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from cloudml_magic.notebook.options import parse

if TYPE_CHECKING:
    from cloudml_magic.records import Quota

_HEADINGS = ("what", "machines", "limit", "quota")


@magics_class
class QuotaMagics(Magics):
    """How much there may be of what."""

    @magic_arguments()
    @argument("kind", nargs="?", help="an accelerator such as T4, or CPUs; all if left out")
    @line_magic
    def ml_quota(self, line: str) -> None:
        """Shows how much of each machine this project may use for training, and where.

        Spot machines and flexible starts have quotas of their own. Without KIND only what is not zero is listed.
        """
        from cloudml_magic import pipeline
        from cloudml_magic.notebook.table import show_table

        kind = parse(self.ml_quota, line).kind
        quotas = pipeline.quota(kind)
        shown = [each for each in quotas if kind or each.everywhere_else or any(each.limits.values())]
        rows = [
            (each.kind, "spot, flexible" if each.is_preemptible else "standard", limit_words(each), each.metric)
            for each in shown
        ]
        show_table(_HEADINGS, rows, "This project may train on nothing yet.")
        if none := sorted({each.kind for each in quotas} - {each.kind for each in shown}):
            print(f"\nNone of: {', '.join(none)}.")
        print(f"Ask for more: {pipeline.quota_console()}")


def limit_words(quota: Quota) -> str:
    """`us-central1 4 · europe-west4 1 · elsewhere 0`."""
    by_amount = sorted(quota.limits.items(), key=lambda item: (-item[1] if item[1] >= 0 else float("-inf"), item[0]))
    differing = [f"{region} {_amount(limit)}" for region, limit in by_amount if limit != quota.everywhere_else]
    rest = "elsewhere" if differing else "everywhere"
    return " · ".join([*differing, f"{rest} {_amount(quota.everywhere_else)}"])


def _amount(limit: int) -> str:
    return "without limit" if limit < 0 else str(limit)
