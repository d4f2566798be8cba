"""What stands for a customer is compared in one form, at central and in a register's copy alike, and finds everybody it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import sqlcipher3
from sqlite_utils import Database

from edge_agent.domain.customer import Identifier, IdentifierKind
from sync.central.migrations import MIGRATIONS
from sync.central.serving import EmbeddedCentral
from sync.central.storage import open_database
from sync.contract import schemas
from sync.contract.messages import CUSTOMERS_FOUND_MAX
from sync.contract.problems import PROBLEMS
from sync.replica import Replica
from tests.support_enrolled import Register, customer_row, enrolled, lines_of, running_central
from tests.support_replica import KEY, FixedClock, at, gone, put

WRITTEN = (
    ("phone", "+49 170 1234567", "+491701234567"), ("phone", "+491701234567", "0049 (0)170 / 123-4567"), ("phone", "0049170.1234567", "0170 1234567"),
    ("phone", "0170 123 45 67", "0170-1234567"), ("tag_uid", "04:a2:3b:ff:5c:80:11", "04A23BFF5C8011"), ("tag_uid", "04A23BFF5C8011", "04-a2-3b-ff-5c-80-11"),
    ("loyalty", "loy0000000123", " LOY0000000123"), ("email", "Ada@Example.org", "ADA@example.org "),
)  # fmt: skip
"""A kind, how it is published, and how it is typed in a German store."""


def identified(customer: str, *pairs: tuple[str, str]) -> dict[str, Any]:
    return customer_row(customer, identifiers=[{"kind": kind, "value": value} for kind, value in pairs])


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


@pytest.fixture
def ops(embedded: EmbeddedCentral) -> dict[str, str]:
    return {"Authorization": f"Bearer {embedded.central.ops_token}"}


@pytest.fixture
def german(tmp_path: Path) -> Iterator[Replica]:
    made = Replica(tmp_path / "replica", KEY, FixedClock(), "EUR", "DE")
    yield made
    made.close()


def asked(register: Register, kind: str, value: str) -> httpx.Response:
    return register.http.get("/edge/v1/customers", params={"kind": kind, "value": value}, headers=register.headers)


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code in (200, 404), answer.text
    return [row["id"] for row in answer.json()["customers"]] if answer.status_code == 200 else []


@pytest.mark.parametrize(("kind", "published", "typed"), WRITTEN)
def test_central_knows_an_identifier_however_it_is_written(register: Register, embedded: EmbeddedCentral, kind: str, published: str, typed: str) -> None:
    embedded.central.seed("customers", [("c1", identified("c1", (kind, published)))])
    assert ids(asked(register, kind, typed)) == ["c1"]
    assert asked(register, kind, published).json()["customers"][0]["identifiers"] == [{"kind": kind, "value": published}], (
        "a row is answered as it was published"
    )


@pytest.mark.parametrize(("kind", "published", "typed"), WRITTEN)
def test_the_local_copy_knows_an_identifier_however_it_is_written(german: Replica, kind: str, published: str, typed: str) -> None:
    german.apply("customers", [put("c1", identified("c1", (kind, published)))], at("1"))
    assert [found.id for found in german.people.identify(Identifier(IdentifierKind(kind), typed))] == ["c1"]


def test_a_national_number_is_one_of_the_store_that_asks(register: Register, http: httpx.Client, embedded: EmbeddedCentral, german: Replica) -> None:
    abroad = enrolled(http, embedded.central, "0002", "01")
    known = ("c1", identified("c1", ("phone", "+1 212 555 0123"))), ("c2", identified("c2", ("phone", "+49 212 5550123")))
    embedded.central.seed("customers", known)
    assert (ids(asked(register, "phone", "(0212) 555-0123")), ids(asked(abroad, "phone", "(212) 555-0123"))) == (["c2"], ["c1"])
    german.apply("customers", [put(key, row) for key, row in known], at("1"))
    assert [found.id for found in german.people.find("+49 (0)212 5550123", 9)] == ["c2"]
    assert "c2" in [found.id for found in german.people.find("(0212) 555-0123", 9)]


def test_a_value_that_stands_for_nobody_finds_nobody(register: Register, embedded: EmbeddedCentral, german: Replica) -> None:
    nobody = identified("c1", ("phone", "n/a"), ("tag_uid", "--"), ("loyalty", " "))
    embedded.central.seed("customers", [("c1", nobody)])
    german.apply("customers", [put("c1", nobody)], at("1"))
    for kind, value in (("phone", "-"), ("tag_uid", ":"), ("loyalty", " ")):
        assert asked(register, kind, value).status_code == 404
        assert german.people.identify(Identifier(IdentifierKind(kind), value)) == []


def test_what_an_earlier_version_stored_is_found_in_its_one_form(tmp_path: Path) -> None:
    path = tmp_path / "central.db"
    old = sqlcipher3.connect(path, isolation_level=None)
    MIGRATIONS.apply(Database(old), stop_before="identifiers_in_one_form")
    old.execute("INSERT INTO feed VALUES ('customers', 2, 0)")
    for rev, key in enumerate(("c1", "c2"), start=1):
        row = msgspec.json.encode(identified(key, ("phone", "+49 170 1234567"), ("tag_uid", f"04:{key}"))).decode()
        old.execute("INSERT INTO feed_row VALUES ('customers', ?, ?, 'put', ?, NULL, NULL, '', 'SEK', 1)", (key, rev, row))
    old.execute("INSERT INTO identifier VALUES ('phone', '+49 170 1234567', 'c2')")
    old.close()
    db = open_database(path, writes=True)
    found = db.execute("SELECT kind, value, customer FROM identifier ORDER BY kind, value, customer").fetchall()
    left = db.execute("SELECT feed, key, scope FROM feed_left").fetchall()
    db.close()
    assert left == [("customers", "c1", "SEK"), ("customers", "c2", "SEK")]
    assert found == [("phone", "+491701234567", "c1"), ("phone", "+491701234567", "c2"), ("tag_uid", "04C1", "c1"), ("tag_uid", "04C2", "c2")]


QUESTIONS = ("customers?value={0}", "customers?kind={0}&value={0}", "customers?kind={0}{0}{0}{0}{0}&value=x", "feeds/{0}", "feeds/staff?wait={0}",
             "feeds/staff?after={0}", "carts/{0}", "nowhere/{0}?value={0}")  # fmt: skip


def test_what_somebody_typed_is_not_repeated_in_a_refusal_and_a_type_has_one_title(register: Register, ops: dict[str, str]) -> None:
    typed = "Fernandez"
    answers = [register.http.get("/edge/v1/" + question.format(typed), headers=register.headers) for question in QUESTIONS]
    article = {"sku": "A", "name": "", "variant": "", "gtins": [], "item": "", "department": "", "taxClass": "", "soldBy": typed}
    answers.append(register.http.put("/ops/feeds/catalogue/A", json=article, headers=ops))
    for answer in answers:
        problem = answer.json()
        assert (typed in answer.text, problem["title"]) == (False, PROBLEMS[problem["type"]].title), answer.text


# --- one identifier, several customers ---------------------------------------------------------------------------------------------

SHARED = "+49 170 1234567"
COUPLE = (("c1", identified("c1", ("phone", SHARED), ("loyalty", "LOY1"))), ("c2", identified("c2", ("phone", "0049 170 1234567"), ("loyalty", "LOY2"))))


def test_a_shared_number_finds_everybody_at_central_and_stays_theirs_who_keep_it(
    register: Register, http: httpx.Client, ops: dict[str, str], embedded: EmbeddedCentral
) -> None:
    embedded.central.seed("customers", COUPLE)
    assert ids(asked(register, "phone", "0170 1234567")) == ["c1", "c2"]
    assert not list(schemas.faults("customers-found.v1", asked(register, "phone", SHARED).json()))
    http.put("/ops/feeds/customers/c2", json=identified("c2", ("phone", "+49 30 1"), ("loyalty", "LOY2")), headers=ops)
    assert ids(asked(register, "phone", SHARED)) == ["c1"]
    embedded.central.seed("customers", COUPLE)
    http.delete("/ops/feeds/customers/c1", headers=ops)
    assert ids(asked(register, "phone", SHARED)) == ["c2"]


def test_a_shared_number_finds_everybody_in_the_local_copy_and_stays_theirs_who_keep_it(german: Replica) -> None:
    def found() -> list[str]:
        by_typing = [one.id for one in german.people.find("0170 1234567", 9)]
        assert [one.id for one in german.people.identify(Identifier(IdentifierKind.PHONE, SHARED))] == by_typing
        return by_typing

    both = [put(key, row) for key, row in COUPLE]
    german.apply("customers", both, at("1"))
    assert found() == ["c1", "c2"]
    german.apply("customers", [put("c2", identified("c2", ("loyalty", "LOY2")))], at("2"))
    assert found() == ["c1"]
    german.apply("customers", [*both, gone("c1")], at("3"))
    assert found() == ["c2"]


def test_more_customers_than_are_told_of_one_number_are_cut_off(register: Register, embedded: EmbeddedCentral) -> None:
    embedded.central.seed("customers", [(f"c{number:03}", identified(f"c{number:03}", ("phone", SHARED))) for number in range(CUSTOMERS_FOUND_MAX + 5)])
    assert len(ids(asked(register, "phone", SHARED))) == CUSTOMERS_FOUND_MAX


@pytest.mark.parametrize(("kind", "first", "second"), [("loyalty", "LOY1", "loy1"), ("tag_uid", "04:a2:3b:ff", "04A23BFF")])
def test_a_card_or_tag_is_one_customers_and_moves_only_as_a_whole(
    register: Register, http: httpx.Client, ops: dict[str, str], embedded: EmbeddedCentral, kind: str, first: str, second: str
) -> None:
    hers, his = identified("c1", (kind, first)), identified("c2", (kind, second))
    embedded.central.seed("customers", [("c1", hers)])
    refused = http.put("/ops/feeds/customers/c2", json=his, headers=ops)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:edge:problem:identifier-taken")
    assert "c1" in refused.json()["detail"]
    assert second not in refused.text
    assert ids(asked(register, kind, first)) == ["c1"]
    assert [row["key"] for row in lines_of(register.feed("customers"))[0]] == ["c1"], "nothing of it was published"
    both = [{"key": "c2", "data": his}, {"key": "c1", "data": identified("c1", ("email", "a@example.org"))}]
    assert http.post("/ops/feeds/customers", json=both, headers=ops).json() == {"changed": 2}
    assert ids(asked(register, kind, first)) == ["c2"]
    assert http.delete("/ops/feeds/customers/c2", headers=ops).json() == {"changed": 1}
    assert http.put("/ops/feeds/customers/c1", json=hers, headers=ops).json() == {"changed": 1}
    assert ids(asked(register, kind, second)) == ["c1"]
