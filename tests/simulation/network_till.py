"""The register's side of the network proof: the real Journal, Push and HttpConnector in a process of their own.

``python -m tests.simulation.network_till fill FOLDER CODE FACTS AUTHORITY SEED`` enrols and writes facts; ``... push FOLDER AUTHORITY [BUG]``
sends them, a line of JSON for each word that the link says; a number on standard input is so many facts more; ends with standard input.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from edge_agent.clock import ClockIds, SystemClock, SystemRandom
from edge_agent.ports import Commit, FactDraft, LinkReport, StreamStatus
from sync.backoff import Pace
from sync.connectors.contract import Settings
from sync.connectors.http import HttpConnector, HttpEnroller
from sync.contract.example_sales import EXAMPLE_START_MS, cash_sale
from sync.contract.facts import SALE, STARTED, VISIT
from sync.contract.messages import PushAck, RegisterAck, StreamAck
from sync.enrol import enrol
from sync.enrolment import load
from sync.journal import Journal
from sync.keys import Keys
from sync.link import Acknowledged, PushAnswer
from sync.push import Push
from tests.simulation.network_lab import NAME, PORT

URL = f"https://{NAME}:{PORT}"
FACTS_A_COMMIT = 250
PACE = Pace(base=0.05, cap=0.5, idle=1.0)
"""As a register's, but impatient: what is proved is what arrives, not how long it waits."""
BUGS = ("lose_last", "skip_stream")


def context_of(authority: Path) -> ssl.SSLContext:
    """Trusts the lab's authority alone."""
    return ssl.create_default_context(cafile=authority)


async def fill(folder: Path, code: str, count: int, authority: Path, seed: int) -> None:
    """Enrol, and write facts of every stream."""
    clock, random = SystemClock(), SystemRandom()
    keys = Keys(folder, random)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    enroller = HttpEnroller(Settings(URL, "", "", clock, context_of(authority)))
    enrolment = await enrol(URL, code, "lab", keys, enroller)
    new_id = ClockIds(clock, random)
    async with Journal.open(folder, keys.journal_key(), clock=clock, random=random, new_id=new_id) as journal:
        await journal.adopt(enrolment.identity)
        dice, left, receipts = Random(seed), count, 0
        while left:
            facts = []
            for _ in range(min(left, FACTS_A_COMMIT)):
                kind = dice.choices((SALE, VISIT, STARTED), (1, 2, 2))[0]
                receipts += kind == SALE
                facts.append(_fact(kind, receipts, new_id))
            await journal.commit(Commit(new_id(), (), facts))
            left -= len(facts)


def _fact(kind: str, receipts: int, new_id: Any) -> FactDraft:
    common = {
        "retailStoreId": "0001", "workstationId": "02", "businessDayDate": "2026-11-20", "shiftId": "shift-1", "operatorId": "1001", "atMs": EXAMPLE_START_MS,
    }  # fmt: skip
    id = new_id()
    match kind:
        case "retail.sale.completed.v1":
            data = cash_sale(common) | {"transactionId": id, "sequenceNumber": receipts, "receiptCode": f"R-0001-02-{receipts:06d}"}
            return FactDraft("trade", kind, id, id, EXAMPLE_START_MS, data)
        case "retail.visit.recorded.v1":
            return FactDraft("people", kind, id, id, EXAMPLE_START_MS, {**common, "customerId": "c1", "identifiedBy": "loyalty", "saleId": None})
        case _:
            return FactDraft("ops", kind, id, id, EXAMPLE_START_MS, {**common, "bootId": id, "version": "1", "epoch": "1", "cleanStop": True})


class LosesTheLast(HttpConnector):
    """A transport with a planted bug: it says that central has the last batch, and never sent it."""

    def bug(self, journal: Journal) -> LosesTheLast:
        self._journal = journal
        return self

    async def push(self, facts: Sequence[bytes]) -> PushAnswer:
        heads = {status.stream: status.head for status in self._journal.streams()}
        last = {json.loads(wire)["stream"]: int(json.loads(wire)["sequence"]) for wire in facts}
        if all(heads[stream] == number for stream, number in last.items()):
            identity = self._journal.identity
            acks = {stream: StreamAck(next=number + 1, accepted=len(facts), duplicates=0) for stream, number in last.items()}
            return Acknowledged(PushAck(registers={identity.source: RegisterAck(epoch=identity.epoch, streams=acks)}), None)
        return await super().push(facts)


class SkipsAStream:
    """A push with a planted bug: one stream's end is never looked at."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def streams(self) -> Sequence[StreamStatus]:
        return [StreamStatus("ops", one.acknowledged, one.acknowledged) if one.stream == "ops" else one for one in self._journal.streams()]


async def push(folder: Path, authority: Path, bug: str) -> None:
    """Send until standard input ends."""
    clock, random = SystemClock(), SystemRandom()
    enrolment = load(folder)
    assert enrolment is not None
    who = enrolment.register
    settings = Settings(enrolment.url, who.token, who.register, clock, context_of(authority))
    async with Journal.open(folder, Keys(folder, random).journal_key(), clock=clock, random=random, new_id=ClockIds(clock, random)) as journal:
        connector = LosesTheLast(settings).bug(journal) if bug == "lose_last" else HttpConnector(settings)
        outbox: Any = SkipsAStream(journal) if bug == "skip_stream" else journal
        new_id, pusher = ClockIds(clock, random), Push(outbox, connector, clock, random, _told, PACE)
        sending = asyncio.get_running_loop().create_task(pusher.run())
        try:
            while count := await asyncio.to_thread(sys.stdin.readline):
                await journal.commit(Commit(new_id(), (), [_fact(VISIT, 0, new_id) for _ in range(int(count))]))
                pusher.wake()
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            await connector.aclose()


def _told(report: LinkReport) -> None:
    words = {"link": report.link.value, "reason": report.reason, "detail": report.detail, "hint": report.hint, "waiting": report.waiting}
    print(json.dumps(words), flush=True)


def main(words: Sequence[str]) -> None:
    match list(words):
        case ["fill", folder, code, count, authority, seed]:
            asyncio.run(fill(Path(folder), code, int(count), Path(authority), int(seed)))
        case ["push", folder, authority, *bug]:
            asyncio.run(push(Path(folder), Path(authority), bug[0] if bug else ""))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
