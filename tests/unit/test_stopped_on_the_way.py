"""A record that something between the register and central stops: the counter and the command line say what it is, and that somebody is needed."""

from __future__ import annotations

import msgspec
import pytest

from edge_agent.cli_text import needs_somebody, status_lines
from edge_agent.views import LinkView
from sync.push_held import REASONS, TOO_LARGE_ON_THE_WAY
from sync.push_standing import HINTS
from tests.support_drawing import DE, EN, joined, shown
from tests.support_snapshots import HOUR, NOW, READY
from tests.unit.test_cli_text import health
from tui.drawing import head, rows
from tui.messages import Words

DETAIL = "Something on the way to central does not let fact 7 of trade pass, which has 30214 bytes: A 413 that is not central's own."
LINK = LinkView("sending", NOW - HOUR, 5, TOO_LARGE_ON_THE_WAY, DETAIL, HINTS[TOO_LARGE_ON_THE_WAY])
STOPPED = msgspec.structs.replace(READY, link=LINK)


def test_the_counter_says_that_it_stops_on_the_way_how_much_waits_and_whom_to_call() -> None:
    drawn, gezeichnet = (joined(head.status(shown(STOPPED, words), 160)) for words in (EN, DE))
    assert "▲ something on the way to central stops a record since" in drawn
    assert "call IT" in drawn
    assert "selling goes on, 5 records wait safely on disk" in drawn
    assert "auf dem Weg zur Zentrale bleibt seit" in gezeichnet
    for untrue in ("not reachable", "refuses", "frozen", "sending to central"):
        assert untrue not in drawn


@pytest.mark.parametrize("cells", [40, 60, 80])
def test_where_there_is_little_room_it_is_still_said_and_not_that_all_is_well(cells: int) -> None:
    drawn = head.status(shown(STOPPED), cells)
    assert all(row.cells <= cells for row in drawn)
    assert "something on the way" in joined(drawn)
    assert "all devices ready" not in joined(drawn)


@pytest.mark.parametrize("words", [EN, DE], ids=["en", "de"])
def test_beside_the_devices_stands_that_a_limit_has_to_be_raised(words: Words) -> None:
    (row,) = rows.link_advice(shown(STOPPED, words), 80)
    assert ("IT must raise it" in row.text) or ("IT muss sie anheben" in row.text)


def test_status_says_it_with_the_size_and_is_an_exit_code() -> None:
    stopped = health(link=LINK)
    lines = status_lines(stopped)
    assert lines[2].startswith("central      in reach, and something on the way STOPS A FACT (the shop sells on)")
    assert lines[3:5] == [f"             {DETAIL}", f"             {HINTS[TOO_LARGE_ON_THE_WAY]}"]
    assert needs_somebody(stopped)
    assert not needs_somebody(health(link=LinkView("sending", NOW, 5)))


def test_each_reason_for_which_a_fact_is_held_up_says_what_to_do() -> None:
    assert {*REASONS} <= {*HINTS}
