"""Every book beside every other after many kills: journal, central, terminal, paper, and what the seller saw acknowledged."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import sqlcipher3

from drivers.simulators._card_ledger import read_ledger
from edge_agent.demo.ledgers import SALE, exported_facts, ledger_of
from edge_agent.demo.paper import Paper
from sync.contract.envelope import FIRST_PREVHASH
from tests.simulation.kill_rig import Counter
from tests.simulation.kill_seller import Seller

ARRIVED_SECONDS_MAX = 90.0
Streams = Mapping[str, list[bytes]]


def streams_of(wires: Sequence[bytes]) -> Streams:
    """Facts by stream, in the order given."""
    found: dict[str, list[bytes]] = {}
    for wire in wires:
        found.setdefault(json.loads(wire)["stream"], []).append(wire)
    return found


def central_facts(folder: Path) -> Streams:
    """Every fact that central stored, byte for byte, by stream in the order of their numbers."""
    db = sqlcipher3.connect(folder / "central.db")
    try:
        rows = db.execute("SELECT f.wire FROM fact f JOIN chain c ON c.id = f.chain ORDER BY c.stream, f.number").fetchall()
    finally:
        db.close()
    return streams_of([bytes(wire) for (wire,) in rows])


def chain_problems(streams: Streams) -> list[str]:
    """Numbers from 1 on without a gap, each fact linked to the one before; reckoned here, with nobody else's code."""
    wrong = []
    for stream, wires in streams.items():
        link = FIRST_PREVHASH
        for number, wire in enumerate(wires, 1):
            fact = json.loads(wire)
            if int(fact["sequence"]) != number or fact["prevhash"] != link:
                wrong.append(f"stream {stream}: fact {number} has number {fact['sequence']}, linked {'well' if fact['prevhash'] == link else 'wrongly'}")
                break
            link = hashlib.sha256(wire).hexdigest()
    return wrong


def differences(mine: Streams, theirs: Streams) -> list[str]:
    """Where central's facts are not this register's, byte for byte and in order."""
    wrong = []
    for stream in sorted({*mine, *theirs}):
        here, there = mine.get(stream, []), theirs.get(stream, [])
        if here != there:
            at = next((at for at, pair in enumerate(zip(here, there, strict=False)) if pair[0] != pair[1]), min(len(here), len(there)))
            wrong.append(f"stream {stream}: {len(here)} facts here, {len(there)} at central, different from number {at + 1} on")
    return wrong


async def audit(counter: Counter, seller: Seller, paper: Paper) -> list[str]:
    """What is wrong. The counter is empty, nothing is parked, and the service runs."""
    client, loop = counter.client, asyncio.get_running_loop()
    deadline = loop.time() + ARRIVED_SECONDS_MAX
    while any(stream.waiting for stream in (await client.status()).streams):
        if loop.time() > deadline:
            return [f"facts still wait after {ARRIVED_SECONDS_MAX:g} s: {counter.screen.now.link}"]
        await asyncio.sleep(0.02)
    export = b"".join([piece async for piece in client.journal_export()])
    facts = exported_facts(export)
    wires = streams_of([line for line in export.splitlines() if line.startswith(b'{"specversion"')])
    central_name = next(counter.folder.joinpath("central").glob("*.db"))
    assert central_name.name == "central.db", central_name
    wrong = [f"here: {text}" for text in chain_problems(wires)]
    wrong += differences(wires, await asyncio.to_thread(central_facts, counter.folder / "central"))
    reconciliation = await asyncio.to_thread(counter.operations.reconciliation)
    wrong += [] if reconciliation["ok"] else ["central says that its books are not what its facts say"]
    wrong += [f"journal: {problem}" for problem in (await client.verification()).problems]
    sales = [fact["data"] for fact in facts if fact["type"] == SALE]
    numbers = [int(data["receiptCode"].rpartition("-")[2]) for data in sales]
    wrong += [] if numbers == list(range(1, len(numbers) + 1)) else [f"receipts are not gapless: {numbers}"]
    totals = {data["transactionId"]: data["totals"]["totalMinor"] for data in sales}
    for sale in sorted({*totals, *seller.sold}):
        if totals.get(sale) != seller.sold.get(sale):
            wrong.append(f"sale {sale}: {seller.sold.get(sale)} was sold, {totals.get(sale)} is in the journal")
    wrong += _money(counter, ledger_of(facts).cards or {})
    return wrong + await _paper(counter, seller, paper, {data["receiptCode"]: data["transactionId"] for data in sales})


def _money(counter: Counter, cards: Mapping[str, int]) -> list[str]:
    """No charge that is in no sale, no card in a sale that was not charged so."""
    charges = {entry.ref: entry.charged_minor for entry in read_ledger(counter.world.terminal.ledger_path) if entry.charged_minor}
    refs = sorted({*charges, *cards})
    return [f"charge {ref}: terminal {charges.get(ref)}, books {cards.get(ref)}" for ref in refs if charges.get(ref) != cards.get(ref)]


async def _paper(counter: Counter, seller: Seller, paper: Paper, receipts: Mapping[str, str]) -> list[str]:
    """Every completed sale has one original, or the list does not say that it was printed."""
    await asyncio.to_thread(counter.world.printer.wait_for, lambda: False, 0.1)
    paper.look()
    wrong = [f"{paper.strange} pieces of paper are no receipt"] if paper.strange else []
    for code, sale in receipts.items():
        originals = paper.originals[code]
        if originals > 1:
            wrong.append(f"receipt {code} came out of the printer {originals} times")
        elif not originals:
            seller.unprinted.add(code)
            state = (await counter.client.sale(sale)).sale.print_state
            if state == "printed" or code in seller.seen_printed:
                wrong.append(f"receipt {code} is said to be printed, and is not on paper")
    return wrong + [f"receipt {code} is on paper and no sale" for code in paper.originals if code not in receipts]
