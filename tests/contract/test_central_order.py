"""A fact that was withheld comes behind newer words about the same thing: it never takes them back, and is counted where nothing newer was said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.ports import Commit, FactDraft
from sync.central.migrations import MIGRATIONS
from sync.central.serving import EmbeddedCentral
from sync.central.storage import open_database
from sync.contract import facts
from sync.journal import Journal
from tests.contract.test_register_with_central import central, enrolled, opened  # noqa: F401 - a fixture
from tests.support_enrolled import Register, running_central
from tests.support_enrolled import enrolled as enrolled_alone
from tests.support_journal import new_id

ATTEMPT = {
    "attemptId": "a-1", "tenderId": "t-1", "kind": "sale", "state": "approved", "amountMinor": 500, "approvedMinor": 500, "wireRef": "W", "terminal": "T",
    "reason": "", "startedMs": 1,
}  # fmt: skip
SETTLED = ATTEMPT | {"currencyCode": "EUR", "card": None}


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedCentral]:
    with running_central(tmp_path / "central") as made:
        yield made


@pytest.fixture
def register(embedded: EmbeddedCentral) -> Iterator[Register]:
    with httpx.Client(base_url=embedded.url) as http:
        yield enrolled_alone(http, embedded.central)


def contradicted(common: dict[str, Any], handled: bool, at_ms: int) -> dict[str, Any]:
    return {
        **common, "atMs": at_ms, "transactionId": "b-1", "receiptCode": "R-1", "moneyMoved": False, "task": "give_back", "amountMinor": 500,
        "attempt": SETTLED, "decidedMs": 1, "handled": handled, "note": "given back" if handled else "",
    }  # fmt: skip


def withheld(register: Register, fact: str) -> bytes:
    said = {**register.common(), "factId": fact, "type": "retail.any.v1", "reason": "refused by a proxy"}
    return register.fact(facts.WITHHELD, said, stream="trade", subject=fact)


def row(folder: Path, query: str) -> tuple[Any, ...]:
    db = open_database(folder / "central" / "central.db", writes=False)
    try:
        (found,) = db.execute(query).fetchall()
        return tuple(found)
    finally:
        db.close()


@pytest.mark.parametrize("clock_back_ms", [0, 1_000])
async def test_a_payment_that_was_seen_to_stays_so_when_its_withheld_contradiction_is_sent_again(
    tmp_path: Path, central: EmbeddedCentral, clock_back_ms: int  # noqa: F811 - the fixture
) -> None:  # fmt: skip
    enrolment, keys = await enrolled(tmp_path / "till", central)
    async with Journal.open(tmp_path / "till", keys.journal_key(), clock=SystemClock(), random=SystemRandom(), new_id=new_id, ballast_bytes=4096) as journal:
        await journal.adopt(enrolment.identity)
        who = enrolment.register
        common = {"retailStoreId": who.store, "workstationId": who.register, "businessDayDate": "", "shiftId": "", "operatorId": "1001"}
        for handled, at_ms in ((False, 5_000), (True, 5_000 - clock_back_ms)):
            data = contradicted(common, handled, at_ms)
            await journal.commit(Commit(new_id(), (), (FactDraft("trade", facts.CONTRADICTED, new_id(), "a-1", at_ms, data),)))
        assert await journal.withhold("trade", 1, "refused by a proxy")
    async with opened(tmp_path / "till", enrolment, keys) as till:
        await till.in_step()
        assert central.central.reconcile().payment_tasks == []
        assert await till.journal.resend() == (1, 0)
        till.push.retry_now()
        await till.in_step()
        report = central.central.reconcile()
        assert (report.payment_tasks, report.attention, report.registers[0].streams[0].count) == ([], [], 3)


def test_a_contradiction_that_was_withheld_is_a_task_where_nothing_newer_was_said(register: Register, embedded: EmbeddedCentral) -> None:
    word = contradicted(register.common(), False, 1)
    seen_to = register.fact(facts.CONTRADICTED, contradicted(register.common(), True, 9), subject="a-1")
    register.push(seen_to, withheld(register, "lost"))
    again = register.push(register.fact(facts.CONTRADICTED, word, subject="a-1", id="lost"))
    assert register.ack(again)["quarantined"] == []
    assert [task.attempt for task in embedded.central.reconcile().payment_tasks] == ["a-1"]


@pytest.mark.parametrize("older", ["sale", "void", "settled"])
def test_the_newest_word_about_an_attempt_counts_also_when_an_older_one_comes_late(register: Register, tmp_path: Path, older: str) -> None:
    void = {**register.common(), "transactionId": "b-1", "reason": "", "lines": 1, "amountMinor": 500, "currencyCode": "EUR"}
    old: dict[str, bytes] = {}

    def late(kind: str, data: dict[str, Any], subject: str) -> None:
        old[older] = register.fact(kind, data, subject=subject, id="lost")

    newest = ATTEMPT | {"state": "voided", "approvedMinor": 0, "reason": "undone"}
    register.push(withheld(register, "lost"), register.fact(facts.VOIDED, {**void, "attempts": [newest]}))
    match older:
        case "sale":
            sale = register.sale_data(attempts=[ATTEMPT])
            late(facts.SALE, sale, sale["transactionId"])
        case "void":
            late(facts.VOIDED, {**void, "transactionId": "b-0", "attempts": [ATTEMPT]}, "b-0")
        case _:
            late(facts.PAYMENT, {**register.common(), "transactionId": "b-0", "attempt": SETTLED, "cause": "query"}, "a-1")
    assert register.ack(register.push(old[older]))["quarantined"] == []
    assert row(tmp_path, "SELECT trade, state, approved_minor, reason FROM attempt") == ("b-1", "voided", 0, "undone")
    last = {**register.common(), "transactionId": "b-1", "attempt": SETTLED, "cause": "query"}
    register.push(register.fact(facts.PAYMENT, last, subject="a-1"))
    assert row(tmp_path, "SELECT state, approved_minor FROM attempt") == ("approved", 500)


def test_who_opened_a_shift_stands_also_when_its_opening_comes_after_its_end(register: Register, tmp_path: Path) -> None:
    shift = {**register.common(), "currencyCode": "EUR"}
    end = shift | {"operatorId": "2002", "sales": 0, "expectedCashMinor": 100}
    register.push(withheld(register, "lost"), register.fact(facts.SHIFT_CLOSED, end, subject="shift-1"))
    register.push(register.fact(facts.SHIFT_OPENED, shift | {"floatMinor": 100}, subject="shift-1", id="lost"))
    assert row(tmp_path, "SELECT operator, float_minor, opened_ms > 0, expected_cash_minor FROM shift") == ("1001", 100, 1, 100)


def test_a_file_of_an_earlier_version_learns_where_its_withheld_facts_belong(register: Register, embedded: EmbeddedCentral, tmp_path: Path) -> None:
    gone = contradicted(register.common(), False, 9)
    register.push(withheld(register, "lost"), register.fact(facts.CONTRADICTED, contradicted(register.common(), True, 1), subject="a-1"))
    embedded.stop()
    db = open_database(tmp_path / "central" / "central.db", writes=True)
    for change in ("DROP TABLE withheld_at", "ALTER TABLE attempt DROP COLUMN told_epoch", "ALTER TABLE attempt DROP COLUMN told_number"):
        db.execute(change)
    db.execute("DELETE FROM _sqlite_migrations WHERE name = 'where_words_belong'")
    db.close()
    assert [step.name for step in MIGRATIONS._migrations].count("where_words_belong") == 1
    embedded.start()
    register.http = httpx.Client(base_url=embedded.url)
    with register.http:
        register.ack(register.push(register.fact(facts.CONTRADICTED, gone, subject="a-1", id="lost")))
    assert embedded.central.reconcile().payment_tasks == []
