"""Facts that a register issues anew under a later enrolment because it never heard that they came: the same fact once more, told by its id.

Such a fact is stored in its stream, whose chain goes on, and is entered in no book a second time. Another fact under an id that was used is not believed.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from sync.central.checks import wrong
from sync.central.intake import Arrival
from sync.central.storage import Db
from sync.contract.envelope import decode_fact
from sync.contract.messages import Problem


class _Known(Struct, frozen=True):
    """The fact that an id stands for, here or in the same batch: the one that is believed, or else the first; ``place`` in words."""

    place: str
    type: str
    wire: bytes
    believed: bool


def told_before(db: Db, source: str, facts: Sequence[Arrival]) -> tuple[set[int], dict[int, Problem]]:
    """Of facts that are not stored yet: the numbers of those that this register told before, and the problems of those under an id of another fact.

    What was told before and put in quarantine is judged again: what was wrong may have been mended here since.
    """
    known = _known(db, source, facts)
    again: set[int] = set()
    problems: dict[int, Problem] = {}
    for fact in facts:
        there = known.get(fact.id)
        if there is not None and (there.type != fact.type or _data(there.wire) != _data(fact.wire)):
            problems[fact.number] = wrong("fact-id", f"Fact {fact.id} is {there.place}.")
        elif there is not None and there.believed:
            again.add(fact.number)
        else:
            known[fact.id] = _Known(f"number {fact.number} of the same batch", fact.type, fact.wire, not isinstance(fact.data, Problem))
    return again, problems


def note_again(db: Db, chain: int, numbers: set[int]) -> None:
    """Those facts of ``chain`` were told before."""
    db.executemany("INSERT INTO issued_anew (chain, number) VALUES (?, ?)", [(chain, number) for number in sorted(numbers)])


def numbers_again(db: Db, chain: int) -> set[int]:
    """The numbers of ``chain`` whose facts had been told before."""
    return {number for (number,) in db.execute("SELECT number FROM issued_anew WHERE chain = ?", (chain,))}


def _known(db: Db, source: str, facts: Sequence[Arrival]) -> dict[str, _Known]:
    rows = db.execute(
        """SELECT f.id, f.number, c.stream, c.epoch, f.type, f.wire, first.believed FROM (
             SELECT f.position, q.number IS NULL AS believed, row_number() OVER (PARTITION BY f.id ORDER BY q.number IS NOT NULL, f.position) AS place
             FROM fact f JOIN chain c ON c.id = f.chain LEFT JOIN quarantine q ON q.chain = f.chain AND q.number = f.number
             WHERE f.id IN (SELECT value FROM json_each(?)) AND c.source = ?
           ) first JOIN fact f USING (position) JOIN chain c ON c.id = f.chain WHERE first.place = 1""",
        (msgspec.json.encode([fact.id for fact in facts]).decode(), source),
    )
    return {id: _Known(f"number {number} of {stream} in epoch {epoch}", type, wire, bool(believed)) for id, number, stream, epoch, type, wire, believed in rows}


def _data(wire: bytes) -> bytes:
    return bytes(decode_fact(wire).data)
