"""What becomes of a claim whose answer is lost: over restarts the register finds its own lease again, and nobody is kept out of the cart by it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.domain import commands as do
from tests.support_carts import AWAY, World, killed, till, world
from tests.support_counter import COAT, MARIA_CARD, SOCKS, eventually, opened, scan
from tests.support_shop import MARIAS_CART, Rig


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr("sync.connectors._http_people.ANSWER_SECONDS", 30.0)  # a busy machine is no central that is away
    with world(tmp_path) as made:
        yield made


async def left_unanswered(rig: Rig, line: object, folder: Path) -> Path:
    """Maria's cart is claimed, central grants it, and the power goes before the answer comes; the disk that is left."""
    await opened(rig)
    await scan(rig, MARIA_CARD)
    line.deaf.add("claim")
    granted = asyncio.Event()
    do_ = rig.core.do

    async def stopped_here(command: object, *rest: object, **named: object) -> object:
        granted.set()
        await asyncio.sleep(3600)

    rig.core.do = stopped_here
    loading = asyncio.create_task(rig.till.clienteling.load("", ""))
    await granted.wait()
    left = killed(folder)
    loading.cancel()
    await asyncio.gather(loading, return_exceptions=True)
    rig.core.do = do_
    return left


async def test_a_register_that_died_before_the_answer_loads_the_cart_by_the_same_claim(tmp_path: Path, at: World) -> None:
    async with till(tmp_path / "till", at) as (rig, line):
        left = await left_unanswered(rig, line, tmp_path / "till")
        (claim,) = line.claims()
    assert at.held_by() == "0001/02"
    async with till(left, at, away=True) as (rig, line):
        await eventually(lambda: len(line.claims()) == 1)
        line.away = False
        await rig.till.clienteling.load("", "")
        lease = rig.core.state.basket.lease
        assert (rig.core.desk.notice.key, lease.claim, bool(lease.token), set(line.claims())) == ("notice.cart_loaded", claim, True, {claim})
        assert rig.core.state.claims == ()
        assert at.held_by() == "0001/02"
        for code in (COAT, SOCKS, SOCKS):
            await scan(rig, code)
        await rig.till.paying.cash(None, "")
        await eventually(lambda: at.cart() is None)
    assert at.refunds() == []


async def test_a_register_that_died_before_the_answer_lets_the_cart_go_when_nobody_wants_it_any_more(tmp_path: Path, at: World) -> None:
    async with till(tmp_path / "till", at) as (rig, line):
        left = await left_unanswered(rig, line, tmp_path / "till")
    assert at.held_by() == "0001/02"
    async with till(left, at) as (rig, _):
        await eventually(lambda: at.held_by() == "" and not rig.core.state.claims)
    async with till(left, at) as (_, line):
        assert line.claims() == [], "what is ended is not asked about again"
    assert at.taken_at("03").status_code == 200


async def test_a_claim_whose_answer_was_lost_belongs_to_the_basket_over_a_restart_and_is_released_with_it(tmp_path: Path, at: World) -> None:
    async with till(tmp_path / "till", at) as (rig, line):
        await opened(rig)
        await scan(rig, MARIA_CARD)
        line.deaf.add("claim")
        await rig.till.clienteling.load("", "")
        assert rig.core.desk.notice.key == "notice.cart_copy_loaded"
        await rig.till.set_aside(do.Suspend("bag"), "")
        (claim,) = line.claims()
        left = killed(tmp_path / "till")
    async with till(left, at) as (rig, line):
        await rig.till.recall(rig.core.state.suspended[0].id, "")
        assert rig.core.state.basket.lease.claim == claim
        assert at.held_by() == "0001/02", "the basket still counts on it"
        await rig.till.clienteling.release("")
        await eventually(lambda: at.held_by() == "" and not rig.core.state.claims)
        assert set(line.claims()) == {claim}


async def test_a_release_that_central_did_not_hear_is_made_good_after_a_restart(tmp_path: Path, at: World) -> None:
    async with till(tmp_path / "till", at) as (rig, line):
        await opened(rig)
        await scan(rig, MARIA_CARD)
        await rig.till.clienteling.load("", "")
        line.away = True
        await rig.till.clienteling.release("")
        await eventually(lambda: line.asked[-1][0] == "release")
        left = killed(tmp_path / "till")
    assert at.held_by() == "0001/02"
    async with till(left, at) as (rig, _):
        await eventually(lambda: at.held_by() == "" and not rig.core.state.claims)


async def test_a_claim_that_central_never_heard_is_made_anew_when_the_cart_has_changed_since(tmp_path: Path, at: World) -> None:
    async with till(tmp_path / "till", at) as (rig, line):
        await opened(rig)
        await scan(rig, MARIA_CARD)
        real = line._connector.claim

        async def lost(*_: object) -> object:
            raise AWAY

        line._connector.claim = lost
        await rig.till.clienteling.load("", "")
        line._connector.claim = real
        edit = {"customer": "c-maria", "currency": "EUR", "lines": at.cart()["lines"][:1]}
        assert at.http.put(f"/ops/carts/{MARIAS_CART.id}", json=edit, headers=at.ops).status_code == 200
        await rig.till.clienteling.release("")
        await eventually(lambda: not rig.core.state.claims)
        await rig.till.clienteling.load("", "")
        first, *_, last = line.claims()
        assert (rig.core.desk.notice.key, rig.core.state.basket.lease.claim) == ("notice.cart_loaded", last)
        assert first != last
        assert rig.core.state.basket.lease.version == 8


@pytest.mark.parametrize("ends", ["sold", "sold from the copy, claimed later and let go"])
async def test_a_cart_stays_held_over_a_restart_until_central_has_heard_what_was_sold_of_it(tmp_path: Path, at: World, ends: str) -> None:
    async with till(tmp_path / "till", at) as (rig, line):
        await opened(rig)
        await scan(rig, MARIA_CARD)
        line.deaf, line.away = {"claim"}, ends != "sold"
        await rig.till.clienteling.load("", "")
        await scan(rig, SOCKS)
        await rig.till.paying.cash(None, "")
        if ends != "sold":
            line.deaf, line.away = set(), False
            await scan(rig, MARIAS_CART.id)
            line.away = True
            await rig.till.clienteling.release("")
    async with till(tmp_path / "till", at) as (rig, line):
        await all_tried(rig)
        assert (at.held_by(), at.ordered_online()) == ("0001/02", 409)
        assert ("claim" in [call[0] for call in line.asked], bool(rig.core.state.claims)) == (False, True)
        await rig.journal.acknowledge("central", {stream.stream: stream.head + 1 for stream in rig.journal.streams()})
        await all_tried(rig)
        assert (at.held_by(), rig.core.state.claims) == ("", ())


async def all_tried(rig: Rig) -> None:
    """The register looked after its claims, and what it does in the background is done."""
    await rig.till.holding.look_after()
    while rig.till.carts._tasks:
        await asyncio.gather(*rig.till.carts._tasks)
