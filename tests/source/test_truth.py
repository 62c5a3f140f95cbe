"""The captured module, run alone, gives the trained cell what the whole notebook gives it."""

from __future__ import annotations

import contextlib
import io
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

NAMES = ("a", "b", "c", "d")
FUNCTIONS = ("f", "g")

# {x}, {y}, {z} are variables, {f}, {g} functions.
TEMPLATES = (
    "{x} = [1, 2]", "{x} = {{'k': [3]}}", "{x} = 5", "{x} = 'text'", "{x} = {y}", "{x} = [{y}, {z}]", "{x} = ({y}, {z})",
    "{x}.append({y})", "{x}.append(7)", "{x} += [1]", "{x} = {x} + [2]", "{x}[0] = {y}", "{x}['k'] = {y}", "{x}['k'].append(1)",
    "{x} = {y}[0]", "{x} = {y}['k']", "{x}, {y} = {y}, {x}", "{x} = len({y})", "{x} = list({y})", "{x} = [*{y}]",
    "for {z} in list({x})[:5]:\n    {z}.append(1)", "for i in range(2):\n    {x} = {y}\n    {y} = {z}", "if {x}:\n    {y} = {z}",
    "if {x}:\n    {y} = {z}\nelse:\n    {y} = [0]", "{x} = {y} if {z} else [9]", "{x} = [e for e in {y}]", "{x} = {y} or {z}",
    "def {f}(p):\n    p.append(1)", "def {f}(p):\n    q = p\n    q[0] = 4\n    return q", "def {f}(p):\n    return [p, {x}]",
    "def {f}(p):\n    {x}.append(p)\n    return {y}", "def {f}(p):\n    global {x}\n    {x} = p", "def {f}(p):\n    return {g}(p)",
    "def {f}(p):\n    def inner():\n        return {x}\n    return inner()", "def {f}(p=[]):\n    p.append(1)\n    return p",
    "{f}({x})", "{x} = {f}({y})", "{x} = {f}({y})\n{z} = {f}({x})", "{x} = [{f}(e) for e in list({y})[:4]]", "print({x})", "{x}",
    "try:\n    {x} = {y}[0]\nexcept Exception:\n    {x} = {z}", "with box({x}) as {y}:\n    {y}.append(3)", "{x} = Holder({y})",
    "{x}.held = {y}", "{x} = {y}.held", "{x}.held.append(1)", "del {x}[0]", "{x}.clear()", "{x} = dict(k={y})",
    "{x} = {y}.pop()", "{x}.extend(list({y})[:5])", "{x} = lambda: {y}", "{x} = {y}()", "while len({x}) < 3:\n    {x}.append({y})",
    "({x} := [4]).append(1)", "{x}.touch({y})", "{x} = {y}.give()", "setattr({x}, 'held', {y})", "{x} = sorted({y}, key=str)",
    "{x} = map({f}, list({y})[:4])", "{x} = list({y})[::-1]", "match {x}:\n    case [first, *{y}]:\n        pass\n    case _:\n        {y} = {z}",
    "{x}: list = {y}", "{x} = {y} * 2", "del {x}\n{x} = {y}", "{x} = {z} = {y}", "({x}, *{y}) = {z}",
    "import random\nrandom.seed(3)", "{x} = __import__('random').random()", "import random\n{x} = [random.random()]",
    "class Holder:\n    def __init__(self, held): self.held = held\n    def touch(self, more): {x}.append(more)\n    def give(self): return {y}",
    "{x} = zip({y}, {z})", "{x} = {{**{y}}}", "{x} = {y}[:]", "{x} = iter({y})\n{z} = next({x})", "{x} |= {y}",
    "for i, {x} in enumerate({y}):\n    {z} = {x}", "{x} = any(e is {y} for e in {z})", "{y}.setdefault('k', []).append({x})",
    "{f} = {g}", "{x} = {f}", "{x} = [lambda: {y}.append(1)]\n{x}[0]()", "{x} = Holder({y}).give", "{x} = functools.partial({f}, {y})",
)  # fmt: skip

PRELUDE = """import contextlib, functools, random
random.seed(1)
a, b, c, d = [1], [[2]], {'k': [3]}, [[4], [5]]
@contextlib.contextmanager
def box(held):
    yield held
class Holder:
    def __init__(self, held): self.held = held
    def touch(self, more): self.held.append(more)
    def give(self): return self.held
    def __repr__(self): return f'Holder({self.held})'
def f(p): return p
def g(p): return [p]
"""

statements = st.builds(
    lambda template, x, y, z, f, g: template.format(x=x, y=y, z=z, f=f, g=g),
    st.sampled_from(TEMPLATES), *[st.sampled_from(NAMES)] * 3, *[st.sampled_from(FUNCTIONS)] * 2,
)  # fmt: skip
notebooks = st.lists(st.lists(statements, min_size=1, max_size=2).map("\n".join), min_size=1, max_size=12)


def run(text: str, names: dict[str, Any] | None = None) -> dict[str, Any]:
    """The namespace that a program leaves."""
    space: dict[str, Any] = {"__name__": "__main__"} if names is None else names
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(text, "<module>", "exec"), space)
    return space


def shown(value: Any) -> str:
    """A value without addresses."""
    import re

    return re.sub(r"0x[0-9a-f]+", "0x", repr(value))


def check_truth(cells: list[str], asked: tuple[str, ...]) -> None:
    """Runs the notebook cell by cell, leaving out cells that raise, as capture does."""
    from cloudml_magic.history import ExecutedCell
    from cloudml_magic.source import CaptureOptions, capture, render_module

    from .capturing import NOWHERE

    space: dict[str, Any] = {"__name__": "__main__"}
    executed = []
    for number, cell in enumerate([PRELUDE, *cells], 1):
        try:
            run(cell, space)
        except Exception:
            assume(False)
        executed.append(ExecutedCell(cell, number))
    trained = "result = [" + ", ".join(asked) + "]"
    try:
        run(trained, space)
        wanted = shown(space["result"])
    except Exception:
        assume(False)
    source = capture(executed, ExecutedCell(trained, 99), namespace=None, folder=NOWHERE, options=CaptureOptions())
    module, _ = render_module(source)
    assert shown(run(module)["result"]) == wanted, module


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(notebooks, st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True).map(tuple))
def test_the_module_alone_gives_what_the_notebook_gives(cells: list[str], asked: tuple[str, ...]) -> None:
    """Whatever is assigned, aliased, mutated, called or stored before: the trained cell sees the same values."""
    check_truth(cells, asked)
