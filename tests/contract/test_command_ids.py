"""A command's id at the local API, in every way to it: the same id again is the same command, also after a restart and when the client hung up."""

from __future__ import annotations

import asyncio

import pytest

from edge_agent import views as v
from tests.support_api import COAT, SOCKS, fixture_shop, fixture_way, impatient, new_id, refused, selling, served, until  # noqa: F401 - fixtures
from tests.support_shop import register


async def test_the_same_id_again_changes_nothing_and_answers_with_the_newest_snapshot(shop):
    same = new_id()
    async with selling(shop) as client, shop.client(ids=lambda: same) as stuck:
        await stuck.send(v.Enter(COAT))
        await client.send(v.Enter(SOCKS))
        again = await stuck.send(v.Enter(COAT))
        assert [(line.sku, line.pieces) for line in again.basket.lines] == [("COAT", 1), ("SOCKS", 1)]


async def test_the_same_id_at_the_same_time_is_carried_out_once(shop):
    same = new_id()
    async with selling(shop), shop.client(ids=lambda: same) as stuck:
        answers = await asyncio.gather(*(stuck.send(v.Enter(COAT)) for _ in range(8)))
        assert {answer.basket.lines[0].pieces for answer in answers} == {1}
        assert len((await stuck.snapshot()).basket.lines) == 1


async def test_many_commands_at_once_are_all_carried_out(shop):
    async with selling(shop) as client:
        await asyncio.gather(*(client.send(v.Enter(COAT)) for _ in range(20)))
        assert (await client.snapshot()).basket.lines[0].pieces == 20


async def test_the_same_id_after_a_restart_is_still_known(way, tmp_path):
    same = new_id()
    async with register(tmp_path / "state") as rig, served(rig, way, tmp_path) as shop, selling(shop), shop.client(ids=lambda: same) as stuck:
        await stuck.send(v.Enter(COAT))
    async with register(tmp_path / "state") as rig, served(rig, way, tmp_path) as shop, shop.client(ids=lambda: same) as stuck:
        again = await stuck.send(v.Enter(COAT))
        assert again.basket.lines[0].pieces == 1


async def test_what_was_carried_out_before_a_restart_is_answered_and_not_refused(way, tmp_path):
    """The answer to a payment was lost with the service: the client's next try must not say that there is no basket."""
    same = new_id()
    async with register(tmp_path / "state") as rig, served(rig, way, tmp_path) as shop, selling(shop) as client, shop.client(ids=lambda: same) as stuck:
        await client.send(v.Enter(COAT))
        await stuck.send(v.PayCash())
    async with register(tmp_path / "state") as rig, served(rig, way, tmp_path) as shop, shop.client(ids=lambda: same) as stuck:
        assert (await stuck.send(v.PayCash())).phase == "ready"
        assert len(await stuck.sales()) == 1


async def test_another_command_under_a_used_id_is_refused_after_a_restart_as_well(way, tmp_path):
    """It must not look as if it had been carried out: the client would take the money for paid."""
    same = new_id()
    async with register(tmp_path / "state") as rig, served(rig, way, tmp_path) as shop, selling(shop), shop.client(ids=lambda: same) as stuck:
        await stuck.send(v.AddArticle("COAT"))
    async with register(tmp_path / "state") as rig, served(rig, way, tmp_path) as shop, shop.client(ids=lambda: same) as stuck:
        for command in (v.PayCash(), v.AddArticle("SOCKS"), v.AddArticle("COAT", "2")):
            problem = await refused(stuck.send(command))
            assert (problem.status, problem.key) == (409, "not_now.id_used")
        again = await stuck.send(v.AddArticle("COAT"))
        assert [(line.sku, line.pieces) for line in again.basket.lines] == [("COAT", 1)]
        assert again.last_sale is None


async def test_an_id_of_which_the_journal_does_not_know_what_it_said_is_answered(way, tmp_path):
    """As those are that were carried out before the journal kept it."""
    same = new_id()
    async with register(tmp_path / "state") as rig, served(rig, way, tmp_path) as shop, selling(shop), shop.client(ids=lambda: same) as stuck:
        await rig.till.counter.add("COAT", "", same)
        answer = await stuck.send(v.PayCash())
        assert [(line.sku, line.pieces) for line in answer.basket.lines] == [("COAT", 1)]


async def test_a_repeat_of_what_writes_nothing_changes_nothing_either(shop):
    same = new_id()
    async with selling(shop) as client, shop.client(ids=lambda: same) as stuck:
        assert (await stuck.send(v.NextQuantity("2"))).next_quantity == "2"
        await client.send(v.NextQuantity(""))
        assert (await stuck.send(v.NextQuantity("2"))).next_quantity == ""


async def test_an_id_whose_try_was_refused_may_be_tried_again(shop):
    same = new_id()
    async with shop.client(ids=lambda: same) as stuck, shop.client() as client:
        assert (await refused(stuck.send(v.Enter(COAT)))).key == "not_now.no_shift"
        await client.send(v.OpenShift("1001"))
        assert (await stuck.send(v.Enter(COAT))).basket.lines[0].pieces == 1


async def test_a_client_that_hangs_up_in_the_middle_leaves_a_whole_command_behind(shop):
    """The payment's attempt is committed, and is conducted although nobody waits for the answer."""
    written, gate = asyncio.Event(), asyncio.Event()
    journal = shop.rig.refusing
    commit = journal.commit

    async def slow(wanted):
        done = await commit(wanted)
        written.set()
        await gate.wait()
        return done

    async with selling(shop) as client:
        await client.send(v.Enter(COAT))
        journal.commit = slow
        started = asyncio.create_task(client.send(v.PayCard()))
        await written.wait()
        started.cancel()
        with pytest.raises(asyncio.CancelledError):
            await started
        gate.set()
        journal.commit = commit
        async with shop.client() as other:
            await until(other, lambda now: now.payment.attempt is not None and now.payment.attempt.step == "present_card")
        assert len(shop.rig.terminal.asked) == 1
