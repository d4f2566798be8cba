"""The tree of errors printed in its module's docstring is the tree that the code has."""

from __future__ import annotations

import ast
import inspect
import re

import pytest

from edge_agent.domain import errors
from edge_agent.domain.errors import EdgeError, Retry
from tests.support_tree import modules

LINE = re.compile(r"(?P<indent>(?:│   |    )*)(?:├── |└── )(?P<name>\w+)")


def printed_tree() -> dict[str, str]:
    """Each class's parent, as the docstring draws it."""
    doc = inspect.getdoc(errors) or ""
    drawing = doc.split("::\n\n", 1)[1].split("\n\n", 1)[0].splitlines()
    path = [drawing[0].strip()]
    parents: dict[str, str] = {}
    for line in drawing[1:]:
        found = LINE.fullmatch(line.removeprefix("    "))
        assert found, f"not a line of a tree: {line!r}"
        depth = len(found["indent"]) // 4 + 1
        assert depth <= len(path), f"a step is missing above {line!r}"
        assert found["name"] not in parents
        path[depth:] = [found["name"]]
        parents[found["name"]] = path[depth - 1]
    return parents


def real_classes() -> list[type[EdgeError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, EdgeError)]


def test_the_printed_tree_is_the_real_one() -> None:
    real = {kind.__name__: kind.__base__.__name__ for kind in real_classes() if kind is not EdgeError and kind.__base__}
    assert printed_tree() == real
    assert len(real) > 10


def test_no_error_lives_outside_the_tree() -> None:
    names = {kind.__name__ for kind in real_classes()}
    strays = [
        f"{module.where}:{node.lineno}: {node.name}"
        for module in modules()
        if module.name != errors.__name__
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef) and any((base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")) in names for base in node.bases)
    ]
    assert not strays, "\n".join(strays)


@pytest.mark.parametrize("kind", real_classes(), ids=lambda kind: kind.__name__)
def test_every_class_has_a_code_of_its_own_and_says_whether_to_try_again(kind: type[EdgeError]) -> None:
    assert re.fullmatch(r"[a-z][a-z_]*[a-z]", kind.code)
    assert "code" in vars(kind), "an inherited code is somebody else's"
    assert [other for other in real_classes() if other.code == kind.code] == [kind]
    assert isinstance(kind.retry, Retry)
    assert kind.__doc__
    assert kind("What happened.", hint="What to do.").hint == "What to do."
