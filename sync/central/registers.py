"""Stores, registers and who is asking: a bearer token is one register in one epoch.

Tokens are random and stored as hashes. They stand in for sender-constrained (DPoP-bound) tokens, which replace them: whoever copies one can use it
until the register is enrolled anew.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from edge_agent.clock import Random
from edge_agent.domain.errors import ConfigError
from edge_agent.domain.market import MARKETS
from sync.central.problems import refused
from sync.central.storage import Db
from sync.central.writer import Transaction
from sync.contract.envelope import source_of
from sync.contract.market import market_row
from sync.contract.messages import PROBLEM_NOT_FOUND, PROBLEM_UNAUTHORISED, RegisterCursor, StreamCursor
from sync.contract.rows import StoreRow

TOKEN_BYTES = 32


class Who(Struct, frozen=True):
    """The register that asks: ``epoch`` is its token's, ``current`` the register's newest; ``country`` and ``currency`` are its store's."""

    source: str
    store: str
    register: str
    epoch: int
    current: int
    country: str
    currency: str
    frozen: str

    @property
    def holder(self) -> str:
        """How carts and people name it."""
        return f"{self.store}/{self.register}"


def new_secret(random: Random, count: int = TOKEN_BYTES) -> str:
    """``count`` random bytes in unpadded base64url."""
    return base64.urlsafe_b64encode(random.token_bytes(count)).rstrip(b"=").decode()


def secret_hash(secret: str) -> bytes:
    """What is stored of a token or code. They are random and long, so one round of SHA-256 is enough."""
    return hashlib.sha256(secret.encode()).digest()


def who_asks(db: Db, token: str, *, retired_too: bool = False) -> Who:
    """The register that ``token`` belongs to. Raises Refused (unauthorised) for an unknown token, and for a retired one.

    ``retired_too``: one of an earlier epoch is let through, to be told so; one that a repeated enrolment replaced in the same epoch never is.
    """
    row = db.execute(
        """SELECT r.source, r.store, r.register, t.epoch, r.epoch, s.country, s.currency, r.frozen, t.retired_ms
           FROM token t JOIN register r USING (source) JOIN store s USING (store) WHERE t.hash = ?""",
        (secret_hash(token),),
    ).fetchone()
    if row is None:
        raise refused(PROBLEM_UNAUTHORISED, "No register has this token.")
    if row[8] is not None and not (retired_too and row[3] != row[4]):
        raise refused(PROBLEM_UNAUTHORISED, "This register was enrolled again; this token is retired.")
    return Who(*row[:8])


def put_stores(transaction: Transaction, tenant: str, rows: Iterable[StoreRow]) -> int:
    """Add or rename stores and add their registers; answers how many stores that changed. Raises ConfigError for a country without a known market."""
    count = 0
    for row in rows:
        market = row.market or (market_row(MARKETS[row.country]) if row.country in MARKETS else None)
        if market is None:
            raise ConfigError(f"stores: {row.store}: country {row.country} has no market here.", hint="Add a market to the store.", reason="market")
        before = _changes(transaction)
        transaction.db.execute(
            """INSERT INTO store (store, name, country, currency, market) VALUES (?, ?, ?, ?, ?) ON CONFLICT (store) DO UPDATE SET
               name = excluded.name, country = excluded.country, currency = excluded.currency, market = excluded.market
               WHERE (name, country, currency, market) != (excluded.name, excluded.country, excluded.currency, excluded.market)""",
            (row.store, row.store_name, row.country, row.currency or market.currency, msgspec.json.encode(market).decode()),
        )
        transaction.db.executemany(
            "INSERT INTO register (source, store, register) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [(source_of(tenant, row.store, register), row.store, register) for register in row.registers],
        )
        count += _changes(transaction) > before
    return count


def _changes(transaction: Transaction) -> int:
    """How many rows this connection has written so far."""
    return int(transaction.db.execute("SELECT total_changes()").fetchone()[0])


def freeze(transaction: Transaction, source: str, why: str) -> None:
    """Take nothing more from this register until it is enrolled anew; the first reason stays."""
    transaction.db.execute("UPDATE register SET frozen = ?, frozen_ms = ? WHERE source = ? AND frozen = ''", (why, transaction.now_ms, source))


def find_register(db: Db, store: str, register: str) -> str:
    """The source of a configured register. Raises Refused (not found)."""
    row = db.execute("SELECT source FROM register WHERE store = ? AND register = ?", (store, register)).fetchone()
    if row is None:
        raise refused(PROBLEM_NOT_FOUND, f"Store {store} has no register {register}.")
    return str(row[0])


def cursor_of(db: Db, source: str) -> RegisterCursor:
    """Where central stands with a register, in its newest epoch."""
    epoch, frozen = db.execute("SELECT epoch, frozen FROM register WHERE source = ?", (source,)).fetchone()
    rows = db.execute("SELECT stream, next, head_hash FROM chain WHERE source = ? AND epoch = ?", (source, epoch))
    streams = {stream: StreamCursor(next=following, head_hash=head) for stream, following, head in rows}
    return RegisterCursor(source=source, epoch=str(epoch), streams=streams, frozen=frozen)
