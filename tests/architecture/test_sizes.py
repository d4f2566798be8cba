"""A reader finishes a file: modules and functions stay small."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.support_tree import modules

MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
ALLOWED: dict[str, str] = {}
"""Longer ones, by path or ``path:function``, with the reason. None."""


def too_long() -> Iterator[str]:
    for module in modules():
        lines = len(module.text.splitlines())
        if lines > MODULE_LINES_MAX and module.where not in ALLOWED:
            yield f"{module.where}: {lines} lines"
        for node in ast.walk(module.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and f"{module.where}:{node.name}" not in ALLOWED:
                lines = body_lines(node)
                if lines > FUNCTION_LINES_MAX:
                    yield f"{module.where}:{node.lineno}: {node.name}: {lines} lines"


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """From ``def`` to the last line, without a docstring: that one is read by another reader."""
    first = node.body[0]
    doc = (first.end_lineno or first.lineno) - first.lineno + 1 if ast.get_docstring(node, clean=False) is not None else 0
    return (node.end_lineno or node.lineno) - node.lineno + 1 - doc


def test_modules_and_functions_fit_their_limits() -> None:
    found = list(too_long())
    assert not found, "\n".join(found)


def test_exceptions_are_still_needed_and_have_reasons() -> None:
    places = {module.where for module in modules()}
    assert all(name.split(":")[0] in places and reason for name, reason in ALLOWED.items())
