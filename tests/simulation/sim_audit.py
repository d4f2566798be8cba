"""Compares everything with everything when a simulated day is over: what the associate was told, the journal, the terminal's list, central's books."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from edge_agent.domain.register import Register
from edge_agent.domain.tender import MONEY_MOVED, AttemptKind, AttemptState, TenderKind
from edge_agent.service.codec import read_sale
from sync.contract.envelope import STREAMS
from sync.journal import Journal
from tests.simulation.sim_central import SimCentral
from tests.simulation.sim_pc import SimPC
from tests.simulation.sim_terminal import SimTerminal
from tests.simulation.sim_world import World

if TYPE_CHECKING:
    from tests.simulation.sim_associate import Told

EVERYTHING = 10**9


def audit(world: World, pc: SimPC, central: SimCentral, terminal: SimTerminal, told: Told) -> dict[str, Any]:
    """Every violation in words, and what was counted."""
    found = list(told.violations)
    journal = pc.journal
    assert journal is not None
    assert central.central is not None
    found += [f"journal: {problem}" for problem in journal.verify().problems]
    sales = [read_sale(row) for row in journal.sales("", EVERYTHING)]
    found += _promises(journal, told, {sale.receipt: sale.totals.total_minor for sale in sales})
    found += _receipts([sale.number for sale in sales])
    facts = _facts(pc, central, found)
    found += _sales_told(sales, facts)
    found += _money(pc, terminal, sales, told)
    books = central.central.reconcile()
    if not books.ok or books.sales != len(sales) or books.quarantined:
        found.append(f"central's books: {books.sales} sales of {len(sales)}, {books.quarantined} in quarantine, {books.registers}")
    digest = hashlib.sha256()
    for wire in facts:
        digest.update(wire)
    world.tell("facts", digest.hexdigest())
    kept = {"taps": told.taps, "known_by_tap": told.known_by_tap, "refused_when_full": told.refused_when_full, "recorded_when_full": told.recorded_when_full}
    return {"violations": found, "sales": len(sales), "facts": len(facts), **kept}


def _promises(journal: Journal, told: Told, written: dict[str, int]) -> list[str]:
    found = []
    known = journal._read.known_command  # the same question, without waiting
    found += [f"acknowledged and lost: command {id}" for id in told.commands if not known(id)]
    found += [f"told {total} for {receipt}, the journal has {written.get(receipt)}" for receipt, total in told.sales.items() if written.get(receipt) != total]
    return found


def _receipts(numbers: list[int]) -> list[str]:
    expected = list(range(1, len(numbers) + 1))
    return [] if sorted(numbers) == expected else [f"receipt numbers are not 1 to {len(numbers)}: {sorted(set(numbers) ^ set(expected))[:5]}"]


def _facts(pc: SimPC, central: SimCentral, found: list[str]) -> list[bytes]:
    """Every fact of the journal, which central has to have byte for byte and in order."""
    assert pc.journal is not None
    assert central.central is not None
    mine: list[bytes] = []
    for stream in STREAMS:
        here = [wire for _, wire in pc.journal.facts_after(stream, 0, EVERYTHING, EVERYTHING)]
        there = central.central.facts(limit=EVERYTHING, source=pc.identity.source, stream=stream)
        if here != [bytes(fact.event) for fact in there]:
            found.append(f"{stream}: {len(here)} facts in the store, {len(there)} at central, or not the same")
        found += [f"in quarantine: {fact.problem}" for fact in there if fact.problem is not None]
        mine += here
    ids = Counter(json.loads(wire)["id"] for wire in mine)
    found += [f"fact {id} was told {count} times" for id, count in ids.items() if count > 1]
    return mine


def _sales_told(sales: list[Any], facts: list[bytes]) -> list[str]:
    told = Counter()
    for wire in facts:
        fact = json.loads(wire)
        if fact["type"] == "retail.sale.completed.v1":
            told[(fact["data"]["receiptCode"], fact["data"]["totals"]["totalMinor"])] += 1
    expected = Counter((sale.receipt, sale.totals.total_minor) for sale in sales)
    return [] if told == expected else [f"facts of sales differ from the journal's sales: {list((told - expected) + (expected - told))[:5]}"]


def _money(pc: SimPC, terminal: SimTerminal, sales: list[Any], told: Told) -> list[str]:
    """The terminal's own list is the truth: every charge is in the books once, and every payment in the books was charged."""
    assert pc.till is not None
    found: list[str] = []
    state = pc.till.core.state
    tenders = [tender for sale in sales for tender in sale.tenders]
    tenders += [tender for basket in state.baskets for tender in basket.tenders]
    attempts = {attempt.wire_ref: attempt for tender in tenders for attempt in tender.attempts}
    attempts |= {attempt.wire_ref: attempt for basket in state.baskets for attempt in basket.attempts}
    refs = Counter(charge.wire_ref for charge in terminal.charges)
    found += [f"{ref} was charged {count} times" for ref, count in refs.items() if count > 1]
    voided = {charge.original for charge in terminal.charges if charge.kind == "void" and charge.state == "approved"}
    undone = Counter(charge.original for charge in terminal.charges if charge.kind == "void" and charge.state == "approved")
    found += [f"{ref} was given back {count} times" for ref, count in undone.items() if count > 1]
    taken = {charge.wire_ref: charge.approved_minor for charge in terminal.charges if charge.kind == "sale" and charge.state == "approved"}
    for charge in terminal.charges:
        if charge.kind == "void" and charge.state == "approved" and charge.approved_minor != taken.get(charge.original):
            found.append(f"{charge.approved_minor} was given back for {charge.original}, which took {taken.get(charge.original)}")
    for charge in terminal.charges:
        if charge.kind != "sale" or charge.state != "approved":
            continue
        exact = charge.wire_ref not in told.reviewed or charge.approved_minor == charge.amount_minor  # a person says whether, and not how much
        attempt = attempts.get(charge.wire_ref)
        if attempt is None:
            if charge.wire_ref not in voided:
                found.append(f"charged and in no sale: {charge.wire_ref} {charge.approved_minor}")
        elif charge.wire_ref in voided:
            if attempt.state is not AttemptState.VOIDED:
                found.append(f"given back and not in the books: {charge.wire_ref} is {attempt.state.value}")
        elif attempt.state not in MONEY_MOVED or (exact and attempt.approved_minor != charge.approved_minor):
            found.append(f"charged {charge.approved_minor} and the books say {attempt.state.value} {attempt.approved_minor}: {charge.wire_ref}")
    charged = {charge.wire_ref for charge in terminal.charges if charge.state == "approved"}
    for ref, attempt in attempts.items():
        if attempt.kind is AttemptKind.SALE and attempt.state in MONEY_MOVED and ref not in charged:
            found.append(f"in the books and never charged: {ref} {attempt.approved_minor}")
    for sale in sales:
        paid = sum(tender.settled_minor for tender in sale.tenders)
        rounding = sum(tender.rounding_minor for tender in sale.tenders if tender.kind is TenderKind.CASH)
        if paid != sale.totals.total_minor and paid + rounding != sale.totals.total_minor and paid - rounding != sale.totals.total_minor:
            found.append(f"{sale.receipt}: {sale.totals.total_minor} sold, {paid} paid")
    return found + _drawer(state, told)


def _drawer(state: Register, told: Told) -> list[str]:
    """What the register believes to be in the drawer, and what the associate put into it."""
    assert state.shift is not None
    paid = [tender for basket in state.baskets for tender in basket.tenders if tender.kind is TenderKind.CASH]
    believed = state.cash_minor - state.shift.float_minor + sum(tender.given_minor - tender.change_minor for tender in paid)
    return [] if believed == told.cash_minor else [f"{told.cash_minor} of cash was taken, the register believes in {believed}"]


def ahead(pc: SimPC, central: SimCentral) -> list[str]:
    """The streams of which the journal says, this moment, that central has what central does not have."""
    heads = central.heads()
    if pc.journal is None or heads is None:
        return []
    return [f"{status.stream}: fact {status.acknowledged} is acknowledged, central has {heads.get(status.stream, 0)}"
            for status in pc.journal.streams() if status.acknowledged > heads.get(status.stream, 0)]  # fmt: skip
