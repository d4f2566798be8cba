"""Writes the contract's generated files, schemas and golden examples, from the types they stand for: ``python -m sync.contract.build``.

A test compares the files with what this would write, so they cannot drift.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from sync.contract import schemas
from sync.contract.envelope import SCHEMA_ROOT, Envelope
from sync.contract.example_facts import example_files
from sync.contract.facts import DATA_BY_TYPE
from sync.contract.messages import FeedEnd, FeedRow, Problem, PushAck
from sync.contract.rows import ROW_BY_FEED, StoreRow

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(name: str, kind: Any) -> dict[str, Any]:
    """The JSON Schema of a msgspec type, self-contained, under the contract's name for it."""
    made = msgspec.json.schema(kind)
    return {"$schema": DIALECT, "$id": SCHEMA_ROOT + name, **made}


def _feed_line() -> dict[str, Any]:
    (row, end), parts = msgspec.json.schema_components([FeedRow, FeedEnd], ref_template="#/$defs/{name}")
    # A row and the end differ in ``op`` alone, so the type checker's union of untagged types cannot say it; JSON Schema can.
    return {"$schema": DIALECT, "$id": SCHEMA_ROOT + schemas.FEED_LINE_SCHEMA, "oneOf": [row, end], "$defs": parts}


def schema_files() -> dict[str, str]:
    """Every schema file of the contract: its name under ``schemas/`` and its text."""
    made = {name: schema_of(name, kind) for name, kind in DATA_BY_TYPE.items()}
    made |= {f"feed.{feed}.v1": schema_of(f"feed.{feed}.v1", kind) for feed, kind in ROW_BY_FEED.items()}
    made["stores.v1"] = schema_of("stores.v1", StoreRow)
    made[schemas.ENVELOPE_SCHEMA] = schema_of(schemas.ENVELOPE_SCHEMA, Envelope)
    made[schemas.PROBLEM_SCHEMA] = schema_of(schemas.PROBLEM_SCHEMA, Problem)
    made[schemas.ACK_SCHEMA] = schema_of(schemas.ACK_SCHEMA, PushAck)
    made[schemas.FEED_LINE_SCHEMA] = _feed_line()
    return {f"{name}.json": msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n" for name, schema in made.items()}


def write(folder: Path) -> None:
    """Write ``schemas/`` and ``examples/`` into ``folder``."""
    for part, texts in (("schemas", schema_files()), ("examples", example_files())):
        target = folder / part
        target.mkdir(exist_ok=True)
        for name, text in texts.items():
            (target / name).write_text(text, "utf-8")


if __name__ == "__main__":
    write(Path(__file__).parent)
