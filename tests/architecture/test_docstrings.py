"""Every module opens with one sentence on what it is for, and every public class and function says what it is."""

from __future__ import annotations

import ast
import re

from tests.support_tree import Module, modules

SENTENCE = re.compile(r"[A-Z`\"'0-9].*[.:?]", re.DOTALL)
WORDS_MIN = 4


def opening(module: Module) -> str:
    """The first paragraph of a module's docstring."""
    return re.split(r"\n\s*\n", (ast.get_docstring(module.tree) or "").strip(), maxsplit=1)[0]


def test_every_module_opens_with_one_sentence_on_what_it_is_for() -> None:
    wrong = [
        f"{module.where}: {first!r}"
        for module in modules()
        if not SENTENCE.fullmatch(first := opening(module).removesuffix("::") + ":" * opening(module).endswith("::")) or len(first.split()) < WORDS_MIN
    ]
    assert not wrong, "\n".join(wrong)


def test_every_public_class_and_function_says_what_it_is() -> None:
    silent = [
        f"{module.where}:{node.lineno}: {node.name}"
        for module in modules()
        if not any(part.startswith("_") for part in module.name.split("."))
        for node in module.tree.body
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert not silent, "\n".join(silent)
