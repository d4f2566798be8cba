"""A basket with nothing in it keeps nobody from closing the shift or from recalling another, and takes no right and no reason to be rid of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain.errors import NotAllowed, NotNow, OutOfBounds
from edge_agent.views import CloseShift, Snapshot, Suspend, VoidBasket
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


def told(rig: Rig, *types: str) -> list[dict[str, Any]]:
    """The facts of these types, as they stand in the journal."""
    lines = [json.loads(line) for line in b"".join(rig.journal.export()).splitlines()]
    return [fact for fact in lines if fact.get("type") in types]


async def set_aside(rig: Rig) -> str:
    """A basket of Maria's with socks, suspended."""
    await scan(rig, MARIA_CARD)
    await scan(rig, SOCKS)
    await rig.till.set_aside(do.Suspend("socks"), "")
    return rig.core.state.suspended[0].id


async def test_whoever_may_not_void_closes_the_shift_over_an_empty_basket(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await emptied(rig)
        await rig.till.day.close("")
        snapshot = rig.presenter.snapshot()
        assert (snapshot.phase, snapshot.basket, snapshot.customer) == ("closed", None, None)
        voided, closed = told(rig, "retail.basket.voided.v1", "retail.shift.closed.v1")
        assert (voided["type"], closed["type"]) == ("retail.basket.voided.v1", "retail.shift.closed.v1")
        assert voided["data"]["reason"] == "empty"
        assert [line["itemId"] for line in voided["data"]["removedItems"]] == ["SOCKS"]


async def test_an_empty_basket_is_voided_without_the_right_and_one_with_goods_is_not(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await emptied(rig)
        await rig.till.void("", "")
        assert rig.core.state.basket is None
        await scan(rig, SOCKS)
        await rig.till.run(do.RemoveLine(rig.core.state.basket.lines[0].id), "")
        await rig.till.void("changed their mind", "")
        assert [fact["data"]["reason"] for fact in told(rig, "retail.basket.voided.v1")] == ["empty", "empty"]
        await scan(rig, SOCKS)
        with pytest.raises(NotAllowed):
            await rig.till.void("a slip", "")
        with pytest.raises(NotNow, match="A basket is open"):
            await rig.till.day.close("")


async def test_an_empty_basket_makes_way_for_one_that_is_recalled(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await rig.till.day.open(JUNIOR, 0, "")
        aside = await set_aside(rig)
        await scan(rig, SOCKS)
        await rig.till.run(do.RemoveLine(rig.core.state.basket.lines[0].id), "")
        emptied = rig.core.state.basket.id
        await rig.till.recall(aside, "")
        snapshot = rig.presenter.snapshot()
        assert (snapshot.basket.id, len(snapshot.basket.lines), snapshot.suspended) == (aside, 1, [])
        (voided,) = told(rig, "retail.basket.voided.v1")
        assert (voided["data"]["transactionId"], voided["data"]["reason"]) == (emptied, "empty")
        assert [line["itemId"] for line in voided["data"]["removedItems"]] == ["SOCKS"]


async def test_a_customer_with_nothing_is_let_go_for_one_that_is_recalled(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await rig.till.day.open(JUNIOR, 0, "")
        await scan(rig, SOCKS)
        await rig.till.set_aside(do.Suspend("socks"), "")
        await scan(rig, MARIA_CARD)
        assert rig.presenter.snapshot().customer is not None
        await rig.till.recall(rig.core.state.suspended[0].id, "")
        snapshot = rig.presenter.snapshot()
        assert (len(snapshot.basket.lines), snapshot.customer, rig.core.state.basket.customer) == (1, None, None)


async def test_what_is_not_there_any_more_takes_no_empty_basket_away(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await emptied(rig)
        with pytest.raises(NotNow, match="not suspended here"):
            await rig.till.recall("00000000-0000-0000-0000-000000000000", "")
        assert rig.core.state.basket is not None


async def test_one_with_goods_makes_no_way(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await rig.till.day.open(JUNIOR, 0, "")
        aside = await set_aside(rig)
        await scan(rig, SOCKS)
        with pytest.raises(NotNow, match="A basket is open"):
            await rig.till.recall(aside, "")


async def test_nothing_is_not_suspended(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await emptied(rig)
        with pytest.raises(NotNow, match="Nothing is in the basket"):
            await rig.till.set_aside(do.Suspend(""), "")


async def test_goods_that_come_at_the_last_moment_are_not_voided_as_nothing(tmp_path: Path) -> None:
    async with register(tmp_path) as rig:
        await rig.till.day.open("1001", 0, "")
        await scan(rig, SOCKS)
        with pytest.raises(OutOfBounds, match="needs a reason"):
            await rig.till.void("", "")


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
        await counter.press("f9", "v")
        assert await counter.sent(VoidBasket) == VoidBasket("")
    async with till(ScriptedService(junior(selling()))) as counter:
        await counter.press("f6")
        await counter.sees("There is nothing in the basket yet.")
        assert not counter.of(Suspend)
