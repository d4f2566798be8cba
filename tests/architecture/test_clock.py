"""Time and chance have one place: nobody but ``edge_agent/clock.py`` reads the computer's clock or its random source."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.support_tree import modules

PLACE = "edge_agent.clock"
FORBIDDEN = {
    "time": {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "localtime", "gmtime", "ctime", "clock_gettime", "strftime"},
    "datetime.datetime": {"now", "utcnow", "today"},
    "datetime.date": {"today"},
    "uuid": {"uuid1", "uuid4", "uuid6", "uuid7"},
    "random": {"*"},
    "secrets": {"*"},
    "os": {"urandom", "getrandom"},
}
"""Names by the module or class that they are read from; ``*`` is all of them."""


def names(tree: ast.Module) -> dict[str, str]:
    """What each name in a file stands for, as a dotted path."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.split(".")[0]] = alias.name if alias.asname else alias.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def dotted(node: ast.expr, known: dict[str, str]) -> str:
    """The dotted path that an expression reads, as far as imports tell; ``""`` when they do not."""
    if isinstance(node, ast.Name):
        return known.get(node.id, "")
    if isinstance(node, ast.Attribute):
        before = dotted(node.value, known)
        return f"{before}.{node.attr}" if before else ""
    return ""


def readings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every place where a file reads a clock or a random source, or takes one of their names."""
    known = names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in FORBIDDEN:
            paths = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute):
            paths = [dotted(node, known)]
        else:
            continue
        for path in paths:
            owner, _, name = path.rpartition(".")
            if name in FORBIDDEN.get(owner, ()) or "*" in FORBIDDEN.get(owner, ()):
                yield node.lineno, path


def test_nobody_else_reads_a_clock_or_a_random_source() -> None:
    found = [f"{module.where}:{line}: {path}" for module in modules() if module.name != PLACE for line, path in readings(module.tree)]
    assert not found, "\n".join(found)


def test_the_one_place_does() -> None:
    (place,) = (module for module in modules() if module.name == PLACE)
    assert {path.partition(".")[0] for _, path in readings(place.tree)} == {"time", "secrets"}


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.monotonic()",
        "import time as t\nwhen = t.time",
        "from time import monotonic as now",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime as moment\nmoment.utcnow()",
        "from datetime import date\ndate.today()",
        "from uuid import uuid4",
        "def f():\n    import random\n    return random.Random(3)",
        "from secrets import token_hex",
        "import os\nos.urandom(3)",
    ],
)
def test_every_way_to_read_one_is_found(source: str) -> None:
    assert list(readings(ast.parse(source)))


@pytest.mark.parametrize("source", ["import time\ntime.sleep(1)", "from datetime import datetime\ndatetime.fromisoformat('x')", "now = clock.time()"])
def test_what_reads_none_is_left_alone(source: str) -> None:
    assert not list(readings(ast.parse(source)))
