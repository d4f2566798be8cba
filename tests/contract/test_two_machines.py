"""Two machines with one register's disk: whichever speaks first, central freezes the register, and both hear why. The same for a disk that lost its tail."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.domain.errors import DiskFull
from edge_agent.ports import Commit, Link
from sync.backoff import Pace
from sync.contract.envelope import decode_fact
from sync.identity import Identity
from sync.journal_facts import Behind
from sync.push import Push
from tests.support_central import SOURCE, FakeCentral, eventually
from tests.support_journal import a_fact, new_id, open_journal
from tests.support_push import QUICK, Till, a_till

BEHIND = "retail.register.behind.v1"
PATIENT = Pace(base=0.002, cap=0.01, idle=3_600.0, frozen=3_600.0)
OFTEN = Pace(base=0.002, cap=0.01, idle=0.01, frozen=0.01)


@asynccontextmanager
async def two_tills(folder: Path, pace: Pace = QUICK) -> AsyncIterator[tuple[Till, Till, FakeCentral]]:
    """Two machines with the same disk, in step with one central: four facts of trade, two of ops."""
    async with a_till(folder / "one") as till:
        await till.sell(4)
        await till.sell(2, "ops")
        till.start()
        await till.in_step()
        central = till.central
    shutil.copytree(folder / "one", folder / "two")
    tills = [Till(open_journal(folder / name), central, pace) for name in ("one", "two")]
    try:
        yield tills[0], tills[1], central
    finally:
        for till in tills:
            await till.stop()


def sent(central: FakeCentral, since: int = 0) -> list[tuple[str, int]]:
    """What was sent in the batches from number ``since`` on."""
    return [place for batch in central.batches[since:] for place in batch]


def told(central: FakeCentral) -> list[dict[str, object]]:
    """Every word of a register that its disk ends before central."""
    facts = [json.loads(wire) for wire in central.stream("ops").wires]
    return [fact["data"] for fact in facts if fact.get("type") == BEHIND]


async def frozen(till: Till) -> None:
    await eventually(lambda: till.push.report.link is Link.FROZEN, "frozen")


async def test_the_second_machine_speaks_first_and_sold_nothing_yet(tmp_path: Path) -> None:
    """It only told that it started; the first one has nothing of its own under that number."""
    async with two_tills(tmp_path) as (original, clone, central):
        await clone.sell(1, "ops")
        clone.start()
        await clone.in_step()
        await original.sell(1)
        await original.sell(1, "people")
        batches = len(central.batches)
        original.start()
        await frozen(original)
        assert (central.frozen, original.push.report.reason) == ("fork", "fork")
        assert "Two machines" in original.push.report.hint
        assert sent(central, batches) == [("ops", 3)]
        clone.push.look_again()
        await frozen(clone)
        assert (clone.push.report.reason, clone.push.report.detail) == ("frozen", "fork")


async def test_the_second_machine_sold_and_the_first_has_nothing_contested(tmp_path: Path) -> None:
    async with two_tills(tmp_path) as (original, clone, central):
        await clone.sell(3)
        clone.start()
        await clone.in_step()
        head = central.stream("trade").hash
        batches = len(central.batches)
        original.start()
        await frozen(original)
        assert (central.frozen, original.push.report.reason, original.push.report.detail) == ("behind", "frozen", "behind")
        assert sent(central, batches) == [("ops", 3)]
        (word,) = told(central)
        assert {name: word[name] for name in ("epoch", "stream", "ours", "central", "headHash", "retailStoreId", "workstationId")} == {
            "epoch": "1", "stream": "trade", "ours": 4, "central": 7, "headHash": head, "retailStoreId": "0001", "workstationId": "02",
        }  # fmt: skip
        await clone.sell(1)
        await frozen(clone)
        assert clone.push.report.detail == "because register-frozen"
        assert [one.head - one.acknowledged for one in original.journal.streams()] == [0, 0, 0]


async def test_a_lost_tail_sends_what_ops_has_up_to_the_word_and_nothing_else(tmp_path: Path) -> None:
    async with a_till(tmp_path, PATIENT) as till:
        await till.sell(2)
        await till.sell(5, "ops")
        await till.sell(3, "people")
        for _ in range(6):
            till.central.taken_from_another("trade")
        await till.journal.acknowledge("central", {"trade": 3})
        till.start()
        await frozen(till)
        assert sent(till.central) == [("ops", number) for number in range(1, 7)]
        assert (till.central.frozen, till.central.stream("people").next) == ("behind", 1)
        await till.sell(4)
        till.push.retry_now()
        await eventually(lambda: till.push.report.waiting == 7, "what waits is counted")
        assert [len(batch) for batch in till.central.batches] == [6]


@pytest.mark.parametrize("fault", ["lose", "lose_answer", "double", "html", "busy", "error"])
async def test_a_bad_network_delays_the_word_and_does_not_double_it(tmp_path: Path, fault: str) -> None:
    async with a_till(tmp_path, PATIENT) as till:
        await till.sell(2)
        till.start()
        await till.in_step()
        till.central.taken_from_another("trade")
        till.central.faults.extend(["", fault, "", fault])  # the cursor is answered, the word is not
        till.push.look_again()
        await eventually(lambda: till.central.frozen != "", "central hears of it all the same, and soon")
        till.push.retry_now()
        await eventually(lambda: till.push.report.reason == "frozen", "so does the register")
        assert len(told(till.central)) == 1
        assert till.journal.streams()[2].head == 1


async def test_a_central_that_does_not_know_the_word_hears_it_once_for_each_start(tmp_path: Path) -> None:
    async with a_till(tmp_path, OFTEN) as till:
        till.central.believes = False
        await till.sell(2)
        till.start()
        await till.in_step()
        till.central.taken_from_another("trade")
        await frozen(till)
        asked = len(till.central.requests)
        await eventually(lambda: len(till.central.requests) > asked + 20, "it goes on asking")
        assert (till.push.report.reason, len(told(till.central)), len(till.central.batches)) == ("tail_lost", 1, 2)
        assert "second machine" in till.push.report.hint
        assert till.task is not None
        till.task.cancel()
        await asyncio.gather(till.task, return_exceptions=True)
        till.push = Push(till.journal, till.connector, SystemClock(), SystemRandom(), till.reports.append, OFTEN)
        till.start()
        await eventually(lambda: len(told(till.central)) == 2, "after a start it is said again")


async def test_a_word_that_could_not_be_sent_waits_and_is_not_written_again_after_a_restart(tmp_path: Path) -> None:
    async with open_journal(tmp_path) as journal:
        await journal.adopt(Identity(SOURCE, "1"))
        await journal.commit(Commit(new_id(), (), (a_fact("ops"),)))
        what = Behind("trade", 2, 8, "a" * 64)
        assert [await journal.say_behind(what) for _ in range(3)] == [2, 2, 2]
    async with open_journal(tmp_path) as journal:
        assert await journal.say_behind(what) == 2
        assert await journal.say_behind(Behind("trade", 2, 9, "b" * 64)) == 3
        await journal.acknowledge("central", {"ops": 4})
        assert await journal.say_behind(what) == 4
        assert await journal.adopt(Identity(SOURCE, "2")) == 1
        (again,) = [decode_fact(wire) for _, wire in journal.facts_after("ops", 0, 9, 1 << 20)]
        assert (again.epoch, json.loads(bytes(again.data))["epoch"]) == ("2", "1")
        assert await journal.say_behind(what) == 2, "the old epoch's word is not this epoch's"
        assert journal.verify().problems == ()


async def test_a_disk_on_which_nothing_can_be_written_says_what_it_found_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_till(tmp_path, PATIENT) as till:
        for _ in range(3):
            till.central.taken_from_another("trade")

        async def full(_: Behind) -> int:
            raise DiskFull("The disk is full.", hint="Make room.")

        monkeypatch.setattr(till.journal, "say_behind", full)
        till.start()
        await frozen(till)
        assert (till.push.report.reason, till.central.batches) == ("tail_lost", [])
        monkeypatch.undo()
        await eventually(lambda: till.central.frozen == "behind", "it is told as soon as there is room")


def a_gap_beyond(till: Till) -> dict[str, object]:
    return {"status": 409, "json": {"type": "urn:edge:problem:sequence-gap", "title": "gap", "status": 409, "stream": "trade", "expected": 9}}


def an_acknowledgement_beyond(till: Till) -> dict[str, object]:
    streams = {"trade": {"next": 9, "accepted": 0, "duplicates": 1, "quarantined": []}}
    return {"status": 200, "json": {"registers": {SOURCE: {"epoch": "1", "streams": streams}}}}


@pytest.mark.parametrize("answer", [a_gap_beyond, an_acknowledgement_beyond])
@pytest.mark.parametrize("true", [True, False])
async def test_an_answer_beyond_this_disk_is_looked_into_and_not_believed(
    tmp_path: Path, answer: Callable[[Till], dict[str, object]], true: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_till(tmp_path, PATIENT) as till:
        till.start()
        await till.in_step()
        told_once = answer(till)
        events = till.central._events

        def once(request: httpx.Request, body: bytes) -> httpx.Response:
            monkeypatch.setattr(till.central, "_events", events)
            for _ in range(8 if true else 0):
                till.central.taken_from_another("trade")
            media_type = "application/json" if told_once["status"] == 200 else "application/problem+json"
            return httpx.Response(int(str(told_once["status"])), json=told_once["json"], headers={"content-type": media_type})

        monkeypatch.setattr(till.central, "_events", once)
        await till.sell(1)
        if true:
            await frozen(till)
            assert till.central.frozen == "fork"
            assert told(till.central) == []
        else:
            await till.in_step()
            till.same_as_central()


async def test_after_a_new_enrolment_everything_goes_on_and_the_old_word_means_nothing(tmp_path: Path) -> None:
    """The word that central refused (it came as a fork) is issued anew with the facts that wait; the new epoch is not frozen by it."""
    async with two_tills(tmp_path) as (original, clone, central):
        await clone.sell(1, "ops")
        clone.start()
        await clone.in_step()
        original.start()
        await frozen(original)
        await original.sell(3)
        assert original.task is not None
        original.task.cancel()
        await asyncio.gather(original.task, return_exceptions=True)
        central.epoch, central.frozen, central.streams = "2", "", {}
        assert await original.journal.adopt(Identity(SOURCE, "2")) == 4
        original.push = Push(original.journal, original.connector, SystemClock(), SystemRandom(), original.reports.append, QUICK)
        original.start()
        await original.in_step()
        original.same_as_central()
        assert [word["epoch"] for word in told(central)] == ["1"]
        assert central.frozen == ""
        clone.push.look_again()
        await eventually(lambda: clone.push.report.reason == "epoch", "the other machine is told that it was replaced")
