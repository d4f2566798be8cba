"""A computer whose clock was never set: it sells and prints, and what it tells central is what the contract allows."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from edge_agent.clock import ClockIds, SystemClock, SystemRandom
from edge_agent.domain.reading import Reading
from sync.contract.envelope import decode_fact
from sync.identity import Identity
from tests.support_shop import register

COAT = "4006381333931"
CENTURY_NS = 100 * 365 * 86_400 * 10**9


@pytest.mark.parametrize("when", ["from the start", "while it sells"])
async def test_a_clock_before_1970_stops_neither_a_sale_nor_its_receipt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    import time

    true = time.time_ns

    def set_back() -> None:
        monkeypatch.setattr("edge_agent.clock.time.time_ns", lambda: true() - CENTURY_NS)  # the computer's clock itself: it has no other seam

    if when == "from the start":
        set_back()
    async with register(tmp_path) as rig:
        await rig.journal.adopt(Identity("/t/acme/s/0001/r/02", "1"))
        await rig.till.day.open("1001", 10_000, "")
        await rig.till.scanned(Reading(COAT.encode(), "scanner", rig.core.ports.clock.now_ms()))
        set_back()
        assert time.time_ns() < 0
        await rig.till.paying.cash(None, "")
        sale = rig.core.desk.last_sale
        assert sale is not None
        async with asyncio.timeout(5):
            while rig.core.state.receipt_due(sale.id) is not None:
                await asyncio.sleep(0.002)
        assert rig.presenter.sale(sale).print_state == "printed"
        assert [notice.key for notice in rig.core.desk.notices if notice.level == "bad" or "bug" in notice.key] == []
        stored = rig.journal.facts_after("trade", 0, 100, 1 << 30)
        assert stored
        for _, wire in stored:
            assert msgspec.json.decode(decode_fact(wire).data)["atMs"] >= 0


def test_identifiers_stay_apart_at_a_standing_clock() -> None:
    class Standing(SystemClock):
        def now_ms(self) -> int:
            return -5

    new_id = ClockIds(Standing(), SystemRandom())
    made = {new_id() for _ in range(1000)}
    assert len(made) == 1000
    assert all(one.startswith("00000000-0000-7") for one in made)
