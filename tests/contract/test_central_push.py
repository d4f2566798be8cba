"""Facts pushed over HTTP: taken in once, in order, or refused with the contract's problem and nothing stored."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard

from sync.central.intake import BODY_BYTES_MAX
from sync.central.limits import Limits
from sync.central.serving import EmbeddedCentral
from sync.contract import facts
from sync.contract.envelope import BATCH_FACTS_MAX, fact_hash, join_batch
from tests.support import wait_until
from tests.support_enrolled import Register, enrolled, running_central


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedCentral]:
    with running_central(tmp_path / "central") as made:
        yield made


@pytest.fixture
def http(embedded: EmbeddedCentral) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=embedded.url) as client:
        yield client


@pytest.fixture
def register(http: httpx.Client, embedded: EmbeddedCentral) -> Register:
    return enrolled(http, embedded.central)


def problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"urn:edge:problem:{kind}"
    assert body["status"] == status
    return body


def test_facts_are_acknowledged_per_stream_and_kept_byte_for_byte(register: Register, embedded: EmbeddedCentral) -> None:
    sent = [register.sale(), register.visit("c9"), register.sale(), register.sale()]
    answer = register.push(*sent)
    assert register.ack(answer) == {"next": 4, "accepted": 3, "duplicates": 0, "quarantined": []}
    assert register.ack(answer, "people")["next"] == 2
    kept = [bytes(fact.event) for fact in embedded.central.facts()]
    assert sorted(kept) == sorted(sent)
    assert register.next() == 4


@pytest.mark.parametrize("encoding", ["identity", "gzip", "zstd"])
def test_every_encoding_of_the_contract_is_understood(register: Register, encoding: str) -> None:
    body = join_batch([register.sale(), register.sale()])
    packed = {"identity": lambda raw: raw, "gzip": gzip.compress, "zstd": zstandard.compress}[encoding](body)
    assert register.ack(register.push(body=packed, headers={"Content-Encoding": encoding}))["accepted"] == 2


def test_a_repeated_batch_is_counted_and_acknowledged_again(register: Register) -> None:
    first = [register.sale(), register.sale()]
    register.push(*first)
    assert register.ack(register.push(*first)) == {"next": 3, "accepted": 0, "duplicates": 2, "quarantined": []}
    assert register.ack(register.push(*first, register.sale())) == {"next": 4, "accepted": 1, "duplicates": 2, "quarantined": []}
    assert register.ack(register.push(first[0])) == {"next": 4, "accepted": 0, "duplicates": 1, "quarantined": []}


def test_a_gap_is_refused_with_the_number_wanted_and_nothing_is_stored(register: Register, embedded: EmbeddedCentral) -> None:
    first, second, third = register.sale(), register.sale(), register.sale()
    told = problem(register.push(second), 409, "sequence-gap")
    assert (told["expected"], told["stream"]) == (1, "trade")
    assert problem(register.push(first, third), 409, "sequence-gap")["expected"] == 1
    assert problem(register.push(register.visit("c1"), first, third), 409, "sequence-gap")["expected"] == 1
    assert problem(register.push(second, first), 409, "sequence-gap")["expected"] == 1
    assert not embedded.central.facts()
    assert register.ack(register.push(first, second, third))["next"] == 4


def test_a_fact_that_does_not_name_the_one_before_it_is_refused(register: Register) -> None:
    register.push(register.sale())
    torn = register.fact(facts.SALE, register.sale_data(), prevhash="ab" * 32)
    assert problem(register.push(torn), 409, "chain-broken")["stream"] == "trade"
    register.heads["trade"] = (2, json.loads(torn)["prevhash"])
    assert register.next() == 2


def test_a_batch_that_is_torn_inside_is_refused_whole(register: Register) -> None:
    good = register.sale()
    torn = register.fact(facts.SALE, register.sale_data(), prevhash="ab" * 32)
    problem(register.push(good, torn), 409, "chain-broken")
    assert register.next() == 1


def test_a_second_machine_with_the_same_identity_freezes_the_register_and_says_so(register: Register, http: httpx.Client, embedded: EmbeddedCentral) -> None:
    before = dict(register.heads)
    register.push(register.sale(), register.sale())
    after = dict(register.heads)
    register.heads = before  # the clone starts where the disk was copied
    told = problem(register.push(register.sale()), 409, "sequence-fork")
    assert "number 1 of trade" in told["detail"]
    register.heads = after  # neither machine goes on
    assert problem(register.push(register.sale()), 409, "register-frozen")["detail"] == told["detail"]
    cursor = http.get("/edge/v1/registers/02/cursor", headers=register.headers).json()
    assert (cursor["frozen"], cursor["streams"]["trade"]["next"]) == (told["detail"], 3)
    listed = http.get("/ops/registers", headers={"Authorization": f"Bearer {embedded.central.ops_token}"}).json()
    assert [each["frozen"] for each in listed if each["register"] == "02"] == [told["detail"]]
    assert embedded.central.reconcile().ok, "what came before the fork is kept and in order"
    again = enrolled(http, embedded.central)
    assert again.epoch == "2"
    assert again.ack(again.push(again.sale()))["next"] == 2


def test_a_register_that_says_that_its_disk_ends_before_central_is_frozen_by_it(register: Register, http: httpx.Client, embedded: EmbeddedCentral) -> None:
    sales = [register.sale() for _ in range(3)]
    register.push(*sales)
    word = register.behind("trade", 2, 3, fact_hash(sales[-1]))
    assert register.ack(register.push(word), "ops") == {"next": 2, "accepted": 1, "duplicates": 0, "quarantined": []}
    assert bytes(embedded.central.facts(stream="ops")[0].event) == word, "it is kept like any other fact"
    cursor = http.get(f"/edge/v1/registers/{register.number}/cursor", headers=register.headers).json()
    assert cursor["frozen"] == (
        "Two machines sell as this register, or it lost facts: its disk has trade up to 2, central up to 3. Enrol the right machine again."
    )
    for late in (register.sale(), word, sales[0]):  # the other machine's next sale; a request that was doubled
        assert problem(register.push(late), 409, "register-frozen")["detail"] == cursor["frozen"]
    found = embedded.central.reconcile()
    assert (found.ok, found.attention) == (True, [f"register 0001/02 is frozen ({cursor['frozen'].rstrip('.')})"])


def test_the_word_of_a_disk_that_ends_before_central_is_a_fork_when_the_other_machine_used_its_number(register: Register) -> None:
    register.push(register.sale(), register.fact(facts.STARTED, {**register.common(), "version": "1", "bootId": "b", "cleanStop": True}))
    head = register.heads["ops"][1]
    register.heads["ops"] = (1, "0" * 64)
    assert "number 1 of ops" in problem(register.push(register.behind("ops", 0, 1, head)), 409, "sequence-fork")["detail"]


@pytest.mark.parametrize(
    "untrue",
    [
        {"headHash": "a" * 64}, {"central": 4}, {"central": 1}, {"ours": 3}, {"ours": 9}, {"epoch": "2"}, {"stream": "people"}, {"stream": "weather"},
        {"workstationId": "03"},
    ],
    ids=lambda changes: "-".join(f"{name}={str(value)[:4]}" for name, value in changes.items()),
)  # fmt: skip
def test_such_a_word_is_believed_only_where_it_is_true(register: Register, untrue: dict[str, object]) -> None:
    sales = [register.sale() for _ in range(3)]
    register.push(*sales)
    assert register.ack(register.push(register.behind("trade", 2, 3, fact_hash(sales[-1]), **untrue)), "ops")["next"] == 2
    assert register.ack(register.push(register.sale()))["accepted"] == 1
    true = register.behind("trade", 2, 3, fact_hash(sales[-1]))
    register.push(true)
    problem(register.push(register.sale()), 409, "register-frozen")


def test_an_old_epochs_word_freezes_nothing_after_a_new_enrolment(register: Register, http: httpx.Client, embedded: EmbeddedCentral) -> None:
    """Neither the request that comes late or twice, nor the fact that is issued anew with its data as it was."""
    sales = [register.sale() for _ in range(3)]
    register.push(*sales)
    word = register.behind("trade", 2, 3, fact_hash(sales[-1]))
    register.push(word)
    again = enrolled(http, embedded.central)
    problem(register.push(word), 409, "epoch-retired")
    problem(again.push(word), 409, "epoch-retired")
    anew = [again.sale() for _ in range(4)]
    assert again.ack(again.push(*anew, again.behind("trade", 2, 3, fact_hash(sales[-1]), epoch=register.epoch)), "ops")["quarantined"] == []
    assert again.ack(again.push(again.behind("trade", 2, 3, fact_hash(anew[2]), epoch=register.epoch)), "ops")["next"] == 3
    assert again.ack(again.push(again.sale()))["next"] == 6
    assert embedded.central.reconcile().attention == []


def test_the_example_day_comes_to_the_example_cursors(register: Register, http: httpx.Client, embedded: EmbeddedCentral) -> None:
    """Any central can be tried so: enrol store 0001, register 02 of tenant acme until its epoch is 3, then send the files."""
    examples = files("sync.contract").joinpath("examples")
    while register.epoch != "3":
        register = enrolled(http, embedded.central)
    asked = {"url": f"/edge/v1/registers/{register.number}/cursor", "headers": register.headers}
    acks = register.push(body=examples.joinpath("day.json").read_bytes().rstrip(b"\n")).json()["registers"][register.source]["streams"]
    assert {stream: (ack["next"], ack["quarantined"]) for stream, ack in acks.items()} == {"trade": (7, []), "people": (2, []), "ops": (3, [])}
    assert http.get(**asked).json() == json.loads(examples.joinpath("register-cursor.json").read_text())
    register.push(examples.joinpath(f"{facts.BEHIND}.json").read_bytes().rstrip(b"\n"))
    assert http.get(**asked).json() == json.loads(examples.joinpath("register-cursor.frozen.json").read_text())


def test_the_example_enrolment_is_refused_for_its_code_alone(http: httpx.Client, embedded: EmbeddedCentral) -> None:
    asked = json.loads(files("sync.contract").joinpath("examples", "enrol-request.json").read_text())
    problem(http.post("/edge/v1/enrolments", json=asked), 403, "enrolment-code-invalid")
    problem(http.post("/edge/v1/enrolments", json=asked | {"code": asked["code"].lower()}), 400, "invalid")


def test_a_retired_epoch_is_refused_under_its_old_token_and_under_the_new_one(register: Register, http: httpx.Client, embedded: EmbeddedCentral) -> None:
    register.push(register.sale())
    again = enrolled(http, embedded.central)
    problem(register.push(register.sale()), 409, "epoch-retired")
    problem(http.get("/edge/v1/registers/02/cursor", headers=register.headers), 409, "epoch-retired")
    problem(register.feed("prices"), 401, "unauthorised")
    stale = again.fact(facts.SALE, again.sale_data(), epoch="1")
    problem(again.push(stale), 409, "epoch-retired")


def test_only_the_register_itself_may_send_its_facts(register: Register, http: httpx.Client, embedded: EmbeddedCentral) -> None:
    other = enrolled(http, embedded.central, register="01")
    problem(other.push(register.sale()), 403, "forbidden")
    problem(http.get("/edge/v1/registers/01/cursor", headers=register.headers), 403, "forbidden")
    for header in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eDp5"}, {"Authorization": f"Bearer {embedded.central.ops_token}"}):
        answer = http.post("/edge/v1/events", content=b"[]", headers=header)
        problem(answer, 401, "unauthorised")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_an_envelope_that_is_none_is_refused_with_its_place(register: Register) -> None:
    good = register.sale()
    for culprit in (b"{}", b"7", good.replace(b'"stream":"trade"', b'"stream":"gossip"'), good.replace(b'"specversion":"1.0"', b'"specversion":"0.3"')):
        assert problem(register.push(good, culprit), 422, "envelope-invalid")["index"] == 1
    assert register.next() == 1


def test_a_body_that_is_no_batch_is_refused(register: Register) -> None:
    for body in (b"", b"{}", b"[1,", b"\xff\xfe", b"[" * 100_000):
        problem(register.push(body=body), 400, "invalid")
    for encoding in ("gzip", "zstd"):
        problem(register.push(body=b"not compressed", headers={"Content-Encoding": encoding}), 400, "invalid")
    problem(register.push(body=b"[]", headers={"Content-Encoding": "br"}), 415, "encoding-unsupported")
    problem(register.push(body=b"[]", headers={"Content-Type": "application/json"}), 415, "encoding-unsupported")
    assert register.push(body=b"[]").status_code == 200


def test_too_much_is_refused_before_and_after_decompression(register: Register) -> None:
    problem(register.push(body=b" " * (BODY_BYTES_MAX + 1)), 413, "too-large")
    bomb = zstandard.compress(b"[" + b" " * 200_000_000 + b"]")
    assert len(bomb) < 100_000
    problem(register.push(body=bomb, headers={"Content-Encoding": "zstd"}), 413, "too-large")
    problem(register.push(body=gzip.compress(b" " * 50_000_000), headers={"Content-Encoding": "gzip"}), 413, "too-large")
    many = join_batch([b"{}"] * (BATCH_FACTS_MAX + 1))
    assert str(BATCH_FACTS_MAX) in problem(register.push(body=many), 413, "too-large")["detail"]


def changed_sale(register: Register, **changes: Any) -> dict[str, Any]:
    return register.sale_data(**changes)


QUARANTINED = {
    "sale-total": lambda sale: sale | {"totals": sale["totals"] | {"totalMinor": 1700}},
    "sale-tenders": lambda sale: sale | {"tenders": [sale["tenders"][0] | {"settledMinor": 1700, "givenMinor": 1978}]},
    "sale-cash": lambda sale: sale | {"tenders": [sale["tenders"][0] | {"changeMinor": 279}]},
    "sale-taxes": lambda sale: sale | {"taxes": sale["taxes"][:1]},
    "sale-lines": lambda sale: sale | {"lineItems": [sale["lineItems"][0] | {"extendedAmountMinor": 1999}, sale["lineItems"][1]]},
    "sale-prices": lambda sale: sale | {"lineItems": [sale["lineItems"][0] | {"quantity": 7}, sale["lineItems"][1]]},
    "sale-totals": lambda sale: sale | {"totals": sale["totals"] | {"tenderedMinor": 1}},
    "sale-shift": lambda sale: sale | {"businessDayDate": "2026-13-45"},
    "fact-schema": lambda sale: sale | {"lineItems": [{**sale["lineItems"][0], "quantity": 0.5}]},
    "fact-place": lambda sale: sale | {"workstationId": "77"},
    "sale-currency": lambda sale: sale | {"currencyCode": "USD"},
    "receipt-repeated": lambda sale: sale | {"receiptCode": "R-0001-02-000001"},
    "receipt-twice": lambda sale: sale | {"sequenceNumber": 1},
    "sale-twice": lambda sale: sale | {"transactionId": "sale-0001-02-1-1"},
}


@pytest.mark.parametrize("reason", sorted(QUARANTINED))
def test_a_fact_that_is_wrong_in_business_terms_is_stored_told_and_does_not_hold_up_the_next(
    register: Register, embedded: EmbeddedCentral, http: httpx.Client, reason: str
) -> None:
    register.push(register.sale())
    wrong = register.fact(facts.SALE, QUARANTINED[reason](register.sale_data()))
    ack = register.ack(register.push(wrong, register.sale()))
    assert (ack["next"], ack["accepted"]) == (4, 2)
    (found,) = ack["quarantined"]
    assert (found["sequence"], found["problem"]["type"], found["problem"]["status"]) == (2, f"urn:edge:problem:{reason}", 422)
    (listed,) = http.get("/ops/quarantine", headers={"Authorization": f"Bearer {embedded.central.ops_token}"}).json()
    assert (listed["sequence"], listed["problem"]) == (2, found["problem"])
    report = embedded.central.reconcile()
    assert (report.ok, report.sales, report.quarantined) == (True, 2, 1)
    assert wrong in [bytes(fact.event) for fact in embedded.central.facts(quarantined=True)]


def test_a_receipt_code_repeated_in_one_batch_is_told_and_one_of_another_register_or_epoch_is_its_own(
    register: Register, embedded: EmbeddedCentral, http: httpx.Client
) -> None:
    ack = register.ack(register.push(*[register.sale(receiptCode=code) for code in ("R-7", "R-8", "R-7")]))
    assert [(each["sequence"], each["problem"]["type"]) for each in ack["quarantined"]] == [(3, "urn:edge:problem:receipt-repeated")]
    assert "R-7" in ack["quarantined"][0]["problem"]["detail"]
    for other in (enrolled(http, embedded.central, "0001", "03"), enrolled(http, embedded.central, "0001", "02")):
        assert other.ack(other.push(other.sale(receiptCode="R-7")))["quarantined"] == []
    assert embedded.central.reconcile().ok


@pytest.mark.parametrize("name", ["linesMinor", "modifiersMinor", "roundingMinor", "changeMinor", "tenderedMinor"])
def test_each_total_is_what_it_is_the_total_of(register: Register, name: str) -> None:
    sale = register.sale_data()
    wrong = register.fact(facts.SALE, sale | {"totals": sale["totals"] | {name: sale["totals"][name] + 1}})
    (found,) = register.ack(register.push(wrong))["quarantined"]
    assert found["problem"]["type"] == "urn:edge:problem:sale-totals"


@pytest.mark.parametrize("missing", ["shiftId", "operatorId", "businessDayDate"])
def test_a_sale_names_its_shift_its_operator_and_its_business_day(register: Register, missing: str) -> None:
    (found,) = register.ack(register.push(register.fact(facts.SALE, register.sale_data() | {missing: ""})))["quarantined"]
    assert found["problem"]["type"] == "urn:edge:problem:sale-shift"


def test_types_and_streams_that_central_does_not_know_go_to_quarantine(register: Register) -> None:
    unknown = register.fact("retail.weather.observed.v1", register.common(), stream="ops")
    strayed = register.fact(facts.SHIFT_OPENED, {**register.common(), "floatMinor": 1, "currencyCode": "EUR"}, stream="ops")
    ack = register.ack(register.push(unknown, strayed), "ops")
    assert [each["problem"]["type"].rsplit(":", 1)[1] for each in ack["quarantined"]] == ["fact-type", "fact-stream"]
    assert ack["next"] == 3


def test_many_registers_at_once_share_commits_and_lose_nothing(embedded: EmbeddedCentral, http: httpx.Client) -> None:
    registers = [enrolled(http, embedded.central, register=number) for number in ("01", "02", "03")] + [enrolled(http, embedded.central, "0002", "01")]

    def sell(register: Register) -> None:
        with httpx.Client(base_url=embedded.url) as own:
            register.http = own
            for _ in range(15):
                register.ack(register.push_zstd(*[register.sale() for _ in range(4)]))

    with ThreadPoolExecutor(len(registers)) as pool:
        list(pool.map(sell, registers))
    report = embedded.central.reconcile()
    assert (report.ok, report.sales) == (True, 4 * 60)
    assert [stream.last for each in report.registers for stream in each.streams] == [60, 60, 60, 60]


def test_a_quarantine_is_told_again_when_the_answer_that_told_it_was_lost(register: Register) -> None:
    wrong = register.sale(tenders=[])
    first = register.ack(register.push(wrong))
    again = register.ack(register.push(wrong, register.sale()))
    assert (again["quarantined"], again["duplicates"], again["accepted"]) == (first["quarantined"], 1, 1)
    assert len(first["quarantined"]) == 1


def test_a_number_that_fits_no_counter_is_refused(register: Register) -> None:
    for number in (0, 10**18, 10**20 - 1):
        problem(register.push(register.fact(facts.SALE, register.sale_data(), number=number)), 422, "envelope-invalid")


def test_a_disk_without_room_is_told_as_busy_and_nothing_is_acknowledged(register: Register, embedded: EmbeddedCentral) -> None:
    register.push(register.sale())
    writer = embedded.central._platform.writer
    pages = writer.submit(lambda transaction: transaction.db.execute("PRAGMA page_count").fetchone()[0]).result(5)
    writer.submit(lambda transaction: transaction.db.execute(f"PRAGMA max_page_count = {pages}").fetchall()).result(5)
    many = [register.sale() for _ in range(200)]
    busy = register.push(*many)
    problem(busy, 503, "busy")
    assert int(busy.headers["retry-after"]) > 0
    assert register.next() == 2
    writer.submit(lambda transaction: transaction.db.execute("PRAGMA max_page_count = 1000000").fetchall()).result(5)
    assert register.ack(register.push(*many))["accepted"] == 200


def test_more_batches_at_once_than_central_holds_are_told_to_come_back(tmp_path: Path) -> None:
    gate = threading.Event()
    with running_central(tmp_path / "small", limits=Limits(pushes_in_hand_max=1)) as small, httpx.Client(base_url=small.url) as http:
        register = enrolled(http, small.central)
        held = small.central._platform.writer.submit(lambda transaction: gate.wait(10))
        wire = register.sale()
        with ThreadPoolExecutor(3) as pool:
            answers = [pool.submit(register.push, wire) for _ in range(3)]
            wait_until(lambda: sum(answer.done() for answer in answers) == 2, "two are refused while one waits for the disk")
            gate.set()
        held.result(5)
        assert sorted(answer.result().status_code for answer in answers) == [200, 503, 503]
