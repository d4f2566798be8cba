"""What the push does with central's answers: smaller batches, facts withheld and put aside, another number wanted, a restored or frozen register."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import httpx
import pytest

from edge_agent.clock import SystemClock
from edge_agent.ports import Link
from sync.backoff import Backoff, Pace
from sync.contract.envelope import decode_fact, fact_hash
from sync.link import PushAnswer, Unreachable
from sync.push import Push
from tests.support import HalfRandom
from tests.support_central import SOURCE, eventually, problem
from tests.support_push import Till, a_till, somebody_freezes_it


@pytest.fixture
async def till(tmp_path: Path) -> AsyncIterator[Till]:
    async with a_till(tmp_path) as made:
        yield made


async def test_batches_shrink_to_what_is_taken_and_grow_again(till: Till) -> None:
    await till.sell(100)
    till.central.facts_max = 7
    till.start()
    await till.in_step()
    till.same_as_central()
    till.central.facts_max = 500
    await asyncio.gather(*(till.sell(1) for _ in range(600)))
    await till.in_step()
    till.same_as_central()
    assert max(len(batch) for batch in till.central.batches[-6:]) > 60


async def test_a_proxy_that_lets_nothing_pass_withholds_nothing(till: Till) -> None:
    till.central.proxy_bytes_max = 10
    await till.sell(3)
    till.start()
    await eventually(lambda: "on the way" in till.push.report.detail, "it says who is in the way")
    assert till.journal.quarantined() == []
    till.central.proxy_bytes_max = 1 << 30
    await till.in_step()
    till.same_as_central()


@pytest.mark.parametrize("says_index", [True, False])
async def test_a_fact_that_cannot_be_taken_is_found_and_another_says_so(till: Till, says_index: bool) -> None:
    till.central.says_index = says_index
    till.central.refuses = lambda fact: fact["data"].get("poison", False)
    await till.sell(20)
    await till.sell(1, poison=True)
    await till.sell(20)
    await till.sell(3, "people")
    await till.sell(1, "people", poison=True)
    await till.sell(2, "people")
    culprit = json.loads(till.journal.facts_after("trade", 20, 1, 1)[0][1])
    till.start()
    await till.in_step()
    till.same_as_central()
    trade = [decode_fact(wire) for wire in till.central.stream("trade").wires]
    assert [fact.number for fact in trade] == list(range(1, 42))
    assert [fact.type for fact in trade].count("retail.fact.withheld.v1") == 1
    told = json.loads(bytes(trade[20].data))
    assert (told["factId"], told["type"]) == (culprit["id"], "retail.sale.completed.v1")
    assert told["reason"]
    assert len(till.central.stream("people").wires) == 6
    assert [(one.stream, one.number) for one in till.journal.quarantined()] == [("trade", 21), ("people", 4)]
    assert till.push.report.quarantined == 2


async def test_a_withheld_fact_that_is_refused_as_well_stops_its_stream_alone(till: Till) -> None:
    till.central.refuses = lambda fact: fact["stream"] == "people"
    await till.sell(2, "people")
    await till.sell(2)
    till.start()
    await eventually(lambda: till.push.report.reason == "withheld_refused", "it is told")
    await till.sell(3)
    await eventually(lambda: till.central.stream("trade").next == 6, "the other stream goes on")
    assert till.push.report.link is Link.FROZEN
    assert till.central.stream("people").next == 1


async def test_a_fact_that_is_refused_for_a_while_is_shown_again_and_not_withheld(tmp_path: Path) -> None:
    """A faulty deployment at central must not cost a sale."""
    async with a_till(tmp_path, Pace(base=0.002, cap=0.01, idle=5.0, frozen=5.0, withhold=600.0)) as till:
        till.central.refuses = lambda fact: fact["stream"] == "trade" and int(fact["sequence"]) == 2
        await till.sell(3)
        await till.sell(3, "people")
        till.start()
        await eventually(lambda: (till.push.report.reason, till.push.report.waiting) == ("fact_refused", 2), "it is told, and the others go on")
        assert (till.push.report.link, till.push.report.withheld, till.central.stream("people").next) == (Link.SENDING, 0, 4)
        assert "fact 2 of trade" in till.push.report.detail
        asked = till.central.requests.count(("POST", "/edge/v1/events"))
        await eventually(
            lambda: till.central.requests.count(("POST", "/edge/v1/events")) > asked + 10, "it is shown again, often enough for any number of tries"
        )
        till.central.refuses = lambda fact: False
        await till.in_step()
        assert (till.push.report.withheld, till.push.report.quarantined, till.push.report.reason) == (0, 0, "")
        till.same_as_central()


async def test_a_stream_that_was_held_up_for_good_goes_on_when_central_takes_it(tmp_path: Path) -> None:
    async with a_till(tmp_path, Pace(base=0.002, cap=0.01, idle=5.0, frozen=0.05, withhold=0.02)) as till:
        till.central.refuses = lambda fact: fact["stream"] == "people"
        await till.sell(2, "people")
        till.start()
        await eventually(lambda: till.push.report.reason == "withheld_refused", "it is told")
        await till.sell(2, "people")
        till.central.refuses = lambda fact: False
        await till.in_step()
        assert till.central.stream("people").next == 5
        assert till.push.report.withheld == 1


async def test_what_central_says_of_facts_that_there_are_not_is_not_kept(till: Till) -> None:
    problem = {"type": "urn:edge:problem:invalid", "title": "x", "status": 400, "detail": ""}

    async def lies(request: httpx.Request) -> httpx.Response:
        told = {"next": 3, "accepted": 2, "duplicates": 0, "quarantined": [{"sequence": number, "problem": problem} for number in (2, 3, 10**9)]}
        till.central.routes.clear()
        return httpx.Response(200, json={"registers": {SOURCE: {"epoch": "1", "streams": {"trade": told}}}})

    await till.sell(2)
    till.central.routes["/edge/v1/events"] = lies
    till.start()
    await eventually(lambda: till.push.report.quarantined > 0, "what it put aside is mirrored")
    assert [one.number for one in till.journal.quarantined()] == [2]


async def test_what_central_puts_aside_is_mirrored_and_counted(till: Till) -> None:
    till.central.quarantines = lambda fact: fact["sequence"].endswith("2")
    await till.sell(3)
    till.start()
    await till.in_step()
    (aside,) = till.journal.quarantined()
    assert (aside.stream, aside.number, json.loads(aside.problem)["title"]) == ("trade", 2, "sum")
    assert till.push.report.quarantined == 1


@pytest.mark.parametrize("says", ["gap", "gap_untold", "next"])
async def test_central_that_answers_and_takes_nothing_is_told_and_is_not_asked_without_end(till: Till, says: str) -> None:
    async def nothing(request: httpx.Request) -> httpx.Response:
        if says == "next":
            streams = {"trade": {"next": 1, "accepted": 0, "duplicates": 0, "quarantined": []}}
            return httpx.Response(200, json={"registers": {SOURCE: {"epoch": "1", "streams": streams}}})
        return problem(409, "sequence-gap", **({"stream": "trade", "expected": 1} if says == "gap" else {}))

    await till.sell(2)
    till.central.routes["/edge/v1/events"] = nothing
    till.push = Push(till.journal, till.connector, SystemClock(), HalfRandom(), till.reports.append, Pace(base=40.0, cap=40.0, idle=5.0, frozen=5.0))
    till.journal.on_facts(till.push.wake)
    till.start()
    tried = 0
    while till.push.report.reason != "no_progress":
        tried += 1
        asked = till.central.requests.count(("POST", "/edge/v1/events"))
        await eventually(
            lambda asked=asked: till.push.report.reason == "no_progress" or till.central.requests.count(("POST", "/edge/v1/events")) > asked, "it is tried"
        )
        till.push.retry_now()
    assert tried <= 5
    assert till.push.report.link is Link.OFFLINE
    assert till.push.report.waiting == 2
    assert "Central answers, but" in till.push.report.detail
    assert "operator" in till.push.report.hint
    for _ in range(3):  # asked again, it does not say that it sends
        asked = till.central.requests.count(("POST", "/edge/v1/events"))
        till.push.retry_now()
        await eventually(lambda asked=asked: till.central.requests.count(("POST", "/edge/v1/events")) > asked, "it is tried again")
    assert till.links()[-1] == ("offline", "no_progress")
    assert [link for link, _ in till.links()].count("offline") == 1
    till.central.routes.clear()
    till.push.retry_now()
    await till.in_step()
    till.same_as_central()


async def test_central_that_was_restored_is_sent_again_what_it_lost(till: Till) -> None:
    await till.sell(6)
    till.start()
    await till.in_step()
    trade = till.central.stream("trade")
    del trade.wires[3:]
    trade.next, trade.hash = 4, fact_hash(trade.wires[-1])
    await till.sell(1)
    await till.in_step()
    assert trade.next == 8
    till.same_as_central()


async def test_a_cloned_disk_is_told_and_shows_central_one_contested_fact(tmp_path: Path) -> None:
    async with a_till(tmp_path / "one") as one, a_till(tmp_path / "two") as two:
        two.central.streams = one.central.streams
        await one.sell(3)
        await two.sell(3)
        one.start()
        await one.in_step()
        two.start()
        await eventually(lambda: two.push.report.link is Link.FROZEN, "frozen")
        assert two.push.report.reason == "fork"
        assert [len(batch) for batch in two.central.batches] == [1]
        assert "Two machines" in two.push.report.hint


def another_machine_sells(till: Till) -> None:
    till.central.taken_from_another("trade")


@pytest.mark.parametrize(("happens", "reason"), [(another_machine_sells, "behind"), (somebody_freezes_it, "Stolen")])
@pytest.mark.parametrize("idle", [0.01, 3_600.0], ids=["now and then", "when central is heard from"])
async def test_a_register_that_sells_nothing_is_told_all_the_same(tmp_path: Path, happens: Callable[[Till], None], reason: str, idle: float) -> None:
    async with a_till(tmp_path, Pace(base=0.002, cap=0.01, idle=idle, frozen=3_600.0)) as till:
        await till.sell(1)
        till.start()
        await till.in_step()
        happens(till)
        if idle > 1:
            till.push.look_again()
        await eventually(lambda: till.push.report.link is Link.FROZEN, "frozen")
        assert (till.push.report.reason, till.push.report.detail) == ("frozen", reason)
        assert [link for link, _ in till.links()][-2:] == ["in_step", "frozen"]


async def test_looking_again_says_nothing_while_all_is_well(tmp_path: Path) -> None:
    async with a_till(tmp_path, Pace(idle=0.001)) as till:
        till.start()
        await eventually(lambda: len(till.central.requests) > 20, "it asked often")
        assert till.links() == [("in_step", "")]
        assert {path for _, path in till.central.requests} == {"/edge/v1/registers/02/cursor"}


@pytest.mark.parametrize(
    ("answer", "reason"), [("sequence-fork", "fork"), ("register-frozen", "frozen"), ("epoch-retired", "epoch"), ("chain-broken", "chain")]
)
async def test_central_that_freezes_the_register_stops_sending_and_not_selling(till: Till, answer: str, reason: str) -> None:
    async def refuse(request: httpx.Request) -> httpx.Response:
        return problem(409, answer)

    till.central.routes["/edge/v1/events"] = refuse
    await till.sell(1)
    till.start()
    await eventually(lambda: till.push.report.link is Link.FROZEN, "frozen")
    assert till.push.report.reason == reason
    sent = len(till.central.requests)
    await till.sell(5)
    await asyncio.sleep(0.05)
    assert len(till.central.requests) == sent
    till.central.routes.clear()
    till.push.retry_now()
    await till.in_step("somebody looked and central takes facts again")
    till.same_as_central()


async def test_waiting_grows_and_never_undercuts_what_central_asks_for() -> None:
    backoff = Backoff(Pace(base=1.0, cap=30.0), HalfRandom())
    assert [backoff.next() for _ in range(7)] == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]
    assert backoff.next(120) == 135.0
    assert backoff.next(10**9) == 3615.0
    backoff.reset()
    assert backoff.next() == 0.5


async def test_a_gap_moves_no_cursor_beyond_what_the_hash_of_centrals_own_cursor_agrees_to(till: Till) -> None:
    """Whatever stands in the way wants the fact after the last: none of those before it was ever taken, and the register never says that it is in step."""

    async def wants_the_next(request: httpx.Request) -> httpx.Response:
        return problem(409, "sequence-gap", stream="trade", expected=5)

    await till.sell(4)
    till.central.routes["/edge/v1/events"] = wants_the_next
    till.start()
    await eventually(lambda: till.push.report.reason == "no_progress", "it is told")
    assert till.push.report.waiting == 4
    assert "in_step" not in [link for link, _ in till.links()]
    till.central.routes.clear()
    till.push.retry_now()
    await till.in_step()
    till.same_as_central()


async def test_a_batch_that_is_not_through_in_time_is_followed_by_a_smaller_one(till: Till) -> None:
    sizes: list[int] = []
    push = till.connector.push

    async def slow_line(facts: Sequence[bytes]) -> PushAnswer:
        sizes.append(len(facts))
        return await push(facts) if len(facts) <= 10 else Unreachable("Central does not come to an end in time.")

    till.connector.push = slow_line  # type: ignore[method-assign]
    await till.sell(40)
    till.start()
    await till.in_step()
    assert sizes[:3] == [40, 20, 10]
    till.same_as_central()
