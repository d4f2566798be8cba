"""What the push promises, over HTTP, against a central whose network loses, doubles and falsifies."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from edge_agent.domain.customer import Identifier, IdentifierKind
from edge_agent.domain.errors import CentralRefused
from edge_agent.ports import Link
from sync.backoff import Pace
from tests.support_central import eventually, html, problem
from tests.support_push import Till, a_till, somebody_freezes_it


@pytest.fixture
async def till(tmp_path: Path) -> AsyncIterator[Till]:
    async with a_till(tmp_path) as made:
        yield made


async def test_facts_reach_central_byte_for_byte_in_one_compressed_batch_of_all_streams(till: Till) -> None:
    await till.sell(30)
    await till.sell(2, "people")
    await till.sell(1, "ops")
    till.start()
    await till.in_step()
    till.same_as_central()
    assert [len(batch) for batch in till.central.batches] == [33]
    assert till.central.seen_encodings == ["zstd"]
    assert till.links()[-1] == ("in_step", "")
    assert till.push.report.waiting == 0
    await till.sell(1)
    await till.in_step()
    assert [len(batch) for batch in till.central.batches] == [33, 1]
    assert till.push.report.clock_offset_ms is not None


async def test_a_thousand_facts_go_in_batches_within_the_limits(till: Till) -> None:
    await asyncio.gather(*(till.sell(1) for _ in range(1_200)))
    await till.sell(6, filler="x" * 200_000)
    till.start()
    await till.in_step()
    till.same_as_central()
    sizes = [len(batch) for batch in till.central.batches]
    assert max(sizes) <= 500
    assert sum(sizes) == 1_206
    assert len(sizes) >= 4


@pytest.mark.parametrize("fault", ["lose", "lose_answer", "double", "html", "redirect", "busy", "unauthorised", "forbidden", "error"])
async def test_whatever_the_network_does_each_fact_arrives_once_in_order(till: Till, fault: str) -> None:
    await till.sell(5)
    till.central.facts_max = 500
    till.central.faults.extend(["", fault, fault])  # the first request asks for the cursor
    till.start()
    await till.in_step()
    await till.sell(5)
    await till.in_step()
    till.same_as_central()
    assert till.central.stream("trade").next == 11


async def test_a_bad_day_of_everything_at_once_loses_and_doubles_nothing(till: Till) -> None:
    chance = iter(hashlib.sha512(b"a bad day").digest() * 40)
    kinds = ["lose", "lose_answer", "double", "html", "redirect", "busy", "unauthorised", "error", "", ""]
    till.central.faults.extend(kinds[next(chance) % len(kinds)] for _ in range(300))
    till.start()
    for _ in range(60):
        await till.sell(3)
        await till.sell(1, "people")
        await asyncio.sleep(0)
    till.central.faults.clear()
    till.push.retry_now()
    await till.in_step()
    till.same_as_central()
    assert len(till.central.ids("trade")) == len(set(till.central.ids("trade"))) == 180
    assert len(till.central.ids("people")) == 60


async def test_down_is_told_once_and_up_is_told_once(till: Till) -> None:
    await till.sell(1)
    till.central.faults.extend(["lose"] * 8)
    till.start()
    await till.in_step()
    assert till.links() == [("offline", "unreachable"), ("sending", ""), ("in_step", "")]
    down = till.reports[0]
    assert (down.waiting, bool(down.detail), bool(down.hint)) == (1, True, True)


@pytest.mark.parametrize("fault", ["lose", "frozen"])
async def test_what_waits_is_counted_with_every_sale_and_not_only_with_every_try(tmp_path: Path, fault: str) -> None:
    async with a_till(tmp_path, Pace(base=600.0, cap=600.0, idle=600.0, frozen=600.0)) as till:
        if fault == "frozen":
            somebody_freezes_it(till)
        else:
            till.central.faults.extend(["lose"] * 1000)
        till.start()
        await eventually(lambda: till.push.report.link is (Link.FROZEN if fault == "frozen" else Link.OFFLINE) and len(till.reports) > 0, "central is away")
        for sold in (1, 2, 3):
            await till.sell(1)
            await eventually(lambda sold=sold: till.reports[-1].waiting == sold, f"{sold} are told to wait")


async def test_another_cause_is_told_although_central_is_away_already(till: Till) -> None:
    await till.sell(1)
    till.central.faults.extend(["html"] * 2 + ["lose"] * 1000)
    till.start()
    await eventually(lambda: "cannot be reached" in till.push.report.detail, "the second cause is found")
    await eventually(lambda: "cannot be reached" in till.reports[-1].detail, "the second cause is told")
    assert "captive portal" in till.reports[0].detail
    assert till.links() == [("offline", "unreachable")]


async def test_a_doubt_while_nothing_waits_is_looked_into_and_told(till: Till) -> None:
    till.start()
    await till.in_step()
    asked = len(till.central.requests)
    till.push.doubt()
    await eventually(lambda: len(till.central.requests) > asked, "central is asked")
    await till.in_step()
    till.central.faults.extend(["lose"] * 3)
    till.push.doubt()
    await eventually(lambda: ("offline", "unreachable") in till.links(), "that central is gone is told although there is nothing to send")
    await till.in_step()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("html", "unreachable"),
        ("redirect", "unreachable"),
        ("unauthorised", "refused_401"),
        ("forbidden", "refused_403"),
        ("busy", "busy"),
        ("error", "unreachable"),
    ],
)
async def test_what_is_wrong_is_said_and_facts_keep_waiting(till: Till, fault: str, reason: str) -> None:
    await till.sell(2)
    till.central.faults.extend([fault] * 1000)
    till.start()
    await eventually(lambda: till.push.report.reason == reason, reason)
    await till.sell(1)
    await eventually(lambda: till.push.report.waiting == 3, "the count of waiting facts is told")
    assert till.push.report.link is Link.OFFLINE
    assert till.push.report.hint
    assert till.central.stream("trade").next == 1


@pytest.mark.parametrize(
    ("status", "kind", "does"),
    [
        (404, "", "check the address and central's version"),
        (404, "not-found", "check the address and central's version"),
        (405, "", "check the address and central's version"),
        (410, "", "check the address and central's version"),
        (400, "", "platform's operator"),
        (409, "something-new", "platform's operator"),
        (401, "", "Enrol this register again"),
        (403, "forbidden", "Enrol this register again"),
    ],
)
@pytest.mark.parametrize(("asked", "path"), [("/edge/v1/registers/", "GET /edge/v1/registers/.../cursor"), ("/edge/v1/events", "POST /edge/v1/events")])
async def test_a_refusal_names_the_path_that_was_asked_for_and_what_to_do(till: Till, status: int, kind: str, does: str, asked: str, path: str) -> None:
    async def refuse(_: httpx.Request) -> httpx.Response:
        return problem(status, kind) if kind else html(status)

    await till.sell(1)
    till.central.routes[asked] = refuse
    till.start()
    await eventually(lambda: till.push.report.link is Link.OFFLINE and till.push.report.reason != "starting", "it is told")
    assert till.push.report.reason == f"refused_{status}"
    own_words = kind == "forbidden"
    assert till.push.report.detail.startswith("forbidden: " if own_words else f"{path}: {status}, ")
    assert does in till.push.report.hint
    assert ("Enrol" in till.push.report.hint) == (status in (401, 403))


@pytest.mark.parametrize("status", [407, 408])
async def test_a_refusal_of_somebody_on_the_way_is_the_network_and_names_the_path_too(till: Till, status: int) -> None:
    async def refuse(_: httpx.Request) -> httpx.Response:
        return html(status)

    till.central.routes["/edge/v1/registers/"] = refuse
    till.start()
    await eventually(lambda: till.push.report.reason == "unreachable", "it is told")
    assert till.push.report.detail == f"GET /edge/v1/registers/.../cursor: {status}, an answer that is not central's own."


async def test_a_refusal_names_no_customer(till: Till) -> None:
    async def refuse(_: httpx.Request) -> httpx.Response:
        return problem(400, "invalid")

    till.central.routes["/edge/v1/"] = refuse
    asked: list[Callable[[], Awaitable[object]]] = [
        lambda: till.connector.cart_of("Maria-17"), lambda: till.connector.cart("Maria-17"), lambda: till.connector.claim("Maria-17", 1, "key-12345"),
        lambda: till.connector.identify(Identifier(IdentifierKind.EMAIL, "maria@example.org")),
    ]  # fmt: skip
    for ask in asked:
        with pytest.raises(CentralRefused) as told:
            await ask()
        assert "aria" not in told.value.message
        assert "/edge/v1/c" in told.value.message


async def test_a_portal_that_swallows_batches_is_not_an_acknowledgement(till: Till) -> None:
    async def portal(request: httpx.Request) -> httpx.Response:
        others = {"registers": {"/t/acme/s/0001/r/03": {"epoch": "1", "streams": {"trade": {"next": 3, "accepted": 2, "duplicates": 0, "quarantined": []}}}}}
        return answers.pop(0) if answers else httpx.Response(200, json=others)

    answers = [httpx.Response(200, json={"ok": True}), html(), httpx.Response(200, json={"registers": {}}), httpx.Response(204)]
    await till.sell(2)
    till.central.routes["/edge/v1/events"] = portal
    till.start()
    await eventually(lambda: till.central.requests.count(("POST", "/edge/v1/events")) > 6, "it was tried often")
    assert till.journal.streams()[0].acknowledged == 0
    assert till.push.report.link is Link.OFFLINE
    till.central.routes.clear()
    await till.in_step()
    till.same_as_central()


async def test_an_encoding_that_central_does_not_know_is_not_tried_again(till: Till) -> None:
    till.central.encodings = ("gzip",)
    await till.sell(1)
    till.start()
    await till.in_step()
    await till.sell(1)
    await till.in_step()
    assert till.central.seen_encodings == ["zstd", "gzip", "gzip"]
    till.central.encodings = ("identity",)
    await till.sell(1)
    await till.in_step()
    assert till.central.seen_encodings[3:] == ["gzip", "identity"]
