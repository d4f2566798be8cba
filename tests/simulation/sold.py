"""Compares a register's folder after a crash with what it had acknowledged before: lists every promise that is broken."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import msgspec

from edge_agent.domain.errors import EdgeError
from edge_agent.domain.tender import MONEY_MOVED, AttemptState
from edge_agent.service.facts import SALE_COMPLETED
from sync.cipher import Connection, SqlError, open_file
from sync.journal_check import check_pages, check_tail
from sync.journal_wal import lost_frames
from tests.simulation.selling_child import LedgerTerminal, Seller
from tests.support_shop import KEY, register

SHOWN_MAX = 5
MOVED = frozenset(state.value for state in MONEY_MOVED | {AttemptState.VOIDED})


class _Sale(msgspec.Struct):
    id: str


class _Completed(msgspec.Struct):
    sale: _Sale


class _Data(msgspec.Struct):
    transactionId: str


class _Wire(msgspec.Struct):
    data: _Data


_event = msgspec.json.Decoder(_Completed)
_wire = msgspec.json.Decoder(_Wire)


@dataclass
class Told:
    """What a register said before its power went: commands, totals by receipt, amounts by the reference that the terminal knows."""

    commands: list[str] = field(default_factory=list)
    sales: dict[str, int] = field(default_factory=dict)
    charged: dict[str, int] = field(default_factory=dict)

    def hear(self, lines: Iterable[str]) -> Told:
        """Take ``lines`` of a selling child in; words that a crash cut short are not an acknowledgement."""
        for line in lines:
            match line.split():
                case ["done", command]:
                    self.commands.append(command)
                case ["sold", receipt, total]:
                    self.sales[receipt] = int(total)
                case ["charged", wire_ref, minor]:
                    self.charged[wire_ref] = int(minor)
        return self


def violations(folder: Path, told: Told) -> list[str]:
    """Everything that is wrong with the journal in ``folder``: it is opened by a whole register, which goes on selling."""
    try:
        return asyncio.run(_by_a_register(folder, told))
    except (EdgeError, AssertionError, TimeoutError) as problem:
        return [f"the register does not come up: {type(problem).__name__}: {problem}"]


async def _by_a_register(folder: Path, told: Told) -> list[str]:
    terminal = LedgerTerminal(ledger=dict(told.charged))
    async with register(folder, terminal=terminal) as rig:
        found = [f"stopped: {rig.journal.stopped}"] if rig.journal.stopped else []
        found += [f"command {command} is not known" for command in told.commands if not await rig.journal.known_command(command)]
        seller = Seller(rig, Random(0), lambda _: None)
        await seller.quiet()
        await seller.open()
        found += [f"verify: {problem}" for problem in rig.journal.verify().problems]
        found += looked_at(folder, told)
        found += _against_the_terminal(folder, terminal.ledger)
    return found[:SHOWN_MAX]


def looked_at(folder: Path, told: Told, *, opens: bool = False) -> list[str]:
    """The same for a reader that changes nothing. With ``opens`` also whether a service would refuse to open the journal."""
    path = folder / "journal.db"
    if not path.exists() or not path.stat().st_size:
        return ["the journal is gone"] if told.commands or told.charged else []
    try:
        db = open_file(path, KEY, read_only=True)
    except SqlError as problem:
        return [f"the journal cannot be read: {problem}"]
    try:
        found = [f"{lost} sound pages are given up"] if opens and (lost := lost_frames(db, path)) else []
        if opens:
            check_pages(db, path)
        db.execute("BEGIN")
        if not db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'withheld'").fetchone()[0]:  # the tables are made step by step
            return [*found, *(["the tables are gone"] if told.commands else [])]
        if opens:
            check_tail(db)
        return [*found, *_commands(db, told), *_sales(db, told), *_charges(db, told)][:SHOWN_MAX]
    except (SqlError, EdgeError) as problem:
        return [f"the journal does not verify: {problem}"]
    finally:
        db.close()


def _commands(db: Connection, told: Told) -> list[str]:
    there = {row[0] for row in db.execute("SELECT id FROM command")}
    return [f"command {command} was acknowledged and is not there" for command in told.commands if command not in there]


def _sales(db: Connection, told: Told) -> list[str]:
    rows = db.execute("SELECT id, number, receipt, total_minor FROM sale ORDER BY number").fetchall()
    found = [] if [row[1] for row in rows] == list(range(1, len(rows) + 1)) else ["receipts are not 1 to n"]
    totals = {receipt: total for _, _, receipt, total in rows}
    found += [
        f"{receipt} was acknowledged over {total}, the journal has {totals.get(receipt)}"
        for receipt, total in told.sales.items()
        if totals.get(receipt) != total
    ]
    ids = [row[0] for row in rows]
    completed = [_event.decode(body).sale.id for (body,) in db.execute("SELECT body FROM event WHERE type = 'SaleCompleted' ORDER BY position")]
    facts = "SELECT wire FROM fact WHERE stream = 'trade' AND type = ? ORDER BY number"
    told_central = [_wire.decode(wire).data.transactionId for (wire,) in db.execute(facts, (SALE_COMPLETED,))]
    if not ids == completed == told_central:
        found.append(f"{len(ids)} sales, {len(completed)} events of sales and {len(told_central)} facts of sales are not the same")
    return found


def _charges(db: Connection, told: Told) -> list[str]:
    """The terminal is asked only about what is on disk."""
    amounts = dict(db.execute("SELECT wire_ref, amount_minor FROM attempt").fetchall())
    return [f"the terminal was asked for {wire_ref}, which is not recorded" for wire_ref, minor in told.charged.items() if amounts.get(wire_ref) != minor]


def _against_the_terminal(folder: Path, ledger: dict[str, int]) -> list[str]:
    """Every charge of the terminal is a recorded one, and the other way round, once nothing is under way."""
    db = open_file(folder / "journal.db", KEY, read_only=True)
    try:
        rows = db.execute("SELECT wire_ref, amount_minor, state FROM attempt").fetchall()
    finally:
        db.close()
    moved = {wire_ref: minor for wire_ref, minor, state in rows if state in MOVED}
    states = {wire_ref: state for wire_ref, _, state in rows}
    wrong = [wire_ref for wire_ref in ledger.keys() | moved.keys() if ledger.get(wire_ref) != moved.get(wire_ref)]
    return [f"{wire_ref}: the terminal has {ledger.get(wire_ref)}, the journal {moved.get(wire_ref)} ({states.get(wire_ref)})" for wire_ref in wrong]
