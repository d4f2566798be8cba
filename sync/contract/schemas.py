"""The published JSON Schemas (2020-12): reading them, and checking a value against one.

Central itself decodes with the types they are made from (``facts.py``, ``rows.py``), which is a hundred times as fast and says the same; these
are for every other system, for conformance tests, and for a second opinion.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from inspect import cleandoc
from typing import Any

from jsonschema import Draft202012Validator
from msgspec import Struct

from edge_agent.domain.errors import ContractBroken
from sync.contract.envelope import SCHEMA_ROOT

ENVELOPE_SCHEMA = "envelope.v1"
PROBLEM_SCHEMA = "problem.v1"
ACK_SCHEMA = "push-ack.v1"
FEED_LINE_SCHEMA = "feed-line.v1"


def names() -> tuple[str, ...]:
    """The names of all published schemas: fact types, ``feed.<name>.v1`` rows, and the messages above."""
    folder = files("sync.contract").joinpath("schemas")
    return tuple(sorted(entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json")))


@cache
def load(name: str) -> dict[str, Any]:
    """The schema with that name (a fact type, for instance). Raises ContractBroken (reason ``schema_unknown``)."""
    if name not in names():
        raise ContractBroken(f"No schema {name!r} in this version of the contract.", hint="Upgrade central, or register the type.", reason="schema_unknown")
    schema: dict[str, Any] = json.loads(files("sync.contract").joinpath("schemas", name + ".json").read_text("utf-8"))
    assert schema["$id"] == SCHEMA_ROOT + name, schema["$id"]
    return schema


def tidy(schema: Any) -> Any:
    """A schema as it is published: descriptions that come from docstrings are without the code's indentation."""
    match schema:
        case dict():
            return {key: cleandoc(value) if key == "description" and isinstance(value, str) else tidy(value) for key, value in schema.items()}
        case list():
            return [tidy(value) for value in schema]
        case _:
            return schema


class Fault(Struct, frozen=True):
    """One way in which a value breaks its schema: ``path`` is a JSON path (``$.lineItems[0].quantity``)."""

    path: str
    text: str


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(load(name))


def faults(name: str, value: object) -> Iterator[Fault]:
    """Every way in which ``value`` (decoded JSON) breaks the schema ``name``; nothing when it is valid."""
    for error in _validator(name).iter_errors(value):
        yield Fault(error.json_path, error.message[:300])
