"""Every reason for which a card payment can end, or be unclear, is a sentence at the counter and never a code."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from drivers.terminals.counter_link.verdict import CANCELLERS, NEVER_TAKEN_UP
from edge_agent.domain.settling import DECIDED, TERMINAL_GONE
from tests.support_tree import ROOT
from tui.messages import Words

NAMED = {"Unknown": 0, "NotProcessed": 0, "GiveToReview": 1, "_review_due": 1, "_taken_up": 2, "_absent": 0, "_lost": 0}
"""The calls whose argument at that place is a reason."""


def given() -> Iterator[str]:
    """The reasons that stand in the code of the service and of the terminals' drivers."""
    yield from NEVER_TAKEN_UP
    yield from (f"by_{who}" for who in CANCELLERS)
    yield from ("not_found", DECIDED, TERMINAL_GONE)
    for folder in ("edge_agent/domain", "edge_agent/service", "drivers/terminals"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if (
                    folder == "drivers/terminals"
                    and isinstance(node, ast.Assign)
                    and getattr(node.targets[0], "id", "") == "reason"
                    and isinstance(node.value, ast.IfExp)
                ):
                    yield from (ast.literal_eval(either) for either in (node.value.body, node.value.orelse))
                if isinstance(node, ast.Call):
                    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                    for argument in node.args[NAMED[name] :][:1] if name in NAMED else ():
                        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                            yield argument.value


@pytest.mark.parametrize("reason", sorted(set(given()) - {"gave_way"}))
def test_a_reason_is_said_in_words(reason: str) -> None:
    for language in ("en", "de"):
        assert Words(language).maybe(f"reason.{reason}", ""), f"reason.{reason} in {language}"


def test_the_reasons_are_found() -> None:
    assert {"review", "by_associate", "not_answering", "connection_lost", "wrong_amount", "terminal_gone", "restart", "not_settled"} <= set(given())
