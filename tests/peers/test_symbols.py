"""Symbols that zint draws and zxing-cpp reads are understood as what they are: nobody's code but ours is on this end."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.domain.code import understand
from edge_agent.domain.reading import Reading
from tests.support import need_program
from tests.support_symbols import CORPUS, READ_AT_MS, Symbol, draw, read

pytestmark = pytest.mark.peer


@pytest.fixture(autouse=True, scope="module")
def zint() -> None:
    need_program("zint", "zint")


@pytest.mark.parametrize("symbol", CORPUS, ids=lambda symbol: symbol.name)
def test_what_is_drawn_and_read_is_understood(symbol: Symbol, tmp_path: Path) -> None:
    aim, payload = read(draw(symbol, tmp_path))

    assert (aim, payload) == (symbol.aim, symbol.payload)
    assert understand(Reading(payload, "scanner", READ_AT_MS, aim=aim)) == symbol.code
