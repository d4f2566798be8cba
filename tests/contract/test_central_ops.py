"""What operators see: facts as they were sent, registers, and a reconciliation that finds what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sync.central.report import report_lines
from sync.central.serving import EmbeddedCentral
from sync.central.storage import open_database
from sync.contract import facts
from tests.support_enrolled import Register, enrolled, running_central


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedCentral]:
    with running_central(tmp_path / "central") as made:
        yield made


@pytest.fixture
def http(embedded: EmbeddedCentral) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=embedded.url, headers={"Authorization": f"Bearer {embedded.central.ops_token}"}) as client:
        yield client


@pytest.fixture
def register(http: httpx.Client, embedded: EmbeddedCentral) -> Register:
    return enrolled(http, embedded.central)


def a_day(register: Register) -> None:
    """Three sales, a void with an attempt that ends later, a shift, a visit, a start and a withheld fact."""
    common = register.common()
    attempt = {
        "attemptId": "a-1", "tenderId": "t-1", "kind": "sale", "state": "unknown", "amountMinor": 500, "approvedMinor": 0, "wireRef": "W", "terminal": "T",
        "reason": "", "startedMs": 1,
    }  # fmt: skip
    void = {**common, "transactionId": "b-1", "reason": "left", "lines": 1, "amountMinor": 500, "currencyCode": "EUR", "attempts": [attempt]}
    settled = {**attempt, "state": "approved", "approvedMinor": 500, "currencyCode": "EUR", "card": None}
    shift = {**common, "currencyCode": "EUR"}
    answer = register.push(
        register.fact(facts.SHIFT_OPENED, shift | {"floatMinor": 100}, subject="shift-1"), register.sale(), register.sale(), register.visit("c1"),
        register.fact(facts.VOIDED, void), register.sale(),
        register.fact(facts.PAYMENT, {**common, "transactionId": "b-1", "attempt": settled, "cause": "late"}, subject="a-1"),
        register.fact(facts.SHIFT_CLOSED, shift | {"sales": 3, "expectedCashMinor": 5266}, subject="shift-1"),
        register.fact(facts.STARTED, {**common, "version": "1", "bootId": "b", "cleanStop": True}),
        register.fact(facts.WITHHELD, {**common, "factId": "f", "type": "x", "reason": "y"}, stream="ops"),
    )  # fmt: skip
    assert register.ack(answer)["next"] == 8
    assert register.ack(answer)["quarantined"] == []


def test_a_reconciliation_adds_up_every_stream_and_book(register: Register, http: httpx.Client, embedded: EmbeddedCentral) -> None:
    a_day(register)
    report = http.get("/ops/reconcile").json()
    assert (report["ok"], report["sales"], report["quarantined"], report["refundTasks"]) == (True, 3, 0, 0)
    (mine,) = report["registers"]
    assert [(each["stream"], each["first"], each["last"], each["count"], each["gaps"], each["withheld"]) for each in mine["streams"]] == [
        ("ops", 1, 2, 2, 0, 1), ("people", 1, 1, 1, 0, 0), ("trade", 1, 7, 7, 0, 0),
    ]  # fmt: skip
    assert mine["books"] == [
        {
            "currency": "EUR", "sales": 3, "lines": 6, "totalMinor": 3 * 1722, "taxMinor": 3 * 263, "changeMinor": 3 * 278, "roundingMinor": 0,
            "tenders": {"cash": 3 * 1722},
            "taxes": {"reduced": {"baseMinor": 3 * 115, "taxMinor": 3 * 8}, "standard": {"baseMinor": 3 * 1344, "taxMinor": 3 * 255}},
        }
    ]  # fmt: skip
    assert (mine["voided"], mine["shifts"], mine["visits"], mine["agree"]) == (1, 1, 1, True)
    text = "\n".join(report_lines(embedded.central.reconcile()))
    assert "paid by cash" in text
    assert "51.66" in text
    assert text.endswith("IN ORDER, but 1 fact is withheld (register 0001/02, epoch 1): 3 sales, 0 in quarantine, 0 refund tasks")


def test_a_payment_that_its_terminal_contradicts_needs_somebody_until_its_register_says_that_it_is_seen_to(
    register: Register, http: httpx.Client, embedded: EmbeddedCentral
) -> None:
    common = {"retailStoreId": "0001", "workstationId": "02", "businessDayDate": "", "shiftId": "", "operatorId": "1001", "atMs": 5}
    found = {
        "attemptId": "a-9", "tenderId": "t-9", "kind": "sale", "state": "approved", "amountMinor": 19900, "approvedMinor": 19900, "wireRef": "R9",
        "terminal": "T1", "reason": "", "startedMs": 1, "currencyCode": "EUR", "card": None,
    }  # fmt: skip
    told = {
        **common, "transactionId": "s-9", "receiptCode": "R-0001-02-000009", "moneyMoved": False, "task": "give_back", "amountMinor": 19900,
        "attempt": found, "decidedMs": 2, "handled": False, "note": "",
    }  # fmt: skip
    answer = register.push(register.fact(facts.CONTRADICTED, told, subject="a-9"), register.fact(facts.CONTRADICTED, told, subject="b-1"))
    assert [row["sequence"] for row in register.ack(answer)["quarantined"]] == [2], "the subject is the attempt"
    report = http.get("/ops/reconcile").json()
    assert report["ok"]
    assert [(task["task"], task["amountMinor"], task["receipt"], task["attempt"]) for task in report["paymentTasks"]] == [
        ("give_back", 19900, "R-0001-02-000009", "a-9")
    ]
    assert "1 card payment is to give back (register 0001/02)" in report["attention"]
    text = "\n".join(report_lines(embedded.central.reconcile()))
    assert "GIVE BACK 199.00 EUR: paid by card, receipt R-0001-02-000009, terminal T1 (0001/02, attempt a-9)" in text
    other = enrolled(http, embedded.central, register="01")
    theirs = {**told, "workstationId": "01", "handled": True, "note": "x"}
    assert other.ack(other.push(other.fact(facts.CONTRADICTED, theirs, subject="a-9")))["quarantined"] == []
    assert len(http.get("/ops/reconcile").json()["paymentTasks"]) == 1, "no register speaks for another"
    register.push(register.fact(facts.CONTRADICTED, told | {"handled": True, "note": "refunded"}, subject="a-9"))
    after = http.get("/ops/reconcile").json()
    assert (after["paymentTasks"], [what for what in after["attention"] if "card payment" in what]) == ([], [])


@pytest.mark.parametrize(
    ("reported", "said"),
    [({"amountMinor": 29900, "currencyCode": "JPY"}, "the terminal reported 29900 JPY"), (None, "the terminal reported another amount or currency")],
)
def test_a_payment_that_its_terminal_took_in_another_way_is_to_clarify(
    register: Register, http: httpx.Client, embedded: EmbeddedCentral, reported: dict[str, object] | None, said: str
) -> None:
    found = {
        "attemptId": "a-9", "tenderId": "t-9", "kind": "sale", "state": "needs_review", "amountMinor": 19900, "approvedMinor": 0, "wireRef": "R9",
        "terminal": "T1", "reason": "wrong_currency", "startedMs": 1, "currencyCode": "EUR", "card": None, **({"reported": reported} if reported else {}),
    }  # fmt: skip
    told = {
        "retailStoreId": "0001", "workstationId": "02", "businessDayDate": "", "shiftId": "", "operatorId": "1001", "atMs": 5, "transactionId": "s-9",
        "receiptCode": "", "moneyMoved": True, "task": "clarify", "amountMinor": 19900, "attempt": found, "decidedMs": 2, "handled": False, "note": "",
    }  # fmt: skip
    assert register.ack(register.push(register.fact(facts.CONTRADICTED, told, subject="a-9")))["quarantined"] == []
    report = http.get("/ops/reconcile").json()
    (task,) = report["paymentTasks"]
    assert (task["task"], task["amountMinor"], task["reportedMinor"], task["reportedCurrency"]) == (
        ("clarify", 19900, 29900, "JPY") if reported else ("clarify", 19900, 0, "")
    )
    assert report["attention"] == ["1 card payment is to clarify (register 0001/02)"]
    text = "\n".join(report_lines(embedded.central.reconcile()))
    assert f"CLARIFY 199.00 EUR by card: {said}, basket s-9, terminal T1 (0001/02, attempt a-9)" in text


def test_an_attempt_that_ended_later_has_its_last_state(register: Register, tmp_path: Path) -> None:
    a_day(register)
    db = open_database(tmp_path / "central" / "central.db", writes=False)
    assert db.execute("SELECT state, approved_minor, trade FROM attempt").fetchall() == [("approved", 500, "b-1")]
    assert db.execute("SELECT opened_ms > 0, closed_ms > 0, float_minor, sales, expected_cash_minor FROM shift").fetchall() == [(1, 1, 100, 3, 5266)]
    db.close()


def test_another_register_cannot_change_what_a_register_told(register: Register, http: httpx.Client, embedded: EmbeddedCentral, tmp_path: Path) -> None:
    a_day(register)
    other = enrolled(http, embedded.central, register="01")
    a_day(other)
    db = open_database(tmp_path / "central" / "central.db", writes=False)
    chain = db.execute("SELECT id FROM chain WHERE source = ? AND stream = 'trade'", (register.source,)).fetchone()[0]
    assert db.execute("SELECT chain FROM attempt UNION ALL SELECT chain FROM shift UNION ALL SELECT chain FROM voided").fetchall() == [(chain,)] * 3
    db.close()


@pytest.mark.parametrize(
    ("damage", "stream_ok", "books_ok"),
    [
        ("UPDATE fact SET wire = CAST(replace(CAST(wire AS TEXT), '1722', '1723') AS BLOB) WHERE number = 2", False, False),
        ("UPDATE fact SET hash = zeroblob(32) WHERE number = 3", False, True),
        ("DELETE FROM fact WHERE number = 4 AND chain = (SELECT id FROM chain WHERE stream = 'trade')", False, True),
        ("UPDATE chain SET next = next + 1 WHERE stream = 'trade'", False, True),
        ("UPDATE chain SET head_hash = 'x' WHERE stream = 'trade'", False, True),
        ("UPDATE sale SET total_minor = total_minor + 1", True, False),
        ("DELETE FROM sale_tender", True, False),
        ("DELETE FROM sale_line WHERE position = 2", True, False),
        ("UPDATE sale_tax SET tax_minor = 0", True, False),
    ],
)
def test_a_reconciliation_finds_every_kind_of_damage(
    register: Register, embedded: EmbeddedCentral, tmp_path: Path, damage: str, stream_ok: bool, books_ok: bool
) -> None:
    a_day(register)
    db = open_database(tmp_path / "central" / "central.db", writes=True)
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute(damage)
    db.close()
    report = embedded.central.reconcile()
    (mine,) = report.registers
    assert not report.ok
    assert (all(each.chained and not each.gaps for each in mine.streams), mine.agree) == (stream_ok, books_ok)
    assert any("NOT" in line for line in report_lines(report))


def test_facts_are_listed_as_they_were_sent_from_any_position(register: Register, http: httpx.Client, embedded: EmbeddedCentral) -> None:
    sent = [register.sale() for _ in range(5)]
    register.push(*sent)
    page = http.get("/ops/facts", params={"after": 2, "limit": 2}).json()
    assert [fact["position"] for fact in page] == [3, 4]
    assert [bytes(fact.event) for fact in embedded.central.facts(after=2, limit=2)] == sent[2:4]
    assert embedded.central.facts(type="retail.nothing.v1") == []
    assert len(embedded.central.facts(source=register.source, stream="trade", type=facts.SALE)) == 5


def test_operators_and_registers_have_tokens_of_their_own(register: Register, http: httpx.Client) -> None:
    for path in ("registers", "quarantine", "reconcile", "facts", "refund-tasks", "carts/x"):
        assert http.get(f"/ops/{path}", headers=register.headers).status_code == 401
        assert http.get(f"/ops/{path}", headers={"Authorization": "x"}).status_code == 401
    assert http.get("/edge/v1/feeds/prices").status_code == 401


def test_failures_of_the_framework_are_problems_too(http: httpx.Client) -> None:
    for method, path, status in (("GET", "/nothing", 404), ("PUT", "/edge/v1/events", 405), ("GET", "/ops/facts?limit=x", 400)):
        answer = http.request(method, path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert answer.json()["status"] == status
    large = http.post("/edge/v1/enrolments", content=b"{" + b" " * 100_000 + b"}", headers={"Content-Type": "application/json"})
    assert (large.status_code, large.json()["type"]) == (413, "urn:edge:problem:too-large")
