"""Values from outside that no parser may choke on, and an answer about money that nobody may believe."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.config import load_config
from edge_agent.domain import commands as do
from edge_agent.domain.errors import ConfigError
from edge_agent.domain.tender import Approved, AttemptState, CardResult
from tests.support_register import COAT, Memory


@pytest.mark.parametrize("content", [b"a = " + b"[" * 20_000, b"a = " + b"9" * 5_000, b"\xff\xfe", b"a = {" * 9_000, b'"' * 9, b"a.b = 1\na = 2"])
def test_a_file_that_is_no_configuration_is_named_and_never_a_traceback(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "edge.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"edge\.toml: expected TOML"):
        load_config(path)


@pytest.mark.parametrize(("amount", "state", "settled"), [(5_000, AttemptState.NEEDS_REVIEW, 10_000), (10_000, AttemptState.APPROVED, 0)])
def test_a_void_of_a_part_is_not_taken_for_a_void_of_all(amount: int, state: AttemptState, settled: int) -> None:
    register = Memory()
    register.add(COAT)
    attempt = register.card(10_000)
    register.do(do.Learn(attempt, Approved(10_000, "EUR", CardResult()), "answer"))
    assert register.state.basket is not None
    tender = register.state.basket.tenders[0].id
    register.do(do.StartVoid(tender, "void-1", "REFVOID"))
    register.do(do.Learn("void-1", Approved(amount, "EUR", CardResult()), "answer"))
    assert register.state.basket is not None
    after = register.state.basket.tenders[0]
    assert after.settled_minor == settled
    assert after.attempts[-1].state is state
