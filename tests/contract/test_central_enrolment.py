"""Enrolment over HTTP: a code buys one register for one key, once; a new one retires the old."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.central.problems import Refused
from sync.central.serving import EmbeddedCentral
from tests.support_enrolled import SetClock, base64url, enrol_request, enrolled, running_central


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def embedded(tmp_path: Path, clock: SetClock) -> Iterator[EmbeddedCentral]:
    with running_central(tmp_path / "central", clock) as made:
        yield made


@pytest.fixture
def http(embedded: EmbeddedCentral) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=embedded.url) as client:
        yield client


def ask(http: httpx.Client, request: dict[str, str]) -> tuple[int, str]:
    answer = http.post("/edge/v1/enrolments", json=request)
    return answer.status_code, answer.json().get("type", "").rsplit(":", 1)[-1]


def test_a_code_makes_a_device_a_register(embedded: EmbeddedCentral, http: httpx.Client, clock: SetClock) -> None:
    code = embedded.central.enrol_code("0001", "02")
    assert (len(code.code), code.expires_ms) == (11, clock.wall_ms + 600_000)
    answer = http.post("/edge/v1/enrolments", json=enrol_request(code.code))
    assert answer.status_code == 201
    identity = answer.json()
    assert len(identity.pop("token")) == 43
    market = identity.pop("market")
    assert (market["currency"], market["timezone"], market["taxRates"][0]["rateMilli"]) == ("EUR", "Europe/Berlin", 19_000)
    assert identity == {
        "tenant": "acme", "store": "0001", "storeName": "Berlin Mitte", "register": "02", "epoch": "1", "country": "DE", "issuedMs": clock.wall_ms,
        "earlier": {},
    }  # fmt: skip


def test_a_code_typed_in_another_spelling_is_the_same_code(embedded: EmbeddedCentral, http: httpx.Client) -> None:
    code = embedded.central.enrol_code("0001", "02").code
    typed = " " + code.lower().replace("-", "").replace("0", "o").replace("1", "l")
    assert ask(http, enrol_request(typed)) == (201, "")


def test_a_code_is_used_by_one_key_once_and_that_key_may_ask_again_when_the_answer_was_lost(embedded: EmbeddedCentral, http: httpx.Client) -> None:
    code, key = embedded.central.enrol_code("0001", "02").code, Ed25519PrivateKey.generate()
    first = http.post("/edge/v1/enrolments", json=enrol_request(code, key)).json()
    again = http.post("/edge/v1/enrolments", json=enrol_request(code, key)).json()
    assert (first["epoch"], again["epoch"]) == ("1", "1")
    assert ask(http, enrol_request(code)) == (403, "enrolment-code-invalid")
    cursor = "/edge/v1/registers/02/cursor"
    assert http.get(cursor, headers={"Authorization": f"Bearer {again['token']}"}).status_code == 200
    assert http.get("/edge/v1/feeds/prices", headers={"Authorization": f"Bearer {first['token']}"}).status_code == 401


def test_codes_end_after_ten_minutes_and_when_a_newer_one_is_made(embedded: EmbeddedCentral, http: httpx.Client, clock: SetClock) -> None:
    old = embedded.central.enrol_code("0001", "02").code
    new = embedded.central.enrol_code("0001", "02").code
    assert ask(http, enrol_request(old)) == (403, "enrolment-code-invalid")
    clock.wall_ms += 600_000
    assert ask(http, enrol_request(new)) == (403, "enrolment-code-invalid")
    assert ask(http, enrol_request("0000000000")) == (403, "enrolment-code-invalid")


def test_a_wrong_proof_is_refused_and_leaves_the_code_usable(embedded: EmbeddedCentral, http: httpx.Client) -> None:
    code = embedded.central.enrol_code("0001", "02").code
    good = enrol_request(code)
    stranger = base64url(Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    for wrong in (
        {"proof": enrol_request(code)["proof"]},
        {"publicKey": stranger},
        {"proof": "!" * 86},
        {"publicKey": "A" * 42 + "B"},  # not canonical base64url
        {"code": embedded.central.enrol_code("0001", "01").code},  # the proof is over another code
    ):
        assert ask(http, good | wrong) == (400, "invalid"), wrong
    assert ask(http, {name: value for name, value in good.items() if name != "proof"}) == (400, "invalid")
    assert ask(http, good) == (201, "")


def test_each_enrolment_is_the_next_epoch_and_begins_its_streams_anew(embedded: EmbeddedCentral, http: httpx.Client) -> None:
    first = enrolled(http, embedded.central)
    first.push(first.sale(), first.sale())
    second = enrolled(http, embedded.central)
    assert (first.epoch, second.epoch, second.next()) == ("1", "2", 1)
    second.ack(second.push(second.sale()))
    report = embedded.central.reconcile()
    assert [(each.epoch, each.streams[0].last) for each in report.registers] == [(1, 2), (2, 1)]


def test_a_code_is_made_for_configured_registers_only(embedded: EmbeddedCentral, http: httpx.Client) -> None:
    with pytest.raises(Refused, match="Store 0001 has no register 77"):
        embedded.central.enrol_code("0001", "77")
    ops = {"Authorization": f"Bearer {embedded.central.ops_token}"}
    assert http.post("/ops/registers/0009/01/enrol-code", headers=ops).status_code == 404
    new = {"store": "0009", "storeName": "Lyon", "country": "FR", "registers": ["01"]}
    told = http.put("/ops/stores/0009", json=new, headers=ops)
    assert (told.status_code, "market" in told.json()["detail"]) == (400, True)
    rates = [{"taxClass": "standard", "rateMilli": 20_000, "label": "20 %"}]
    euro = {"country": "FR", "currency": "EUR", "locale": "fr_FR", "timezone": "Europe/Paris", "priceIncludesTax": True}
    market = euro | {"taxRounding": "document", "taxRates": rates, "notesMinor": [500, 1000, 2000, 5000]}
    assert http.put("/ops/stores/0009", json=new | {"market": market}, headers=ops).json() == {"changed": 1}
    code = http.post("/ops/registers/0009/01/enrol-code", headers=ops).json()["code"]
    assert ask(http, enrol_request(code)) == (201, "")


def test_a_register_can_be_frozen_by_hand_until_it_is_enrolled_again(embedded: EmbeddedCentral, http: httpx.Client) -> None:
    register = enrolled(http, embedded.central)
    ops = {"Authorization": f"Bearer {embedded.central.ops_token}"}
    assert http.post("/ops/registers/0001/02/freeze", json={"reason": "Stolen"}, headers=ops).status_code == 204
    refused = register.push(register.sale()).json()
    assert (refused["type"], refused["detail"]) == ("urn:edge:problem:register-frozen", "Stolen")
    again = enrolled(http, embedded.central)
    assert again.push(again.sale()).status_code == 200


def test_tokens_and_codes_are_nowhere_in_the_file(embedded: EmbeddedCentral, http: httpx.Client, tmp_path: Path) -> None:
    code = embedded.central.enrol_code("0001", "01").code.replace("-", "")
    register = enrolled(http, embedded.central)
    register.push(register.sale())
    token = register.identity["token"]
    embedded.stop()
    everything = b"".join(path.read_bytes() for path in (tmp_path / "central").glob("central.db*"))
    assert register.source.encode() in everything
    assert token.encode() not in everything
    assert code.encode() not in everything
    embedded.start()
