"""The prediction as aligned text: for terminals, for nbconvert, and for whoever reads a notebook in an editor."""

from __future__ import annotations

from cloudml_magic.notebook.prediction_card.view import InstanceView, OutputView, PredictionView, percent
from cloudml_magic.wording import aligned

_TOLD_CLASSES = 3


def text(view: PredictionView) -> str:
    """The whole card."""
    lines = [f"{view.title} · {view.headline}", *(f"  {note}" for note in view.notes)]
    rows = [_row(index, instance, view) for index, instance in enumerate(view.instances)]
    if rows:
        lines += [f"  {line}" for line in aligned([_headings(view), *rows]).splitlines()]
    if view.left_out:
        lines.append(f"  and {view.left_out:,} more")
    return "\n".join(lines)


def _headings(view: PredictionView) -> list[str]:
    first = view.instances[0]
    named = any(instance.name for instance in view.instances)
    outputs = [output.name for output in first.outputs] if view.names_outputs else ["prediction"]
    return ["", *(["picture"] if named else []), *first.inputs, *outputs]


def _row(index: int, instance: InstanceView, view: PredictionView) -> list[str]:
    named = any(each.name for each in view.instances)
    outputs = [_told(output) for output in instance.outputs]
    return [str(index), *([instance.name] if named else []), *instance.inputs.values(), *outputs]


def _told(output: OutputView) -> str:
    if not output.bars:
        return output.words
    return "  ".join(f"{label} {percent(share)}" for label, share in output.bars[:_TOLD_CLASSES])
