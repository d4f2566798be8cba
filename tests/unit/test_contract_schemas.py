"""The published schemas and examples are what the code says, agree with each other, and refuse what is broken."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import msgspec
import pytest

from edge_agent.domain.errors import ContractBroken
from sync.central.checks import check_sale
from sync.contract import schemas
from sync.contract.build import schema_files
from sync.contract.envelope import FIRST_PREVHASH, Envelope, decode_fact, split_batch
from sync.contract.example_facts import example_files
from sync.contract.facts import DATA_BY_TYPE, SALE, STREAM_BY_TYPE, WITHHELD, SaleCompleted
from sync.contract.messages import FEEDS, FeedEnd, FeedRow, Problem, PushAck
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
        for key in schema["required"]:
            yield f"{path}.{key} missing", {name: each for name, each in value.items() if name != key}
        for key, inner in value.items():
            for where, wrong in broken(inner, schema["properties"][key], root, f"{path}.{key}"):
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
    schemas.require(name, value)
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
    schemas.require(name, newer)
    msgspec.convert(newer, kind)


def test_a_broken_value_is_refused_with_the_path_of_its_first_fault() -> None:
    value = copy.deepcopy(data_of(SALE))
    value["lineItems"][1]["quantity"] = "two"
    with pytest.raises(ContractBroken, match=r"lineItems\[1\]\.quantity"):
        schemas.require(SALE, value)
    with pytest.raises(ContractBroken) as unknown:
        schemas.require("retail.nothing.v1", {})
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
    assert {json.loads(wire)["type"] for wire in day} == set(DATA_BY_TYPE)
    assert all(example(kind) in day for kind in DATA_BY_TYPE)


def test_the_example_sales_add_up() -> None:
    sales = [wire for wire in split_batch(example("day")) if json.loads(wire)["type"] == SALE]
    assert len(sales) == 2
    for wire in sales:
        assert check_sale(msgspec.json.decode(decode_fact(wire).data, type=SaleCompleted)) is None


@pytest.mark.parametrize("kind", sorted(DATA_BY_TYPE))
def test_the_envelope_schema_agrees_with_the_decoder(kind: str) -> None:
    event = json.loads(example(kind))
    schemas.require(schemas.ENVELOPE_SCHEMA, event)
    for key in set(event) - {"data"}:
        for wrong in ({**event, key: 7}, {**event, key: "\n"}, {name: value for name, value in event.items() if name != key}):
            if key in ("subject", "dataschema", "id") and wrong.get(key) == "\n":
                continue  # free text
            assert list(schemas.faults(schemas.ENVELOPE_SCHEMA, wrong)), key
            with pytest.raises(ContractBroken):
                decode_fact(json.dumps(wrong).encode())


def test_messages_examples_fit_their_schemas_and_types() -> None:
    for name in ("problem.sequence-gap", "problem.cart-held"):
        schemas.require(schemas.PROBLEM_SCHEMA, json.loads(example(name)))
        msgspec.json.decode(example(name), type=Problem)
    schemas.require(schemas.ACK_SCHEMA, json.loads(example("push-ack")))
    assert msgspec.json.decode(example("push-ack"), type=PushAck).registers
    *rows, end = FOLDER.joinpath("examples", "feed-page.ndjson").read_bytes().splitlines()
    for line in (*rows, end):
        schemas.require(schemas.FEED_LINE_SCHEMA, json.loads(line))
    assert msgspec.json.decode(end, type=FeedEnd).count == len([msgspec.json.decode(row, type=FeedRow) for row in rows])
    assert list(schemas.faults(schemas.FEED_LINE_SCHEMA, {"op": "end", "key": "x", "rev": 1}))


def test_the_envelope_keeps_data_as_bytes() -> None:
    assert bytes(decode_fact(example(SALE)).data) in example(SALE)
    assert msgspec.json.decode(example(SALE), type=Envelope).number == 3
