"""The published schemas and examples are what the code says, agree with each other, and refuse what is broken."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge_agent.domain.errors import ContractBroken
from sync.central.checks import TITLES, check_sale
from sync.contract import schemas
from sync.contract.build import MESSAGES, example_files, schema_files
from sync.contract.envelope import FIRST_PREVHASH, Envelope, decode_fact, split_batch
from sync.contract.example_messages import message_examples
from sync.contract.facts import BEHIND, CONTRADICTED, DATA_BY_TYPE, SALE, STREAM_BY_TYPE, WITHHELD, SaleCompleted
from sync.contract.messages import FEEDS, PROBLEM_ROOT, FeedEnd, FeedRow
from sync.contract.problems import PROBLEMS
from sync.contract.rows import ROW_BY_FEED

FOLDER = files("sync.contract")
HOW_TO = "run: python -m sync.contract.build"

ROWS: dict[str, dict[str, Any]] = {
    "catalogue": {
        "sku": "A-1", "name": "T-shirt", "variant": "M", "gtins": ["04006381333931"], "item": "", "department": "Clothing", "taxClass": "standard",
        "soldBy": "piece",
    },
    "prices": {"sku": "A-1", "amountMinor": 1999, "currency": "EUR", "book": "de", "version": "1", "group": "gold", "fromMs": 0, "untilMs": None},
    "customers": {
        "id": "c1", "name": "Ada", "tier": "gold", "points": 10, "visits": 2, "lastVisitMs": None, "language": "en",
        "identifiers": [{"kind": "loyalty", "value": "LOY1"}], "sizes": ["M"], "birthday": "--12-10", "notes": ["Likes green"],
        "talk": {"channel": "chat", "atMs": 1, "text": "Hello", "promised": False}, "goesWith": ["A scarf"],
    },
    "carts": {
        "id": "k1", "customer": "c1", "version": 1, "currency": "EUR", "lines": [{"line": "l1", "sku": "A-1", "pieces": 1, "unitPriceMinor": 1999}],
        "channel": "web", "openedMs": 1, "heldBy": "",
    },
    "staff": {"id": "s1", "name": "Mia", "badge": "1001", "rights": ["sale.void"]},
}  # fmt: skip


def example(kind: str) -> bytes:
    return FOLDER.joinpath("examples", f"{kind}.json").read_bytes().rstrip(b"\n")


def data_of(kind: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(example(kind))["data"]
    return data


def samples() -> dict[str, tuple[Any, dict[str, Any]]]:
    """By schema name: the type that central decodes with, and a valid value."""
    return {kind: (made, data_of(kind)) for kind, made in DATA_BY_TYPE.items()} | {f"feed.{feed}.v1": (ROW_BY_FEED[feed], row) for feed, row in ROWS.items()}


def broken(value: Any, schema: dict[str, Any], root: dict[str, Any], path: str = "$") -> Iterator[tuple[str, Any]]:
    """Every copy of ``value`` with one required key missing, or one value of a wrong kind."""
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in schema and value is not None:
        schema = next(choice for choice in schema["anyOf"] if choice.get("type") != "null")
        yield from broken(value, schema, root, path)
    elif isinstance(value, dict):
        for key in schema.get("required", ()):
            yield f"{path}.{key} missing", {name: each for name, each in value.items() if name != key}
        for key, inner in value.items():
            for where, wrong in broken(inner, schema.get("properties", {}).get(key) or schema["additionalProperties"], root, f"{path}.{key}"):
                yield where, {**value, key: wrong}
        yield f"{path} a list", []
    elif isinstance(value, list):
        yield f"{path} an object", {}
        if value:
            for where, wrong in broken(value[0], schema["items"], root, f"{path}[0]"):
                yield where, [wrong, *value[1:]]
    else:
        yield f"{path} a fraction", 0.5
        yield f"{path} a list", []


@pytest.mark.parametrize("name", sorted(samples()))
def test_the_schema_and_the_type_accept_the_example_and_refuse_every_broken_variant(name: str) -> None:
    kind, value = samples()[name]
    assert not list(schemas.faults(name, value))
    msgspec.convert(value, kind)
    variants = list(broken(value, schemas.load(name), schemas.load(name)))
    assert len(variants) > 10
    for where, wrong in variants:
        assert list(schemas.faults(name, wrong)), f"the schema lets through: {where}"
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(json.dumps(wrong), type=kind)


@pytest.mark.parametrize("name", sorted(samples()))
def test_members_of_a_newer_version_are_let_through(name: str) -> None:
    kind, value = samples()[name]
    newer = {**value, "somethingNew": {"deep": [1]}}
    assert not list(schemas.faults(name, newer))
    msgspec.convert(newer, kind)


def test_a_broken_value_is_told_with_the_path_of_its_fault() -> None:
    value = copy.deepcopy(data_of(SALE))
    value["lineItems"][1]["quantity"] = "two"
    assert [fault.path for fault in schemas.faults(SALE, value)] == ["$.lineItems[1].quantity"]
    with pytest.raises(ContractBroken) as unknown:
        schemas.load("retail.nothing.v1")
    assert unknown.value.key == "contract_broken.schema_unknown"


def test_schema_and_example_files_are_what_the_code_makes() -> None:
    for part, made in (("schemas", schema_files()), ("examples", example_files())):
        kept = {entry.name: entry.read_text("utf-8") for entry in FOLDER.joinpath(part).iterdir()}
        assert kept == made, HOW_TO


def test_every_type_and_feed_has_a_schema() -> None:
    assert set(DATA_BY_TYPE) | {f"feed.{feed}.v1" for feed in FEEDS} <= set(schemas.names())
    assert set(STREAM_BY_TYPE) | {WITHHELD} == set(DATA_BY_TYPE)
    assert set(ROWS) == set(FEEDS)


def test_schemas_are_valid_by_the_dialect_they_name() -> None:
    for name in schemas.names():
        schema = schemas.load(name)
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        schemas._validator(name).check_schema(schema)


def test_the_example_day_is_numbered_and_chained_by_the_hashes_of_its_bytes() -> None:
    heads: dict[str, tuple[int, str]] = {}
    day = split_batch(example("day"))
    for wire in day:
        event = json.loads(wire)  # read by hand, not by our own decoder
        number, link = heads.get(event["stream"], (1, FIRST_PREVHASH))
        assert (int(event["sequence"]), len(event["sequence"]), event["prevhash"]) == (number, 20, link)
        heads[event["stream"]] = (number + 1, hashlib.sha256(wire).hexdigest())
    assert set(heads) == {"trade", "people", "ops"}
    assert {json.loads(wire)["type"] for wire in day} == set(DATA_BY_TYPE) - {BEHIND, CONTRADICTED}
    assert all(example(kind) in day for kind in set(DATA_BY_TYPE) - {BEHIND, CONTRADICTED})


def test_the_word_of_a_disk_that_ends_before_central_follows_on_the_day_and_is_true_of_it() -> None:
    day = [(json.loads(wire), hashlib.sha256(wire).hexdigest()) for wire in split_batch(example("day"))]
    word = json.loads(example(BEHIND))
    assert (word["sequence"], word["prevhash"]) == next((f"{int(fact['sequence']) + 1:020d}", hash) for fact, hash in reversed(day) if fact["stream"] == "ops")
    said = word["data"]
    (newest,) = [hash for fact, hash in day if fact["stream"] == said["stream"] and int(fact["sequence"]) == said["central"]]
    assert (said["headHash"], said["epoch"], said["ours"] < said["central"]) == (newest, word["epoch"], True)
    assert max(int(fact["sequence"]) for fact, _ in day if fact["stream"] == said["stream"]) == said["central"]


def test_the_example_sales_add_up() -> None:
    sales = [wire for wire in split_batch(example("day")) if json.loads(wire)["type"] == SALE]
    assert len(sales) == 2
    for wire in sales:
        assert check_sale(msgspec.json.decode(decode_fact(wire).data, type=SaleCompleted)) is None


@pytest.mark.parametrize("kind", sorted(DATA_BY_TYPE))
def test_the_envelope_schema_agrees_with_the_decoder(kind: str) -> None:
    event = json.loads(example(kind))
    assert not list(schemas.faults(schemas.ENVELOPE_SCHEMA, event))
    for key in set(event) - {"data"}:
        for wrong in ({**event, key: 7}, {**event, key: "\n"}, {name: value for name, value in event.items() if name != key}):
            if key in ("subject", "dataschema", "id") and wrong.get(key) == "\n":
                continue  # free text
            assert list(schemas.faults(schemas.ENVELOPE_SCHEMA, wrong)), key
            with pytest.raises(ContractBroken):
                decode_fact(json.dumps(wrong).encode())


MESSAGE_EXAMPLES = {
    "problem.sequence-gap": schemas.PROBLEM_SCHEMA,
    "problem.cart-held": schemas.PROBLEM_SCHEMA,
    "register-cursor.frozen": "register-cursor.v1",
} | {name.removesuffix(".v1"): name for name in MESSAGES if name != schemas.PROBLEM_SCHEMA}


@pytest.mark.parametrize("name", sorted(MESSAGE_EXAMPLES))
def test_a_message_s_example_fits_its_schema_and_its_type_and_no_broken_variant_does(name: str) -> None:
    schema, value = MESSAGE_EXAMPLES[name], json.loads(example(name))
    assert not list(schemas.faults(schema, value))
    assert msgspec.json.decode(msgspec.json.encode(msgspec.json.decode(example(name), type=MESSAGES[schema]))) == value
    root = schemas.load(schema)
    variants = list(broken(value, root, root))
    assert len(variants) > 2
    for where, wrong in variants:
        assert list(schemas.faults(schema, wrong)), f"the schema lets through: {where}"
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(json.dumps(wrong), type=MESSAGES[schema])


def test_a_feed_page_s_example_fits_its_schema() -> None:
    *rows, end = FOLDER.joinpath("examples", "feed-page.ndjson").read_bytes().splitlines()
    for line in (*rows, end):
        assert not list(schemas.faults(schemas.FEED_LINE_SCHEMA, json.loads(line)))
    assert msgspec.json.decode(end, type=FeedEnd).count == len([msgspec.json.decode(row, type=FeedRow) for row in rows])
    assert list(schemas.faults(schemas.FEED_LINE_SCHEMA, {"op": "end", "key": "x", "rev": 1}))


def test_the_messages_of_a_cart_name_the_one_that_the_day_s_sale_used() -> None:
    cart = next(sale["cart"] for sale in (json.loads(wire)["data"] for wire in split_batch(example("day"))) if sale.get("cart"))
    claimed, done = json.loads(example("claim-answer")), json.loads(example("complete-request"))
    assert (claimed["cart"], claimed["version"], claimed["token"], claimed["untilMs"]) == (
        cart["cartId"], cart["version"], cart["token"], cart["leaseUntilMs"],
    )  # fmt: skip
    assert (done["token"], done["lines"]) == (cart["token"], cart["soldLines"])


def unpadded(text: str) -> bytes:
    """RFC 4648, section 5, without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_an_enrolment_s_proof_is_made_of_the_bytes_that_the_document_names() -> None:
    """Written from the document's words alone: ``edge-enrol-v1``, LF, the code, LF, the public key, as both stand in the request; plain Ed25519."""
    asked = json.loads(example("enrol-request"))
    public, proof = unpadded(asked["publicKey"]), unpadded(asked["proof"])
    assert (len(public), len(proof)) == (32, 64)
    key = Ed25519PublicKey.from_public_bytes(public)
    key.verify(proof, b"edge-enrol-v1" + b"\n" + asked["code"].encode("ascii") + b"\n" + asked["publicKey"].encode("ascii"))
    for wrong in (asked["code"].replace("-", ""), asked["code"].lower()):
        with pytest.raises(InvalidSignature):
            key.verify(proof, f"edge-enrol-v1\n{wrong}\n{asked['publicKey']}".encode())


def test_the_envelope_keeps_data_as_bytes() -> None:
    assert bytes(decode_fact(example(SALE)).data) in example(SALE)
    assert msgspec.json.decode(example(SALE), type=Envelope).number == 3


def test_the_problems_of_the_examples_have_the_titles_of_their_types() -> None:
    titles = {kind: told.title for kind, told in PROBLEMS.items()} | {PROBLEM_ROOT + reason: title for reason, title in TITLES.items()}
    text = b"".join(message_examples().values()).decode()
    told = re.findall(r'"type":"(urn:edge:problem:[a-z-]+)","title":"([^"]+)"', text)
    assert {kind.rpartition(":")[2] for kind, _ in told} == {"sequence-gap", "cart-held", "sale-total"}
    assert [title for _, title in told] == [titles[kind] for kind, _ in told]
