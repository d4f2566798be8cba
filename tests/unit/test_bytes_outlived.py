"""Push and pull outlive whatever is said to them, and lose no fact."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.ports import LinkReport
from sync.connectors.contract import Settings
from sync.connectors.http import HttpConnector
from sync.identity import Identity
from sync.pull import Pull
from sync.push import Push
from sync.replica import Replica
from tests.support_bytes import (
    ACK,
    CURSOR,
    HTTP_JSON,
    HTTP_PROBLEM,
    HTTP_ROWS,
    MANIFEST,
    QUICK,
    ROWS,
    Raw,
    answers,
    bodies,
    pages,
)
from tests.support_journal import KEY, a_commit, open_journal
from tests.support_replica import FixedClock, as_page, put

ANNOUNCED = json.dumps(MANIFEST)


class Central:
    """A network that answers each question by the end of its path, in turn; knows when all that was drawn was said."""

    def __init__(self, drawn: dict[str, list[Raw]]) -> None:
        self._drawn = {path: itertools.cycle(given_answers) for path, given_answers in drawn.items()}
        self._left = 3 * sum(map(len, drawn.values()))
        self.done = asyncio.Event()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self._left -= 1
        if self._left <= 0:
            self.done.set()
        await asyncio.sleep(0)
        return next(next(turn for path, turn in self._drawn.items() if request.url.path.endswith(path) or not path)).response()

    def connector(self) -> HttpConnector:
        return HttpConnector(Settings("https://central.example", "token", "02", FixedClock(), transport=httpx.MockTransport(self)))


async def outlives(running: Coroutine[object, object, None], central: Central) -> None:
    """The task is still running when everything was said to it."""
    task = asyncio.create_task(running)
    said = asyncio.create_task(central.done.wait())
    ended, _ = await asyncio.wait({task, said}, timeout=20, return_when=asyncio.FIRST_COMPLETED)
    for one in (task, said):
        one.cancel()
    failed = (await asyncio.gather(task, return_exceptions=True))[0]
    assert isinstance(failed, asyncio.CancelledError), failed
    assert said in ended


def without_waiting(drawn: Raw) -> Raw:
    """The answer without its wish to be asked later."""
    return Raw(drawn.status, [pair for pair in drawn.headers if pair[0] != b"retry-after"], drawn.content)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(answers(bodies(MANIFEST)), min_size=2, max_size=4),
    st.lists(answers(st.binary(max_size=60), b"application/zstd"), min_size=1, max_size=2),
    st.data(),
)
@example([Raw(200, [(b"content-type", HTTP_JSON)], ANNOUNCED.replace("ab" * 32, "\\u0000").encode())], [Raw(200, [], b"x")], None)
@example([Raw(200, [(b"content-type", HTTP_JSON)], ANNOUNCED.replace("ab" * 32, "/../../x").encode())], [Raw(200, [], b"x")], None)
def test_the_pull_outlives_whatever_is_said_to_it(manifests: list[Raw], files: list[Raw], data: Any) -> None:
    drawn = {"/snapshots/catalogue": manifests, "/file": files, "/snapshots/prices": [Raw(404, [(b"content-type", HTTP_PROBLEM)], b"")]}
    for feed in ("prices", "customers", "carts"):
        whole = Raw(200, [(b"content-type", HTTP_ROWS), (b"etag", b'"\xe9"')], as_page([put(*ROWS[feed])], "at-1"))
        told = [] if data is None else data.draw(st.lists(answers(pages(feed), HTTP_ROWS), max_size=4), label=feed)
        drawn[f"/feeds/{feed}"] = [whole, *told]
    drawn[""] = [Raw(500, [], b"")]

    async def pull(folder: Path) -> None:
        central = Central({path: [without_waiting(one) for one in given_answers] for path, given_answers in drawn.items()})
        replica, connector = Replica(folder, KEY, FixedClock()), central.connector()
        try:
            running = Pull(connector, replica, ("catalogue", "prices", "customers", "carts"), folder, FixedClock(), SystemRandom(), pace=QUICK).run()
            await outlives(running, central)
            assert {path.name.split("-")[0] for path in folder.iterdir()} <= {"catalogue", "catalogue.current", "people.db"}
        finally:
            await connector.aclose()
            replica.close()

    with TemporaryDirectory() as folder:
        (Path(folder) / "state").mkdir()
        asyncio.run(pull(Path(folder) / "state"))
        assert [path.name for path in Path(folder).iterdir()] == ["state"]


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_the_push_outlives_whatever_is_said_to_it_and_no_fact_is_dropped_unacknowledged(data: Any) -> None:
    identity = Identity("/t/acme/s/0001/r/02", "e1")
    cursors = data.draw(st.lists(answers(bodies(CURSOR)), max_size=2), label="cursors")
    acks = data.draw(st.lists(answers(bodies(ACK)), min_size=2, max_size=6), label="acknowledgements")

    async def push(folder: Path) -> None:
        journal = open_journal(folder, ballast_bytes=4_096)
        await journal.adopt(identity)
        for _ in range(3):
            await journal.commit(a_commit(facts=1))
        good = Raw(200, [(b"content-type", HTTP_JSON)], json.dumps({"source": identity.source, "epoch": "e1", "streams": {}, "frozen": ""}).encode())
        central = Central({"/cursor": [good, *map(without_waiting, cursors)], "/events": [without_waiting(one) for one in acks]})
        connector, told = central.connector(), list[LinkReport]()
        try:
            await outlives(Push(journal, connector, SystemClock(), SystemRandom(), told.append, QUICK).run(), central)
            assert all(status.acknowledged <= status.head for status in journal.streams())
            assert journal.verify().problems == ()
        finally:
            await connector.aclose()
            await journal.close()

    with TemporaryDirectory() as folder:
        asyncio.run(push(Path(folder)))
