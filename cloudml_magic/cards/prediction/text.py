"""The prediction as aligned text: for terminals, for nbconvert, and for whoever reads a notebook in an editor."""

from __future__ import annotations

from cloudml_magic.cards.prediction.view import InstanceView, OutputView, PredictionView, percent
from cloudml_magic.wording import aligned

_TOLD_CLASSES = 3


def text(view: PredictionView) -> str:
    """The whole card."""
    lines = [f"{view.title} · {view.headline}", *(f"  {note}" for note in view.notes)]
    rows = [_row(index, instance, view) for index, instance in enumerate(view.shown)]
    if rows:
        lines += [f"  {line}" for line in aligned([_headings(view), *rows]).splitlines()]
    if view.left_out:
        lines.append(f"  and {view.left_out:,} more")
    return "\n".join(lines)


def _headings(view: PredictionView) -> list[str]:
    return ["", *(["picture"] if _are_named(view) else []), *view.input_names, *view.output_headings]


def _row(index: int, instance: InstanceView, view: PredictionView) -> list[str]:
    outputs = [_told(instance.output(name)) for name in view.output_names]
    inputs = [instance.inputs.get(name, "") for name in view.input_names]
    return [str(index), *([instance.name] if _are_named(view) else []), *inputs, *outputs]


def _are_named(view: PredictionView) -> bool:
    return any(instance.name for instance in view.shown)


def _told(output: OutputView | None) -> str:
    if output is None:
        return ""
    if not output.bars:
        return output.words
    return "  ".join(f"{label} {percent(share)}" for label, share in output.bars[:_TOLD_CLASSES])
