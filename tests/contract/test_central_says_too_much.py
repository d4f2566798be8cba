"""However much central says, what is kept, logged and shown of it has a limit; and saying the same in other words is not news."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import structlog

from edge_agent.domain.customer import Identifier, IdentifierKind
from edge_agent.domain.errors import CentralError, ContractBroken, EdgeError
from edge_agent.link_log import FeedLog, LinkLog
from edge_agent.ports import Link
from sync.connectors.contract import Settings
from sync.connectors.http import HttpConnector, HttpEnroller
from sync.contract.messages import QUARANTINED_BYTES_MAX, TOLD_CHARACTERS_MAX, EnrolRequest, Problem, SnapshotManifest, StreamAck
from sync.link import Page, Refused
from tests.support_central import SOURCE, FakeCentral, eventually, problem
from tests.support_pull import Reading
from tests.support_push import a_till
from tests.support_replica import FixedClock

HUGE = 900_000
SHOWN_MAX = 2 * TOLD_CHARACTERS_MAX + 200
"""A title, a detail, and what the register says around them."""
WIDEST = "\U0001f984"  # four bytes


def always(answer: httpx.Response) -> Callable[[httpx.Request], Awaitable[httpx.Response]]:
    async def say(_: httpx.Request) -> httpx.Response:
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    return say


def connector(answer: httpx.Response) -> HttpConnector:
    central = FakeCentral()
    central.routes["/"] = always(answer)
    return central.connector()


def problem_without_end(status: int, kind: str, **members: Any) -> httpx.Response:
    return problem(status, kind, **({"title": "t" * HUGE, "detail": "d" * 1_000} | members))


@pytest.mark.parametrize(
    ("status", "kind"), [(403, "forbidden"), (422, "envelope-invalid"), (413, "too-large"), (409, "register-frozen"), (500, "x"), (400, "x")]
)
async def test_whatever_central_answers_a_batch_with_is_told_in_short(status: int, kind: str) -> None:
    for huge in ({"title": "t" * HUGE}, {"detail": "d" * HUGE}, {"title": "", "detail": "d" * HUGE}):
        http = connector(problem(status, kind, **huge))
        answer = msgspec.structs.asdict(await http.push([b"{}"]))  # type: ignore[type-var]  # each answer is a Struct
        await http.aclose()
        assert len(answer["detail"]) <= SHOWN_MAX
        assert "…" in answer["detail"] or "title" in huge


async def test_a_detail_of_nearly_a_megabyte_is_one_short_word_in_report_and_log(tmp_path: Path) -> None:
    log = LinkLog()
    numbers = count()

    async def refuse(_: httpx.Request) -> httpx.Response:
        return problem(403, "forbidden", detail=f"{next(numbers)} " + "d" * HUGE)

    async with a_till(tmp_path) as till:
        till.central.routes["/"] = refuse
        till.start()
        await eventually(lambda: len(till.reports) > 5, "it is tried again")
        with structlog.testing.capture_logs() as lines:
            for report in till.reports:
                log.told(report)
        assert all(len(report.detail) <= SHOWN_MAX for report in till.reports)
        assert till.push.report.detail.endswith("…")
        assert len(lines) == 1


async def test_the_reason_of_a_freezing_and_a_strangers_source_are_told_in_short(tmp_path: Path) -> None:
    for other in ({"frozen": "f" * HUGE}, {"source": "s" * HUGE}, {"epoch": "9" * HUGE}):
        cursor = {"source": SOURCE, "epoch": "1", "streams": {}, "frozen": ""} | other
        async with a_till(tmp_path / next(iter(other))) as till:
            till.central.routes["/edge/v1/registers"] = always(httpx.Response(200, json=cursor))
            till.start()
            await eventually(lambda till=till: till.push.report.link is Link.FROZEN, "frozen")
            assert len(till.push.report.detail) <= SHOWN_MAX


async def test_what_is_kept_of_a_problem_in_quarantine_has_a_limit_in_bytes(tmp_path: Path) -> None:
    said = {"type": f"urn:edge:problem:{WIDEST * 50_000}", "title": WIDEST * 50_000, "status": 422, "detail": '"' + WIDEST * 50_000, "stream": "x" * 10_000}
    told = {"next": 2, "accepted": 1, "duplicates": 0, "quarantined": [{"sequence": 1, "problem": said | {"heldBy": "y" * 10_000}}]}
    async with a_till(tmp_path) as till:
        await till.sell(1)
        acks = {"registers": {SOURCE: {"epoch": "1", "streams": {"trade": told}}}}
        till.central.routes["/edge/v1/events"] = always(httpx.Response(200, json=acks))
        till.start()
        await eventually(lambda: till.push.report.quarantined == 1, "it is mirrored")
        (aside,) = till.journal.quarantined()
    assert len(aside.problem.encode()) <= QUARANTINED_BYTES_MAX
    assert (json.loads(aside.problem)["status"], json.loads(aside.problem)["title"][-1]) == (422, "…")


@pytest.mark.parametrize("letter", ["x", '"', "\\", WIDEST, "\u00e9", "\n"])
def test_no_text_makes_a_kept_problem_longer_than_its_limit(letter: str) -> None:
    text = letter * 10_000
    kept = Problem(text, text, 10**18, text, 10**18, text, 10**18, 10**18, text, 10**18).kept()
    assert len(kept.encode()) <= QUARANTINED_BYTES_MAX
    assert msgspec.json.decode(kept, type=Problem).status == 10**18


def test_a_short_problem_is_kept_as_it_was_said() -> None:
    ack = msgspec.json.decode(
        b'{"next":2,"accepted":1,"duplicates":0,"quarantined":[{"sequence":1,"problem":{"type":"t","title":"Sum","status":422,"detail":"1 is not 2."}}]}',
        type=StreamAck,
    )
    assert json.loads(ack.quarantined[0].problem.kept()) == {"type": "t", "title": "Sum", "status": 422, "detail": "1 is not 2."}


async def test_people_and_carts_are_refused_in_short() -> None:
    http = connector(problem_without_end(403, "forbidden"))
    lease = {"cart": "c1", "version": 4, "token": "t" * HUGE, "untilMs": 99}
    with pytest.raises(CentralError) as told:
        await http.identify(Identifier(IdentifierKind.LOYALTY, "LOY1"))
    assert len(told.value.message) <= SHOWN_MAX
    await http.aclose()
    http = connector(problem(409, "cart-held", heldBy="h" * HUGE))
    with pytest.raises(CentralError) as held:
        await http.claim("c1", 4, "key-12345")
    assert len(held.value.args_shown["held_by"]) <= TOLD_CHARACTERS_MAX
    await http.aclose()
    http = connector(httpx.Response(200, json=lease))
    with pytest.raises(ContractBroken):  # no sale's fact could carry it
        await http.claim("c1", 4, "key-12345")
    await http.aclose()


@pytest.mark.parametrize("answer", [problem_without_end(403, "enrolment-code-invalid"), httpx.Response(200, json={"market": {"taxRounding": "x" * HUGE}})])
async def test_an_enrolment_is_refused_in_short(answer: httpx.Response) -> None:
    transport = httpx.MockTransport(lambda _: answer)
    enroller = HttpEnroller(Settings("https://central.example", "", "", FixedClock(), transport=transport))
    with pytest.raises(EdgeError) as told:
        await enroller.enrol(EnrolRequest("CODE-1", "k" * 43, "p" * 86))
    assert len(told.value.message) <= SHOWN_MAX


async def test_a_pages_tag_that_is_too_long_to_keep_is_left_out(tmp_path: Path) -> None:
    http = connector(httpx.Response(200, headers={"content-type": "application/x-ndjson", "etag": f'"{"e" * 5_000}"'}, content=b""))
    page = await http.page("prices", "at-1")
    await http.aclose()
    assert isinstance(page, Page)
    assert page.etag == ""


async def test_the_path_of_a_snapshot_is_told_in_short(tmp_path: Path) -> None:
    http = connector(problem(400, "invalid"))
    manifest = SnapshotManifest("prices", 1, "c", "0" * 64, 9, 1, 1, "/a" * 20_000)
    answer = await http.fetch(manifest, tmp_path / "part")
    await http.aclose()
    assert isinstance(answer, Refused)
    assert len(answer.detail) <= SHOWN_MAX


@pytest.mark.parametrize("feed", ["staff", "prices"])
async def test_a_feed_that_waits_says_why_in_short_and_is_logged_once_however_often_the_words_change(tmp_path: Path, feed: str) -> None:
    numbers = count()

    async def refuse(_: httpx.Request) -> httpx.Response:
        return problem(403, "forbidden", detail=f"Try {next(numbers)}. " + "d" * HUGE)

    reading = Reading(tmp_path, (feed,))
    reading.central.routes["/edge/v1/feeds/"] = reading.central.routes["/edge/v1/snapshots/"] = refuse
    async with reading.running():
        await eventually(lambda: sum(report.phase == "waiting" for report in reading.reports) > 5, "it is tried again")
    await reading.close()
    log = FeedLog()
    with structlog.testing.capture_logs() as lines:
        for report in reading.reports:
            log.told(report.feed, report.phase, report.problem, report.refused, report.refusal, reason=report.reason)
    assert len({report.problem for report in reading.reports if report.phase == "waiting"}) > 3
    assert all(len(report.problem) <= TOLD_CHARACTERS_MAX for report in reading.reports)
    assert [line["event"] for line in lines] == ["feed waits"]


async def test_a_line_of_a_feed_that_is_none_is_told_in_short(tmp_path: Path) -> None:
    body = json.dumps({"op": "x" * HUGE, "key": "k"}).encode() + b'\n{"op":"end","cursor":"c","more":false,"count":1,"asOfMs":1}\n'
    reading = Reading(tmp_path, ("staff",))
    reading.central.routes["/edge/v1/feeds/"] = always(httpx.Response(200, headers={"content-type": "application/x-ndjson"}, content=body))
    async with reading.running():
        await eventually(lambda: any(report.problem for report in reading.reports), "it is told")
    await reading.close()
    assert all(len(report.problem) <= TOLD_CHARACTERS_MAX for report in reading.reports)
