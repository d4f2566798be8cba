"""The published JSON Schemas (2020-12): reading them, and checking a value against one.

Central itself decodes with the types they are made from (``facts.py``, ``rows.py``), which is a hundred times as fast and says the same; these
are for every other system, for conformance tests, and for a second opinion.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator

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


@dataclass(frozen=True, slots=True)
class Fault:
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


def require(name: str, value: object) -> None:
    """Raise ContractBroken (reason ``schema``) with the first fault of ``value`` under the schema ``name``."""
    fault = next(faults(name, value), None)
    if fault is not None:
        raise ContractBroken(f"Invalid {name} at {fault.path}: {fault.text}.", hint="Compare it with the schema and its example.", reason="schema")
