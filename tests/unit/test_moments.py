"""No number that somebody sends as a moment ends a screen, a command or a receipt: what no calendar has is a dash or the calendar's end."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from edge_agent import cli_text
from edge_agent.domain.market import MARKETS
from edge_agent.domain.shift import business_day
from edge_agent.formats import Formats
from edge_agent.views import EventView
from sync.contract.fields import TIME_MS_MAX
from tests.support_snapshots import MARIA, NOW, selling
from tests.support_till import till
from tests.unit.test_cli_text import health
from tui.messages import Words

ODD = [TIME_MS_MAX, TIME_MS_MAX + 1, -1, 0, -(2**53), 2**53, 10**30]
ZONES = ["Europe/Berlin", "Pacific/Kiritimati", "America/Los_Angeles", "UTC"]


@pytest.mark.parametrize("at_ms", ODD)
@pytest.mark.parametrize("zone", ZONES)
def test_any_number_is_a_moment_to_the_counter(at_ms: int, zone: str) -> None:
    words = Words("en")
    assert words.when(at_ms, NOW, zone) == "–"
    assert words.when(NOW, at_ms, zone)
    assert ":" in words.heading(at_ms, zone)
    assert words.birthday("--12-31", at_ms, zone)


@pytest.mark.parametrize("at_ms", ODD)
def test_any_number_is_a_moment_to_a_receipt_and_a_shift(at_ms: int) -> None:
    assert Formats(MARKETS["DE"]).moment(at_ms)
    assert business_day(at_ms, "Pacific/Kiritimati", 4)[:4] in ("1970", "9999")


@pytest.mark.parametrize("at_ms", ODD)
@pytest.mark.parametrize("zone", ZONES)
def test_any_number_is_a_moment_to_the_command_line(monkeypatch: pytest.MonkeyPatch, at_ms: int, zone: str) -> None:
    import time

    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        lines = cli_text.status_lines(health(catalogue_as_of_ms=at_ms, people_as_of_ms=at_ms, started_ms=at_ms))
        assert "articles     copy as of –" in "\n".join(lines)
        assert cli_text.clock_time(at_ms)
        event = EventView(1, at_ms, "ShiftOpened", "{}")
        assert "ShiftOpened" in cli_text.event_line(event, None)
        if at_ms < 2**63:  # JSON of ours carries no larger number
            assert msgspec.json.decode(cli_text.event_json(event))["at_ms"] == at_ms
    finally:
        monkeypatch.undo()
        time.tzset()


async def test_a_customer_from_the_end_of_time_is_shown() -> None:
    far: dict[str, Any] = {"last_visit_ms": TIME_MS_MAX, "as_of_ms": TIME_MS_MAX}
    snapshot = msgspec.structs.replace(selling(), customer=msgspec.structs.replace(MARIA, **far))
    async with till(snapshot) as counter:
        await counter.sees("Maria Fernandez", "last –")
