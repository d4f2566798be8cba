"""Writes the contract's generated files, schemas and golden examples, from the types they stand for: ``python -m sync.contract.build``.

A test compares the files with what this would write, so they cannot drift.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from sync.contract import schemas
from sync.contract.envelope import SCHEMA_ROOT, Envelope
from sync.contract.example_facts import fact_examples
from sync.contract.example_messages import message_examples
from sync.contract.facts import DATA_BY_TYPE
from sync.contract.messages import (
    ClaimAnswer,
    ClaimRequest,
    CompleteRequest,
    CustomersFound,
    Enrolled,
    EnrolRequest,
    FeedEnd,
    FeedRow,
    Problem,
    PushAck,
    RegisterCursor,
    ReleaseRequest,
    SnapshotManifest,
)
from sync.contract.rows import ROW_BY_FEED, StoreRow
from sync.contract.schemas import tidy

MESSAGES: dict[str, type] = {
    schemas.PROBLEM_SCHEMA: Problem,
    schemas.ACK_SCHEMA: PushAck,
    "register-cursor.v1": RegisterCursor,
    "enrol-request.v1": EnrolRequest,
    "enrolled.v1": Enrolled,
    "snapshot-manifest.v1": SnapshotManifest,
    "customers-found.v1": CustomersFound,
    "claim-request.v1": ClaimRequest,
    "claim-answer.v1": ClaimAnswer,
    "release-request.v1": ReleaseRequest,
    "complete-request.v1": CompleteRequest,
}
"""What is said beside facts and feeds, by the name of its schema."""
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(name: str, kind: Any) -> dict[str, Any]:
    """The JSON Schema of a msgspec type, self-contained, under the contract's name for it."""
    made = tidy(msgspec.json.schema(kind))
    return {"$schema": DIALECT, "$id": SCHEMA_ROOT + name, **made}


def _feed_line() -> dict[str, Any]:
    (row, end), parts = msgspec.json.schema_components([FeedRow, FeedEnd], ref_template="#/$defs/{name}")
    # A row and the end differ in ``op`` alone, so the type checker's union of untagged types cannot say it; JSON Schema can.
    return {"$schema": DIALECT, "$id": SCHEMA_ROOT + schemas.FEED_LINE_SCHEMA, "oneOf": [row, end], "$defs": tidy(parts)}


def schema_files() -> dict[str, str]:
    """Every schema file of the contract: its name under ``schemas/`` and its text."""
    made = {name: schema_of(name, kind) for name, kind in DATA_BY_TYPE.items()}
    made |= {f"feed.{feed}.v1": schema_of(f"feed.{feed}.v1", kind) for feed, kind in ROW_BY_FEED.items()}
    made["stores.v1"] = schema_of("stores.v1", StoreRow)
    made[schemas.ENVELOPE_SCHEMA] = schema_of(schemas.ENVELOPE_SCHEMA, Envelope)
    made |= {name: schema_of(name, kind) for name, kind in MESSAGES.items()}
    made[schemas.FEED_LINE_SCHEMA] = _feed_line()
    return {f"{name}.json": msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n" for name, schema in made.items()}


def example_files() -> dict[str, str]:
    """Every example file: its name under ``examples/`` and its text."""
    return {name: text.decode() + "\n" for name, text in (fact_examples() | message_examples()).items()}


def write(folder: Path) -> None:
    """Write ``schemas/`` and ``examples/`` into ``folder``."""
    for part, texts in (("schemas", schema_files()), ("examples", example_files())):
        target = folder / part
        target.mkdir(exist_ok=True)
        for name, text in texts.items():
            (target / name).write_text(text, "utf-8")


if __name__ == "__main__":
    write(Path(__file__).parent)
