"""A code that was used may be repeated while its answer may have been lost, and never to take a register from the machine that has it now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.central.serving import EmbeddedCentral
from sync.central.storage import open_database
from tests.support_enrolled import Register, enrol_request, enrolled, running_central

CURSOR = "/edge/v1/registers/02/cursor"


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedCentral]:
    with running_central(tmp_path / "central") as made:
        yield made


@pytest.fixture
def http(embedded: EmbeddedCentral) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=embedded.url) as client:
        yield client


def code_for(embedded: EmbeddedCentral, register: str = "02") -> str:
    return embedded.central.enrol_code("0001", register).code


def ask(http: httpx.Client, code: str, key: Ed25519PrivateKey) -> httpx.Response:
    return http.post("/edge/v1/enrolments", json=enrol_request(code, key))


def taken(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 201, answer.text
    identity: dict[str, Any] = answer.json()
    return identity


def refused(answer: httpx.Response) -> str:
    assert (answer.status_code, answer.json().get("type")) == (403, "urn:edge:problem:enrolment-code-invalid"), answer.text
    detail: str = answer.json()["detail"]
    return detail


def status(http: httpx.Client, path: str, identity: dict[str, Any]) -> int:
    return http.get(path, headers={"Authorization": f"Bearer {identity['token']}"}).status_code


def forget_that_a_newer_code_was_made(folder: Path, epoch: int) -> None:
    """As in a file in which the codes' own rows do not tell it."""
    db = open_database(folder / "central.db", writes=True)
    db.execute("UPDATE enrol_code SET epoch = ? WHERE used_ms IS NOT NULL", (epoch,))
    db.close()


def test_a_machine_that_was_replaced_does_not_take_the_register_back_with_its_used_code(embedded: EmbeddedCentral, http: httpx.Client) -> None:
    replaced, successor = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    first = code_for(embedded)
    assert taken(ask(http, first, replaced))["epoch"] == "1"
    now = taken(ask(http, code_for(embedded), successor))
    assert now["epoch"] == "2"
    assert "Make a new code only if this device is to be the register" in refused(ask(http, first, replaced))
    assert status(http, CURSOR, now) == 200
    assert status(http, "/edge/v1/feeds/prices", now) == 200


def test_the_epoch_that_a_code_bought_is_looked_at_and_not_only_whether_a_newer_one_was_made(
    embedded: EmbeddedCentral, http: httpx.Client, tmp_path: Path
) -> None:
    key, first = Ed25519PrivateKey.generate(), code_for(embedded)
    taken(ask(http, first, key))
    now = taken(ask(http, code_for(embedded), Ed25519PrivateKey.generate()))
    forget_that_a_newer_code_was_made(tmp_path / "central", 1)
    refused(ask(http, first, key))
    assert status(http, CURSOR, now) == 200


def test_a_newer_code_ends_the_repeat_of_the_one_before_also_while_nobody_has_used_it(embedded: EmbeddedCentral, http: httpx.Client) -> None:
    key, first = Ed25519PrivateKey.generate(), code_for(embedded)
    taken(ask(http, first, key))
    second = code_for(embedded)
    refused(ask(http, first, key))
    assert taken(ask(http, second, key))["epoch"] == "2"
    assert taken(ask(http, second, key))["epoch"] == "2"


def test_of_two_codes_made_one_after_the_other_the_newer_one_alone_is_good(embedded: EmbeddedCentral, http: httpx.Client) -> None:
    older, newer = code_for(embedded), code_for(embedded)
    assert "newer" in refused(ask(http, older, Ed25519PrivateKey.generate()))
    assert taken(ask(http, newer, Ed25519PrivateKey.generate()))["epoch"] == "1"


def test_a_cloned_disk_with_the_key_of_the_device_does_not_take_it_with_the_older_code(embedded: EmbeddedCentral, http: httpx.Client) -> None:
    key, first = Ed25519PrivateKey.generate(), code_for(embedded)
    taken(ask(http, first, key))
    now = taken(ask(http, code_for(embedded), key))  # the clone's
    refused(ask(http, first, key))
    assert (status(http, CURSOR, now), now["epoch"]) == (200, "2")


def test_a_code_whose_answer_was_not_lost_is_not_repeated_by_a_clone_of_the_disk(embedded: EmbeddedCentral, http: httpx.Client) -> None:
    key, code = Ed25519PrivateKey.generate(), code_for(embedded)
    register = Register(http, code, key)
    register.ack(register.push(register.sale()))
    assert "has sent facts since" in refused(ask(http, code, key))
    register.ack(register.push(register.sale()))


def test_a_device_that_became_another_register_does_not_become_the_first_again_with_the_used_code(embedded: EmbeddedCentral, http: httpx.Client) -> None:
    key, first = Ed25519PrivateKey.generate(), code_for(embedded, "01")
    taken(ask(http, first, key))
    second = code_for(embedded, "02")
    now = taken(ask(http, second, key))
    refused(ask(http, first, key))
    assert status(http, CURSOR, now) == 200
    assert taken(ask(http, second, key))["register"] == "02"


def test_a_token_that_the_repeat_replaced_carries_no_facts(embedded: EmbeddedCentral, http: httpx.Client) -> None:
    key, code = Ed25519PrivateKey.generate(), code_for(embedded)
    register = Register(http, code, key)
    again = taken(ask(http, code, key))
    answer = register.push(register.sale())
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:edge:problem:unauthorised")
    assert (status(http, CURSOR, register.identity), status(http, CURSOR, again)) == (401, 200)


def test_the_token_of_an_earlier_enrolment_is_still_told_that_its_epoch_is_retired(embedded: EmbeddedCentral, http: httpx.Client) -> None:
    before = enrolled(http, embedded.central)
    enrolled(http, embedded.central)
    answer = before.push(before.sale())
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:edge:problem:epoch-retired")
