"""Central's one writer over a real file: jobs share commits without sharing failures, and a full disk answers instead of lying."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlite_utils import Database

from edge_agent.domain.errors import StorageFailed
from sync.central.limits import Limits
from sync.central.problems import Refused, refused
from sync.central.storage import Db, Readers, open_database
from sync.central.writer import Transaction, Writer
from sync.contract.messages import PROBLEM_BUSY, PROBLEM_HELD
from tests.support import wait_until
from tests.support_enrolled import SetClock


class Desk:
    """A writer over one file, and what it announced."""

    def __init__(self, path: Path, limits: Limits | None = None) -> None:
        self.path = path
        self.opened: list[Db] = []
        self.announced: list[set[str]] = []
        self.writer = Writer(
            self._open, SetClock(), limits or Limits(), announce=self.announced.append, announce_all=lambda: None, tick=lambda transaction: None
        )  # fmt: skip

    def _open(self) -> Db:
        db = open_database(self.path, writes=True)
        self.opened.append(db)
        return db

    def names(self) -> list[str]:
        readers = Readers(self.path)
        found = readers.now(lambda db: [name for (name,) in db.execute("SELECT name FROM meta ORDER BY name")])
        readers.close()
        return found


def put(name: str, value: str = "") -> Callable[[Transaction], str]:
    def job(transaction: Transaction) -> str:
        transaction.db.execute("INSERT INTO meta (name, value) VALUES (?, ?)", (name, value))
        transaction.changed.add(name)
        return name

    return job


def test_jobs_that_wait_share_one_commit_and_a_failing_one_leaves_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "c.db")
    gate = threading.Event()

    def hold(transaction: Transaction) -> None:
        gate.wait(5)

    def refuse(transaction: Transaction) -> None:
        put("refused")(transaction)
        raise refused(PROBLEM_HELD, "no")

    def bug(transaction: Transaction) -> None:
        put("bug")(transaction)
        raise ZeroDivisionError

    desk.writer.submit(hold)
    futures = [desk.writer.submit(put("a")), desk.writer.submit(refuse), desk.writer.submit(bug), desk.writer.submit(put("a")), desk.writer.submit(put("b"))]
    gate.set()
    assert (futures[0].result(5), futures[4].result(5)) == ("a", "b")
    for index, kind in ((1, Refused), (2, ZeroDivisionError), (3, Exception)):
        assert isinstance(futures[index].exception(5), kind)
    assert desk.names() == ["a", "b"]
    assert len(desk.announced) == 1, "one commit"
    desk.writer.close()


def test_a_full_disk_fails_the_job_and_the_next_one_works_when_there_is_room(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "c.db")
    pages = desk.opened[0].execute("PRAGMA page_count").fetchone()[0]
    desk.writer.submit(lambda transaction: transaction.db.execute(f"PRAGMA max_page_count = {pages + 2}")).result(5)
    with pytest.raises(StorageFailed, match="full"):
        desk.writer.submit(put("big", "x" * 1_000_000)).result(5)
    assert desk.writer.submit(put("small")).result(5) == "small"
    assert desk.names() == ["small"]
    desk.writer.close()


def test_a_lost_connection_fails_its_commit_and_is_opened_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "c.db")
    desk.writer.submit(put("before")).result(5)
    desk.opened[0].close()
    with pytest.raises(StorageFailed):
        desk.writer.submit(put("lost")).result(5)
    assert desk.writer.submit(put("after")).result(5) == "after"
    assert (desk.names(), len(desk.opened)) == (["after", "before"], 2)
    desk.writer.close()


def test_beyond_the_bound_jobs_are_refused_and_after_the_end_too(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "c.db", Limits(jobs_waiting_max=2))
    gate, begun = threading.Event(), threading.Event()

    def hold(transaction: Transaction) -> None:
        begun.set()
        gate.wait(5)

    desk.writer.submit(hold)
    assert begun.wait(5)
    futures = [desk.writer.submit(put("a")), desk.writer.submit(put("b"))]
    with pytest.raises(Refused) as busy:
        desk.writer.submit(put("c"))
    assert (busy.value.problem.type, busy.value.headers) == (PROBLEM_BUSY, {"Retry-After": "2"})
    gate.set()
    assert [future.result(5) for future in futures] == ["a", "b"]
    desk.writer.close()
    with pytest.raises(Refused):
        desk.writer.submit(put("d"))
    assert desk.names() == ["a", "b"], "what was taken was finished"


def test_a_cancelled_job_is_not_run(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "c.db")
    gate, begun = threading.Event(), threading.Event()

    def hold(transaction: Transaction) -> None:
        begun.set()
        gate.wait(5)

    desk.writer.submit(hold)
    assert begun.wait(5)
    future = desk.writer.submit(put("a"))
    assert future.cancel()
    gate.set()
    desk.writer.submit(put("b")).result(5)
    assert desk.names() == ["b"]
    desk.writer.close()


def test_the_file_is_durable_and_its_tables_come_from_migrations(tmp_path: Path) -> None:
    db = open_database(tmp_path / "c.db", writes=True)
    asked = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")]
    assert asked == ["wal", 2, 1]
    assert "fact" in Database(db).table_names()
    again = open_database(tmp_path / "c.db", writes=True)
    assert [row[0] for row in again.execute("SELECT name FROM _sqlite_migrations ORDER BY rowid")] == [
        "first_version",
        "what_a_code_bought",
        "identifiers_in_one_form",
        "every_market_that_a_row_left",
        "sales_by_receipt_code",
        "when_feeds_changed",
        "where_words_belong",
        "facts_by_id",
    ]
    reader = open_database(tmp_path / "c.db", writes=False)
    with pytest.raises(Exception, match="readonly"):
        reader.execute("DELETE FROM meta")
    for each in (db, again, reader):
        each.close()


def test_the_tick_comes_by_itself(tmp_path: Path) -> None:
    ticks: list[int] = []
    writer = Writer(
        lambda: open_database(tmp_path / "c.db", writes=True), SetClock(), Limits(), announce=lambda feeds: None, announce_all=lambda: None,
        tick=lambda transaction: ticks.append(transaction.now_ms),
    )  # fmt: skip
    wait_until(lambda: len(ticks) >= 1, "a tick")
    writer.close()
