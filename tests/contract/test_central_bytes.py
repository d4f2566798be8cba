"""Whatever bytes arrive, central answers with a problem of its own or takes the fact in; nothing else, and no register's queue is ever held up."""

from __future__ import annotations

import copy
import doctest
import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.central import feeds
from sync.central.feed_pages import start_of
from sync.central.intake import ENCODINGS, read_batch
from sync.central.ledger import take_in
from sync.central.problems import Refused
from sync.central.reconcile import reconcile
from sync.central.registers import Who, put_stores
from sync.central.storage import Db, open_database
from sync.central.writer import Transaction
from sync.contract.envelope import FIRST_PREVHASH, encode_fact, fact_hash, join_batch
from sync.contract.example_facts import EPOCH, SOURCE, example_day
from sync.contract.messages import Problem, PushAck
from tests.support_enrolled import STORES, TENANT

T = TypeVar("T")
WHO = Who(SOURCE, "0001", "02", int(EPOCH), int(EPOCH), "DE", "EUR", "")
DAY = [(kind, msgspec.json.decode(wire)) for kind, wire in example_day()]
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.sampled_from([2**53, 2**63, -(2**63) - 1, 10**40, "", "\x00", "x" * 600, [], {}, 0.5]), st.text(max_size=20)
)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Db]:
    made = open_database(tmp_path_factory.mktemp("central") / "central.db", writes=True)
    made.execute("BEGIN")
    transaction = Transaction(made, 1)
    feeds.prepare_feeds(transaction)
    put_stores(transaction, TENANT, STORES)
    made.execute("UPDATE register SET epoch = ? WHERE source = ?", (WHO.epoch, SOURCE))
    made.execute("COMMIT")
    yield made
    made.close()


def paths(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where every value of decoded JSON is."""
    yield here
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, (*here, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from paths(inner, (*here, index))


@st.composite
def odd_data(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A type and the data of one of its examples with up to three values replaced."""
    kind, event = draw(st.sampled_from(DAY))
    data = copy.deepcopy(event["data"])
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from([path for path in paths(data) if path]))
        inner = data
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = draw(ODD)
    return kind, data


def push_one(db: Db, kind: str, stream: str, data: dict[str, Any]) -> None:
    """The next fact of a stream goes in, whatever it says."""
    where = "SELECT next, head_hash FROM chain WHERE source = ? AND stream = ?"
    number, prevhash = db.execute(where, (SOURCE, stream)).fetchone() or (1, FIRST_PREVHASH)
    wire = encode_fact(
        source=SOURCE, stream=stream, epoch=EPOCH, number=number, prevhash=prevhash, id=f"{stream}-{number}", type=kind,
        subject=str(data.get("transactionId"))[:128] or "s", at_ms=1, salt=bytes(16), data={name: value for name, value in data.items() if name != "salt"},
    )  # fmt: skip
    batch = read_batch(join_batch([wire]), "identity", WHO)
    db.execute("BEGIN")
    answer = take_in(Transaction(db, 1), WHO, batch)
    db.execute("COMMIT")
    assert isinstance(answer, PushAck)
    assert answer.registers[SOURCE].streams[stream].next == number + 1
    assert db.execute(where, (SOURCE, stream)).fetchone() == (number + 1, fact_hash(wire))


def test_facts_with_odd_data_are_taken_in_the_streams_go_on_and_the_books_agree(db: Db) -> None:
    @settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(odd_data(), st.sampled_from(["trade", "people", "ops"]))
    def push_odd(fact: tuple[str, dict[str, Any]], stream: str) -> None:
        push_one(db, fact[0], stream, fact[1])

    for kind, event in DAY:
        push_one(db, kind, event["stream"], event["data"])
    push_odd()
    report = reconcile(db, 1)
    assert report.ok
    assert report.quarantined > 20, "odd data was among it"
    assert report.sales >= 2


def attempt(call: Callable[[], T]) -> T | Problem:
    """What a call answers, or what it is refused with; any other failure is a failure."""
    try:
        return call()
    except Refused as refusal:
        return refusal.problem


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([*ENCODINGS, "br", ""]))
def test_any_bytes_are_a_refusal_or_by_chance_an_empty_array(body: bytes, encoding: str) -> None:
    found = attempt(lambda: read_batch(body, encoding, WHO))
    assert found.status in (400, 415, 422) if isinstance(found, Problem) else found.streams == {}


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_batch_is_a_batch_or_a_refusal(data: st.DataObject) -> None:
    body = bytearray(join_batch([wire for _, wire in example_day()][:3]))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    packed = zstandard.compress(bytes(body))
    cut = data.draw(st.just(len(packed)) | st.integers(0, len(packed)))
    found = attempt(lambda: read_batch(packed[:cut], "zstd", WHO))
    assert found.status in (400, 403, 409, 422) if isinstance(found, Problem) else len(found.streams) > 0


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=120) | st.from_regex(r"[a-z-]{0,5}(-[0-9]{1,25}){2,4}", fullmatch=True))
def test_any_cursor_is_a_place_or_a_refusal(db: Db, text: str) -> None:
    found = attempt(lambda: start_of(db, "me", "prices", text))
    assert found.status in (400, 410) if isinstance(found, Problem) else text in ("", found.text)


@pytest.mark.parametrize(
    "name",
    [
        "sync.contract.envelope", "sync.contract.rows", "sync.contract.identifiers", "sync.central.enrolment", "sync.central.report", "sync.central.feed_pages",
        "sync.central.api.ranges",
    ],
)  # fmt: skip
def test_the_examples_in_docstrings_are_true(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert (result.attempted > 0, result.failed) == (True, 0)


def test_a_file_of_the_first_version_is_opened_by_this_one(tmp_path: Path) -> None:
    first = open_database(tmp_path / "c.db", writes=True)
    first.execute("INSERT INTO meta (name, value) VALUES ('tenant', 'acme')")
    first.close()
    again = open_database(tmp_path / "c.db", writes=True)
    assert again.execute("SELECT value FROM meta").fetchall() == [("acme",)]
    again.close()
