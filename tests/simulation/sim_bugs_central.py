"""Bugs to plant into the way to central, and into central."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from msgspec.structs import replace

from sync.central import ledger
from sync.journal import Journal
from sync.journal_facts import CENTRAL
from sync.push import Push
from tests.simulation.sim_planting import planted


@planted
def makes_a_new_id_for_every_sending() -> None:
    whole = Journal.facts_after
    made = [0]

    def facts_after(self: Journal, *asked: Any) -> Any:
        if asked[3] > 10**8:  # the auditor's own question
            return whole(self, *asked)
        found = []
        for number, wire in whole(self, *asked):
            made[0] += 1
            found.append((number, wire.replace(b'"id":"', b'"id":"%d-' % made[0], 1)))
        return found

    Journal.facts_after = facts_after  # type: ignore[method-assign]


@planted
def gives_up_after_one_failure() -> None:
    whole = Push._turn

    async def turn(self: Push) -> float:
        seconds = await whole(self)
        return 10**9 if seconds > 0 else seconds

    Push._turn = turn  # type: ignore[method-assign]


@planted
def sends_the_newest_first() -> None:
    whole = Push._next_batch

    def next_batch(self: Push) -> Any:
        batch = whole(self)
        return replace(batch, wires=tuple(reversed(batch.wires)))

    Push._next_batch = next_batch  # type: ignore[method-assign]


@planted
def cursor_before_send() -> None:
    """The journal is told that central has the facts before they are on their way."""
    whole = Push._turn

    async def turn(self: Push) -> float:
        sends = self._uplink.push

        async def push(wires: Any) -> Any:
            sent = [json.loads(wire) for wire in wires]
            await self._outbox.acknowledge(CENTRAL, {fact["stream"]: int(fact["sequence"]) + 1 for fact in sent})
            return await sends(wires)

        self._uplink.push = push  # type: ignore[method-assign]
        try:
            return await whole(self)
        finally:
            self._uplink.push = sends  # type: ignore[method-assign]

    Push._turn = turn  # type: ignore[method-assign]


@planted
def takes_one_streams_acknowledgement_for_all() -> None:
    whole = Journal.acknowledge

    async def acknowledge(self: Journal, destination: str, next: dict[str, int]) -> None:
        await whole(self, destination, {status.stream: min(max(next.values()), status.head + 1) for status in self.streams()})

    Journal.acknowledge = acknowledge  # type: ignore[method-assign]


# --- central ---


@planted
def central_acknowledges_what_it_did_not_keep() -> None:
    whole = ledger._store
    seen = [0]

    def store(transaction: Any, who: Any, chain: Any, facts: Any) -> Any:
        ack = whole(transaction, who, chain, facts)
        seen[0] += 1
        if seen[0] % 11 == 0 and ack.accepted:
            transaction.db.execute("DELETE FROM fact WHERE chain = ? AND number = ?", (chain.id, ack.next - 1))
        return ack

    ledger._store = store


@planted
def central_keeps_what_comes_twice() -> None:
    """A repeated batch is stored as if it were new."""
    whole = ledger._store

    def store(transaction: Any, who: Any, chain: Any, facts: Any) -> Any:
        if facts[0].number < chain.next:
            wire = msgspec.json.encode(msgspec.json.decode(facts[0].wire) | {"id": f"again-{chain.next}"})
            row = (chain.id, chain.next, facts[0].type, f"again-{chain.next}", transaction.now_ms, facts[0].hash, wire)
            transaction.db.execute("INSERT INTO fact (chain, number, type, id, received_ms, hash, wire) VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        return whole(transaction, who, chain, facts)

    ledger._store = store
