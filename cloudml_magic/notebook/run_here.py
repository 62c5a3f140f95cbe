"""Runs a magic's cell in the notebook's own namespace."""

from __future__ import annotations

import ast
from typing import Any


def run_here(shell: Any, cell: str) -> Any:
    """The value of the cell's last expression, as any cell has it."""
    plain = shell.transform_cell(cell)
    tree = ast.parse(plain)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    name = shell.compile.cache(plain, shell.execution_count)
    exec(shell.compile(tree, name, "exec"), shell.user_ns)
    return eval(shell.compile(ast.Expression(last.value), name, "eval"), shell.user_ns) if last else None
