"""What a register issues anew, because the answer that it came was lost, is one fact at central, and its id is nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from edge_agent.ports import Commit, FactDraft
from sync.central.issued_anew import told_before
from sync.central.report import report_lines
from sync.central.serving import EmbeddedCentral
from sync.central.storage import Db, open_database
from sync.contract import facts
from sync.contract.example_sales import EXAMPLE_START_MS
from sync.contract.rows import StoreRow
from sync.identity import Identity
from sync.journal import Journal
from tests.support_enrolled import STORES, Register, customer_row, enrolled, lines_of, running_central
from tests.support_journal import new_id, open_journal


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedCentral]:
    with running_central(tmp_path / "central") as made:
        yield made


@pytest.fixture
def http(embedded: EmbeddedCentral) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=embedded.url) as client:
        yield client


async def sell(journal: Journal, register: Register) -> None:
    """A sale to a known customer."""
    sale = register.sale_data()
    visit = {**register.common(), "customerId": "c1", "identifiedBy": "loyalty", "saleId": sale["transactionId"]}
    drafts = [
        FactDraft("trade", facts.SALE, new_id(), sale["transactionId"], EXAMPLE_START_MS, sale),
        FactDraft("people", facts.VISIT, new_id(), sale["transactionId"], EXAMPLE_START_MS, visit),
    ]
    await journal.commit(Commit(new_id(), (), drafts))


def push_all(journal: Journal, register: Register) -> dict[str, dict[str, Any]]:
    """Everything of the journal's identity to central, without a word of it to the journal; the acknowledgements."""
    wires = [wire for one in journal.streams() for _, wire in journal.facts_after(one.stream, 0, 100, 1 << 20)]
    answer = register.push(*wires)
    return {stream: register.ack(answer, stream) for stream in ("trade", "people")}


async def test_a_push_whose_answer_was_lost_is_one_sale_and_one_visit_after_an_enrolment_anew(
    tmp_path: Path, embedded: EmbeddedCentral, http: httpx.Client
) -> None:
    embedded.central.seed("customers", [("c1", customer_row("c1", visits=0))])
    first = enrolled(http, embedded.central)
    async with open_journal(tmp_path / "till") as journal:
        await journal.adopt(Identity(first.source, first.epoch))
        for _ in range(2):
            await sell(journal, first)
        push_all(journal, first)
        second = enrolled(http, embedded.central)
        assert await journal.adopt(Identity(second.source, second.epoch)) == 4
        second.receipts = first.receipts
        await sell(journal, second)
        acks = push_all(journal, second)
        assert list(acks.values()) == [{"next": 4, "accepted": 1, "duplicates": 2, "quarantined": []}] * 2
    report = embedded.central.reconcile()
    assert (report.ok, report.sales, report.quarantined, report.attention) == (True, 3, 0, [])
    assert [(each.epoch, each.visits, [(one.count, one.issued_anew) for one in each.streams]) for each in report.registers] == [
        (1, 2, [(2, 0), (2, 0)]), (2, 1, [(3, 2), (3, 2)]),
    ]  # fmt: skip
    assert lines_of(second.feed("customers"))[0][0]["data"]["visits"] == 3
    assert any(line.endswith(", 2 issued anew and counted before") for line in report_lines(report))


@pytest.mark.parametrize("changed", [{"receiptCode": "R-other"}, {"salt": "A" * 22}])
def test_an_id_that_is_another_facts_is_not_believed(embedded: EmbeddedCentral, http: httpx.Client, changed: dict[str, str]) -> None:
    first = enrolled(http, embedded.central)
    sale = first.sale()
    first.push(sale)
    second = enrolled(http, embedded.central)
    other = second.anew(sale, **changed)
    for _ in range(2):
        (told,) = second.ack(second.push(other))["quarantined"]
        assert (told["sequence"], told["problem"]["type"]) == (1, "urn:edge:problem:fact-id")
        assert told["problem"]["detail"] == "Fact 02-1-trade-1 is number 1 of trade in epoch 1."
    report = embedded.central.reconcile()
    assert (report.ok, report.sales, report.quarantined) == (True, 1, 1)
    again = second.ack(second.push(second.anew(sale)))
    assert (again["accepted"], again["duplicates"], again["quarantined"]) == (0, 1, [])
    kind = second.fact(facts.VISIT, {**second.common(), "customerId": "c", "identifiedBy": "x", "saleId": None}, id="02-1-trade-1")
    assert [one["problem"]["type"] for one in second.ack(second.push(kind), "people")["quarantined"]] == ["urn:edge:problem:fact-id"]


