"""The shop of ``bench_glass``: a register with a large catalogue and a full outbox, its scanners, and the two terminal programs that are watched."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from edge_agent.bootstrap import keys_of
from edge_agent.clock import ClockIds, SystemClock, SystemRandom
from edge_agent.config import load_config
from edge_agent.ports import Commit, FactDraft
from sync.contract.example_sales import cash_sale
from sync.contract.facts import SALE
from sync.contract.rows import ArticleRow, PriceRow, key_of
from sync.feed_store import FeedLine
from sync.journal import Journal
from sync.replica_catalogue import CatalogueReplica
from tests.bench.bench_import import article
from tests.bench.measure import ROOT

FACTS_PER_COMMIT = 500
FIRST_RECEIPT = 1_000_000
"""The outbox's sales have receipt numbers that no sale of the bench comes near."""
SECONDS_MAX = 20.0


def named(number: int) -> ArticleRow:
    """One of the articles, with a name that no other one has or begins with."""
    row = article(number)
    return msgspec.structs.replace(row, name=f"{row.name.rpartition(' ')[0]} #{number:07d}.")


def fill_catalogue(config: Path, rows: int) -> None:
    """Put ``rows`` articles with a price each in the place of the sample's, as an import of central's snapshot leaves them, under the same cursors."""
    replica = CatalogueReplica(load_config(config).folder / "replica", SystemClock())
    for feed, lines in (("catalogue", _articles(rows)), ("prices", _prices(rows))):
        state = replica.state(feed)
        assert state.cursor, "the sample was not copied"
        done = replica.replace(feed, lines, lambda state=state: state, lambda _: None)
        assert (done.rows, done.refused) == (rows, 0), done
    replica.close()


def _articles(rows: int) -> Iterator[FeedLine]:
    for number in range(rows):
        row = named(number)
        yield FeedLine("put", row.sku, number + 1, msgspec.Raw(msgspec.json.encode(row)))


def _prices(rows: int) -> Iterator[FeedLine]:
    for number in range(rows):
        row = PriceRow(sku=article(number).sku, amount_minor=100 + number % 9900, currency="EUR", book="de", version="1", group="", from_ms=0, until_ms=None)
        yield FeedLine("put", key_of(row), number + 1, msgspec.Raw(msgspec.json.encode(row)))


async def fill_outbox(config: Path, count: int) -> None:
    """Have ``count`` sales wait in the journal for central, in the bytes in which they will be sent."""
    loaded, clock, random = load_config(config), SystemClock(), SystemRandom()
    new_id = ClockIds(clock, random)
    async with Journal.open(loaded.folder, keys_of(loaded, random).journal_key(), clock=clock, random=random, new_id=new_id) as journal:
        store, register = journal.identity.source.split("/")[4::2]
        common = {"retailStoreId": store, "workstationId": register, "businessDayDate": "2026-11-20", "shiftId": "shift-1", "operatorId": "1001"}
        sale = cash_sale({**common, "atMs": clock.now_ms()})

        def draft(number: int) -> FactDraft:
            id = new_id()
            data = {**sale, "transactionId": id, "sequenceNumber": number, "receiptCode": f"R-{store}-{register}-{number}"}
            return FactDraft("trade", SALE, new_id(), id, clock.now_ms(), data)

        for first in range(FIRST_RECEIPT, FIRST_RECEIPT + count, FACTS_PER_COMMIT):
            await journal.commit(Commit(new_id(), (), [draft(number) for number in range(first, min(first + FACTS_PER_COMMIT, FIRST_RECEIPT + count))]))


class Terminal:
    """A program in a pseudo-terminal of 120 columns and 40 rows. What it draws is read through ``Watch``."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.fd, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "XDG_STATE_HOME": str(folder)}
        self._process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment, cwd=ROOT, start_new_session=True)
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self.fd)

    @property
    def pid(self) -> int:
        return self._process.pid


class Watch:
    """Reads every terminal all the time, so that none of them ever waits to be read."""

    KEPT_BYTES = 65_536

    def __init__(self, *terminals: Terminal) -> None:
        self._drawn = {terminal.fd: b"" for terminal in terminals}

    def until(self, terminal: Terminal, words: bytes) -> float:
        """Wait until ``terminal`` draws ``words``; when their last byte came. What was drawn up to them is forgotten."""
        deadline = time.perf_counter() + SECONDS_MAX
        while words not in self._drawn[terminal.fd]:
            assert time.perf_counter() < deadline, (words, self._drawn[terminal.fd][-4000:])
            self._read(0.5)
        at = time.perf_counter()
        self._drawn[terminal.fd] = self._drawn[terminal.fd].partition(words)[2]
        return at

    def rest(self, seconds: float) -> None:
        """Let time pass."""
        deadline = time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            self._read(left)

    def _read(self, seconds: float) -> None:
        for fd in select.select(list(self._drawn), [], [], seconds)[0]:
            with suppress(OSError):
                self._drawn[fd] = (self._drawn[fd] + os.read(fd, 65_536))[-self.KEPT_BYTES :]
