"""A cart in a basket stays held for as long as the basket lives; where it is lost all the same, the associate knows before anybody pays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.bootstrap import Agent
from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.config import Config
from edge_agent.domain import commands as do
from edge_agent.ports import Link, LinkReport
from edge_agent.service.holding import ASIDE_HELD_MS
from sync.connectors.contract import Settings
from sync.connectors.http import HttpEnroller
from sync.enrol import enrol
from sync.keys import Keys
from tests.support_carts import Line, Watch, World, killed, published, till, world
from tests.support_counter import COAT, MARIA_CARD, SOCKS, eventually, opened, scan
from tests.support_shop import MARIAS_CART, Rig

MINUTE = 60_000


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr("sync.connectors._http_people.ANSWER_SECONDS", 30.0)  # a busy machine is no central that is away
    with world(tmp_path) as made:
        yield made


async def loaded(rig: Rig) -> None:
    await opened(rig)
    await scan(rig, MARIA_CARD)
    await rig.till.clienteling.load("", "")


async def pass_minutes(rig: Rig, at: World, minutes: int) -> None:
    """So much time, with the register looking after its carts every half minute."""
    for _ in range(2 * minutes):
        at.clock.wall_ms += MINUTE // 2
        await rig.till.holding.look_after()


def notice(rig: Rig) -> str:
    said = rig.presenter.snapshot().notice
    return said.key if said else ""


@pytest.mark.parametrize("where", ["open", "suspended"])
async def test_a_cart_is_held_for_as_long_as_its_basket_lives_and_no_longer(tmp_path: Path, at: World, where: str) -> None:
    async with till(tmp_path / "till", at) as (rig, line):
        await loaded(rig)
        if where == "suspended":
            await rig.till.set_aside(do.Suspend("bag"), "")
        await pass_minutes(rig, at, 50)
        assert (at.held_by(), at.ordered_online(), at.taken_at("03").status_code) == ("0001/02", 409, 409)
        assert len(set(line.claims())) == 1
        assert len(line.claims()) == 11, "once in five minutes"
        if where == "suspended":
            await rig.till.recall(rig.core.state.suspended[0].id, "")
        assert rig.core.state.basket.lease.lost is None
        assert notice(rig) not in ("notice.cart_gone", "notice.cart_taken", "notice.cart_run_out")
        await rig.till.void("changed their mind", "")
        await eventually(lambda: at.held_by() == "")
        asked = len(line.asked)
        await pass_minutes(rig, at, 20)
        assert len(line.asked) == asked, "an ended basket asks for nothing"
        assert at.taken_at("03").status_code == 200


async def test_a_restart_goes_on_holding_what_its_baskets_count_on(tmp_path: Path, at: World) -> None:
    async with till(tmp_path / "till", at) as (rig, line):
        await loaded(rig)
        await pass_minutes(rig, at, 10)
        left = killed(tmp_path / "till")
    at.clock.wall_ms += 13 * MINUTE
    async with till(left, at) as (rig, line):
        await pass_minutes(rig, at, 10)
        assert at.held_by() == "0001/02"
        assert rig.core.state.basket.lease.until_ms > at.clock.wall_ms
        assert len(set(line.claims())) == 1


async def test_a_lease_that_ran_out_while_central_was_away_is_claimed_anew_when_nobody_took_the_cart(tmp_path: Path, at: World) -> None:
    async with till(tmp_path / "till", at) as (rig, line):
        await loaded(rig)
        await scan(rig, COAT)
        first = rig.core.state.basket.lease
        line.away = True
        await pass_minutes(rig, at, 14)
        assert notice(rig) != "notice.cart_run_out"
        await pass_minutes(rig, at, 3)
        assert notice(rig) == "notice.cart_run_out"
        assert rig.presenter.snapshot().basket.cart_lost == "run_out"
        line.away = False
        rig.till.clienteling.in_touch()
        await eventually(lambda: rig.core.state.basket.lease.lost is None)
        again = rig.core.state.basket.lease
        assert (again.version, again.claim != first.claim, again.token != first.token, rig.core.state.claims) == (7, True, True, ())
        assert (at.held_by(), rig.presenter.snapshot().basket.cart_lost, notice(rig)) == ("0001/02", "", "")
        await rig.till.paying.cash(None, "")
        assert rig.presenter.snapshot().last_sale.left_online == 2
        await eventually(lambda: at.held_by() == "")
        assert [line["line"] for line in at.cart()["lines"]] == ["w2"]
    assert at.refunds() == []


@pytest.mark.parametrize("ahead_minutes", [-60, 60])
async def test_a_lease_runs_out_by_centrals_clock_wherever_the_registers_own_stands(tmp_path: Path, at: World, ahead_minutes: int) -> None:
    ahead_ms = ahead_minutes * MINUTE
    async with till(tmp_path / "till", at, ahead_ms=ahead_ms) as (rig, line):
        await loaded(rig)
        line.away = True
        rig.core.desk.link = LinkReport(Link.OFFLINE, 0, clock_offset_ms=-ahead_ms)
        await pass_minutes(rig, at, 14)
        assert (rig.core.state.basket.lease.lost, at.ordered_online()) == (None, 409)
        await pass_minutes(rig, at, 2)
        assert (notice(rig), at.ordered_online()) == ("notice.cart_run_out", 200)


@pytest.mark.parametrize("how", ["in touch again", "published", "looked"])
async def test_a_cart_that_was_ordered_online_meanwhile_is_told_and_its_rest_is_not_said_to_stay_online(tmp_path: Path, at: World, how: str) -> None:
    async with till(tmp_path / "till", at) as (rig, line):
        await loaded(rig)
        await scan(rig, COAT)
        total = rig.presenter.snapshot().basket.total
        line.away = True
        await pass_minutes(rig, at, 16)
        assert at.ordered_online() == 200
        line.away = False
        await told_by(how, rig, at)
        await eventually(lambda: notice(rig) == "notice.cart_gone")
        snapshot = rig.presenter.snapshot()
        assert (snapshot.basket.cart_lost, snapshot.customer.cart.online, snapshot.basket.total) == ("gone", "gone", total)
        await scan(rig, SOCKS)
        assert notice(rig) == "notice.picked"
        at.clock.wall_ms += MINUTE
        assert notice(rig) == "notice.cart_gone", "it stands again as soon as nothing newer is to be said"
        await rig.till.paying.cash(None, "")
        assert rig.presenter.snapshot().last_sale.left_online == 0
        assert notice(rig) != "notice.cart_gone"
        sale = rig.core.desk.last_sale
        assert (sale.totals.total_minor, sale.cart_lines_left) == (total.minor + 1250, frozenset())


async def told_by(how: str, rig: Rig, at: World) -> None:
    if how == "in touch again":
        rig.till.clienteling.in_touch()
    elif how == "published":
        published(rig, at)
    else:
        await pass_minutes(rig, at, 1)


async def test_a_cart_that_another_register_took_is_told_with_its_name_and_held_again_once_it_is_let_go_there(tmp_path: Path, at: World) -> None:
    async with till(tmp_path / "till", at) as (rig, line):
        await loaded(rig)
        line.away = True
        await pass_minutes(rig, at, 16)
        taken = at.taken_at("03")
        assert taken.status_code == 200
        line.away = False
        await pass_minutes(rig, at, 1)
        snapshot = rig.presenter.snapshot()
        assert (notice(rig), snapshot.notice.shown["holder"], snapshot.basket.cart_holder) == ("notice.cart_taken", "0001/03", "0001/03")
        assert (snapshot.customer.cart.online, snapshot.customer.cart.held_by) == ("taken", "0001/03")
        written = rig.journal.position()
        await pass_minutes(rig, at, 6)
        assert rig.journal.position() <= written + 4, "the same news is not written down again"
        at.let_go_at(taken)
        published(rig, at)
        await eventually(lambda: rig.core.state.basket.lease.lost is None)
        assert (at.held_by(), notice(rig)) == ("0001/02", "")


async def test_what_was_found_out_of_a_suspended_baskets_cart_is_told_when_it_comes_back_also_after_a_restart(tmp_path: Path, at: World) -> None:
    async with till(tmp_path / "till", at) as (rig, line):
        await loaded(rig)
        await rig.till.set_aside(do.Suspend("bag"), "")
        line.away = True
        await pass_minutes(rig, at, 16)
        assert at.ordered_online() == 200
        line.away = False
        await pass_minutes(rig, at, 1)
        assert notice(rig) not in ("notice.cart_gone", "notice.cart_run_out"), "it is not about the basket at hand"
        left = killed(tmp_path / "till")
    async with till(left, at, away=True) as (rig, _):
        await rig.till.recall(rig.core.state.suspended[0].id, "")
        assert notice(rig) == "notice.cart_gone"
        await rig.till.clienteling.release("")
        assert rig.core.desk.notice.key == "notice.cart_let_go"


async def test_a_cart_that_came_from_the_copy_is_held_as_soon_as_central_answers(tmp_path: Path, at: World) -> None:
    async with till(tmp_path / "till", at, away=True) as (rig, line):
        await loaded(rig)
        assert rig.presenter.snapshot().customer.cart.offline_copy
        line.away = False
        await pass_minutes(rig, at, 1)
        assert (at.held_by(), rig.presenter.snapshot().customer.cart.offline_copy) == ("0001/02", False)


async def test_a_copy_that_takes_the_place_of_a_cart_that_was_held_is_claimed_as_soon_as_central_answers(tmp_path: Path, at: World) -> None:
    async with till(tmp_path / "till", at) as (rig, line):
        await loaded(rig)
        await scan(rig, COAT)
        await rig.till.clienteling.release("")
        await eventually(lambda: not rig.core.state.claims)
        line.away = True
        await rig.till.clienteling.load("", "")
        line.away = False
        await pass_minutes(rig, at, 1)
        assert (at.held_by(), bool(rig.core.state.basket.lease.token)) == ("0001/02", True)


@pytest.mark.parametrize("ends", ["released", "voided", "suspended"])
async def test_an_answer_that_comes_when_the_basket_has_ended_or_moved_on_changes_nothing_else(tmp_path: Path, at: World, ends: str) -> None:
    async with till(tmp_path / "till", at) as (rig, line):
        await loaded(rig)
        at.clock.wall_ms += 6 * MINUTE
        real = line._connector.claim

        async def meanwhile(*args: object) -> object:
            line._connector.claim = real
            answer = await real(*args)
            await end(rig, ends)
            return answer

        line._connector.claim = meanwhile
        await rig.till.holding.look_after()
        held = [basket.lease for basket in rig.core.state.baskets if basket.lease]
        assert len(held) == (ends == "suspended")
        await eventually(lambda: at.held_by() == ("0001/02" if held else ""))
        await eventually(lambda: not rig.core.state.claims)


async def end(rig: Rig, how: str) -> None:
    if how == "released":
        await rig.till.clienteling.release("")
    elif how == "voided":
        await rig.till.void("changed their mind", "")
    else:
        await rig.till.set_aside(do.Suspend("bag"), "")


async def test_a_basket_that_nobody_brings_back_for_half_a_day_leaves_the_cart_to_its_customer(tmp_path: Path, at: World) -> None:
    async with till(tmp_path / "till", at) as (rig, _):
        await loaded(rig)
        await rig.till.set_aside(do.Suspend("bag"), "")
        at.clock.wall_ms += ASIDE_HELD_MS - 16 * MINUTE
        await pass_minutes(rig, at, 15)
        assert at.held_by() == "0001/02"
        await pass_minutes(rig, at, 20)
        assert (at.held_by(), at.ordered_online()) == ("", 200)
        await rig.till.recall(rig.core.state.suspended[0].id, "")
        await eventually(lambda: notice(rig) == "notice.cart_gone")


async def test_the_service_looks_after_its_carts_by_itself(tmp_path: Path, at: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_agent.service.holding.LOOK_SECONDS", 0.01)
    keys = Keys(tmp_path / "till", SystemRandom())
    code = at.central.enrol_code("0001", "01").code
    await enrol(at.url, code, "test device", keys, HttpEnroller(Settings(at.url, "", "", SystemClock())))
    at.central.seed("staff", [("s1", {"id": "s1", "name": "Ada", "badge": "1001", "rights": []})])
    agent = await Agent.start(Config(state=str(tmp_path / "till")), keys, Watch(at.clock), SystemRandom())
    try:
        await eventually(lambda: agent.replica.people.operator("1001") is not None and agent.replica.people.cart(MARIAS_CART.id) is not None)
        await agent.till.day.open("1001", 0, "")
        await agent.till.clienteling.load(MARIAS_CART.id, "")
        for _ in range(3):
            at.clock.wall_ms += 10 * MINUTE
            await eventually(lambda: agent.core.state.basket.lease.until_ms == at.clock.wall_ms + 15 * MINUTE)
        assert at.held_by() == "0001/01"
    finally:
        await agent.stop()


async def test_what_the_customer_adds_to_a_line_while_it_is_at_the_till_stays_online(tmp_path: Path, at: World) -> None:
    async with till(tmp_path / "till", at) as (rig, _):
        await loaded(rig)
        coat, socks = at.cart()["lines"]
        edit = {"customer": "c-maria", "currency": "EUR", "lines": [coat | {"pieces": 3}, socks]}
        assert at.http.put(f"/ops/carts/{MARIAS_CART.id}", json=edit, headers=at.ops).status_code == 200
        await scan(rig, COAT)
        await rig.till.paying.cash(None, "")
        await eventually(lambda: at.held_by() == "")
        assert [(line["line"], line["pieces"]) for line in at.cart()["lines"]] == [("w1", 2), ("w2", 2)]


async def test_a_claim_made_anew_whose_answer_was_lost_is_found_again(tmp_path: Path, at: World) -> None:
    async with till(tmp_path / "till", at) as (rig, line):
        await loaded(rig)
        line.away = True
        await pass_minutes(rig, at, 16)
        line.away, line.deaf = False, {"claim"}
        await pass_minutes(rig, at, 1)
        line.deaf = set()
        await pass_minutes(rig, at, 1)
        lease = rig.core.state.basket.lease
        assert (lease.lost, at.held_by(), rig.core.state.claims) == (None, "0001/02", ())
        assert at.ordered_online() == 409


async def test_pieces_of_a_cart_that_is_held_are_sold_under_its_newest_lease(tmp_path: Path, at: World) -> None:
    async with till(tmp_path / "till", at) as (rig, line):
        await loaded(rig)
        await pass_minutes(rig, at, 20)
        for code in (COAT, SOCKS, SOCKS):
            await scan(rig, code)
        lease = rig.core.state.basket.lease
        await rig.till.paying.cash(None, "")
        (fact,) = [one for one in rig.journal.facts_after("trade", 0, 100, 1 << 20) if MARIAS_CART.id.encode() in one[1]]
        assert f'"leaseUntilMs":{lease.until_ms}'.encode() in fact[1]
        await eventually(lambda: at.cart() is None)
    assert at.refunds() == []
    assert isinstance(line, Line)
