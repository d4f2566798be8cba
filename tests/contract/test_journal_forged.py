"""Whoever has the key of a journal and changes what happened, hashes and all, is found: a hash is over the one before it and over every column."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from edge_agent.domain.errors import JournalCorrupt
from edge_agent.ports import Commit, EventRow
from sync.cipher import Connection
from sync.contract.envelope import fact_hash
from sync.journal_append import event_hash
from sync.journal_read import JournalReader
from tests.support_journal import KEY, a_fact, new_id, open_journal, raw

COLUMNS = ("position", "at_ms", "type", "body", "person", "seal_key", "sealed")


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A journal of five events, of which the third has a personal part, and five facts."""
    async with open_journal(tmp_path) as journal:
        for number in range(1, 6):
            row = EventRow("CustomerAttached", b"{}", "c-maria", b"Maria") if number == 3 else EventRow("LineAdded", b'{"line":%d}' % number)
            await journal.commit(Commit(new_id(), (row,), (a_fact(),)))
        assert journal.verify().problems == ()
    return tmp_path


def event_of(db: Connection, position: int) -> dict[str, object]:
    row = db.execute(f"SELECT {', '.join(COLUMNS)} FROM event WHERE position = ?", (position,)).fetchone()
    return dict(zip(COLUMNS, row, strict=True))


def problems_of(folder: Path) -> tuple[str, ...]:
    reader = JournalReader.open(folder, KEY)
    try:
        return reader.verify().problems
    finally:
        reader.close()


def refused(folder: Path, problem: str) -> None:
    assert problem in problems_of(folder)
    with pytest.raises(JournalCorrupt, match="tail does not verify"):
        open_journal(folder)


FORGED = {"at_ms": 1, "type": "LineVoided", "body": b'{"line":9}', "person": "c-omar", "seal_key": 7, "sealed": b"sealed"}


def test_every_column_has_its_forgery() -> None:
    assert {"position", *FORGED} == set(COLUMNS)


@pytest.mark.parametrize("column", FORGED)
@pytest.mark.parametrize("position", [2, 3])
async def test_an_event_with_another_value_and_its_old_hash_is_named(folder: Path, position: int, column: str) -> None:
    with raw(folder) as db:
        db.execute(f"UPDATE event SET {column} = ? WHERE position = ?", (FORGED[column], position))
    refused(folder, f"Event {position} is not what was written, or the one before it is not.")


@pytest.mark.parametrize("column", FORGED)
async def test_an_event_with_another_value_and_the_hash_of_it_does_not_fit_the_one_behind_it(folder: Path, column: str) -> None:
    with raw(folder) as db:
        before = db.execute("SELECT hash FROM event WHERE position = 2").fetchone()[0]
        forged = event_of(db, 3) | {column: FORGED[column]}
        hash = event_hash(before, **forged)  # type: ignore[arg-type]  # the columns are its parameters
        db.execute(f"UPDATE event SET {column} = ?, hash = ? WHERE position = 3", (forged[column], hash))
    refused(folder, "Event 4 is not what was written, or the one before it is not.")


async def test_letters_that_went_from_one_column_into_the_next_are_found(folder: Path) -> None:
    with raw(folder) as db:
        db.execute("UPDATE event SET type = 'Line', body = CAST('Added' || CAST(body AS TEXT) AS BLOB) WHERE position = 2")
    refused(folder, "Event 2 is not what was written, or the one before it is not.")


OTHERS = {"source": "/t/acme/s/0001/r/03", "epoch": "9", "stream": "people", "sequence": f"{4:020d}", "prevhash": "0" * 64}
"""What the envelope of the fifth fact must not say."""


@pytest.mark.parametrize("member", OTHERS)
async def test_a_fact_that_says_to_be_another_is_named_although_its_hash_is_right(folder: Path, member: str) -> None:
    with raw(folder) as db:
        told = msgspec.json.decode(db.execute("SELECT wire FROM fact WHERE number = 5").fetchone()[0])
        wire = msgspec.json.encode(told | {member: OTHERS[member]})
        db.execute("UPDATE fact SET wire = ?, hash = ? WHERE number = 5", (wire, fact_hash(wire)))
        db.execute("UPDATE stream SET hash = ? WHERE name = 'trade'", (fact_hash(wire),))
    assert problems_of(folder) == ("Fact trade 5 is not linked to the one before it.",)
    refused(folder, "Fact trade 5 is not linked to the one before it.")
