"""A basket with nothing in it keeps nobody from closing the shift, and takes no right to be rid of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain.errors import NotAllowed, NotNow
from edge_agent.views import CloseShift, Snapshot, VoidBasket
from tests.support_counter import MARIA_CARD, SOCKS, scan
from tests.support_drawing import shown
from tests.support_service import ScriptedService
from tests.support_shop import Rig, register
from tests.support_snapshots import COAT, READY, selling
from tests.support_till import till
from tui.acts import BY_NAME

JUNIOR = "1002"


async def emptied(rig: Rig) -> None:
    """A junior's basket whose customer has gone, and whose only line was taken out."""
    await rig.till.day.open(JUNIOR, 0, "")
    await scan(rig, MARIA_CARD)
    await scan(rig, SOCKS)
    await rig.till.run(do.RemoveLine(rig.core.state.basket.lines[0].id), "")
    await rig.till.clienteling.detach("")
    assert rig.core.state.basket.is_empty


async def test_whoever_may_not_void_closes_the_shift_over_an_empty_basket(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await emptied(rig)
        await rig.till.day.close("")
        snapshot = rig.presenter.snapshot()
        assert (snapshot.phase, snapshot.basket, snapshot.customer) == ("closed", None, None)
        lines = [json.loads(line) for line in b"".join(rig.journal.export()).splitlines()]
        facts = [(fact["type"], fact["data"]) for fact in lines if fact.get("type") in ("retail.basket.voided.v1", "retail.shift.closed.v1")]
        assert [type for type, _ in facts] == ["retail.basket.voided.v1", "retail.shift.closed.v1"]
        assert facts[0][1]["reason"] == "empty"
        assert [line["itemId"] for line in facts[0][1]["removedItems"]] == ["SOCKS"]


async def test_an_empty_basket_is_voided_without_the_right_and_one_with_goods_is_not(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await emptied(rig)
        await rig.till.void("a slip", "")
        assert rig.core.state.basket is None
        await scan(rig, SOCKS)
        with pytest.raises(NotAllowed):
            await rig.till.void("a slip", "")
        with pytest.raises(NotNow, match="A basket is open"):
            await rig.till.day.close("")


def junior(snapshot: Snapshot) -> Snapshot:
    assert snapshot.shift is not None
    return replace(snapshot, shift=replace(snapshot.shift, rights=[]))


def test_the_menu_offers_what_the_service_takes() -> None:
    empty = selling()
    for snapshot, void, close in ((empty, "", ""), (selling(COAT), "refused.no_right", "refused.basket_open"), (READY, "refused.no_basket", "")):
        picture = shown(junior(snapshot))
        assert (BY_NAME["void"].refusal(picture), BY_NAME["close_shift"].refusal(picture)) == (void, close)
    assert BY_NAME["void"].refusal(shown(selling(COAT))) == ""


async def test_by_keys(tmp_path: Path) -> None:
    service = ScriptedService(junior(selling()))
    async with till(service) as counter:
        await counter.press("f9", "e", "enter")
        assert await counter.sent(CloseShift) == CloseShift()
    async with till(ScriptedService(junior(selling()))) as counter:
        await counter.press("f9", "v", "enter")
        await counter.sent(VoidBasket)