def test_an_id_counts_once_within_a_batch_as_well(embedded: EmbeddedCentral, http: httpx.Client) -> None:
    register = enrolled(http, embedded.central)
    sale = register.sale()
    ack = register.ack(register.push(sale, register.anew(sale), register.anew(sale, receiptCode="R-x")))
    assert (ack["next"], ack["accepted"], ack["duplicates"], [one["sequence"] for one in ack["quarantined"]]) == (4, 2, 1, [3])
    assert embedded.central.reconcile().sales == 1


def test_the_ids_of_another_register_are_its_own(embedded: EmbeddedCentral, http: httpx.Client) -> None:
    mine, other = enrolled(http, embedded.central), enrolled(http, embedded.central, register="01")
    for register in (mine, other):
        assert register.ack(register.push(register.fact(facts.SALE, register.sale_data(), id="same")))["accepted"] == 1
    report = embedded.central.reconcile()
    assert (report.ok, report.sales, report.quarantined) == (True, 2, 0)


def test_what_was_in_quarantine_is_judged_again_once_its_cause_is_mended(embedded: EmbeddedCentral, http: httpx.Client) -> None:
    first = enrolled(http, embedded.central)
    sale = first.sale(currencyCode="CHF")
    assert len(first.ack(first.push(sale))["quarantined"]) == 1
    second = enrolled(http, embedded.central)
    assert len(second.ack(second.push(second.anew(sale)))["quarantined"]) == 1, "it is wrong still"
    store = STORES[0]
    embedded.central.seed_stores([StoreRow(store=store.store, store_name=store.store_name, country="DE", registers=store.registers, currency="CHF")])
    third = enrolled(http, embedded.central)
    ack = third.ack(third.push(third.anew(sale)))
    assert (ack["accepted"], ack["duplicates"], ack["quarantined"]) == (1, 0, [])
    fourth = enrolled(http, embedded.central)
    assert fourth.ack(fourth.push(fourth.anew(sale)))["duplicates"] == 1
    report = embedded.central.reconcile()
    assert (report.ok, report.sales, report.quarantined) == (True, 1, 2)


def test_a_withheld_fact_that_is_told_anew_is_counted_once(embedded: EmbeddedCentral, http: httpx.Client) -> None:
    first = enrolled(http, embedded.central)
    said = first.fact(facts.WITHHELD, {**first.common(), "factId": "lost", "type": "x", "reason": "y"}, stream="trade")
    first.push(said)
    second = enrolled(http, embedded.central)
    second.push(second.anew(said))
    assert embedded.central.reconcile().attention == ["1 fact is withheld (register 0001/02, epoch 1)"]


def test_facts_are_found_by_their_ids(embedded: EmbeddedCentral, tmp_path: Path) -> None:
    db = open_database(tmp_path / "central" / "central.db", writes=False)
    asked: list[str] = []

    class Explained:
        def execute(self, sql: str, parameters: tuple[object, ...]) -> list[tuple[object, ...]]:
            asked.extend(row[-1] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", parameters))
            return []

    told_before(cast(Db, Explained()), "/t/acme/s/0001/r/02", [])
    db.close()
    assert any("fact_id" in step for step in asked), asked
    assert not {"SCAN f", "SCAN c", "SCAN q"}.intersection(" ".join(step.split()[:2]) for step in asked), asked
