"""Central's composition root: builds everything over one folder, and the face that programs and tests embed it by."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from litestar import Litestar

from edge_agent.clock import Clock, Random, SystemClock, SystemRandom
from edge_agent.domain.errors import ConfigError
from sync.central import carts, feeds, listings
from sync.central.announcer import Announcer
from sync.central.api.app import build_app
from sync.central.enrolment import EnrolCode, make_code
from sync.central.limits import Limits
from sync.central.platform import Platform
from sync.central.reconcile import Reconciliation, reconcile
from sync.central.registers import new_secret, put_stores, secret_hash
from sync.central.snapshots import Snapshots
from sync.central.storage import Db, Readers, open_database
from sync.central.writer import Transaction, Writer
from sync.contract.rows import StoreRow
from sync.decoding import know_every_type
from sync.turns import Turns

DATABASE = "central.db"
OPS_TOKEN = "ops-token"  # noqa: S105 - the file's name, not a token
SNAPSHOTS = "snapshots"
TENANT_DEFAULT = "demo"

T = TypeVar("T")
log = logging.getLogger(__name__)


class Central:
    """One central platform over ``folder``, which is made when missing. Close it when done.

    ``tenant`` is fixed by the first start; ``ops_token`` is made at the first start and kept in the folder (0600) unless one is given.
    It writes on a thread of its own unless it is given other ``turns``. Raises ConfigError when the folder belongs to another tenant, StorageFailed when it
    cannot be trusted with facts.
    """

    def __init__(
        self, folder: Path, clock: Clock | None = None, random: Random | None = None, *, tenant: str = "", ops_token: str = "", limits: Limits | None = None,
        turns: Turns | None = None,
    ) -> None:  # fmt: skip
        know_every_type()
        clock, random, limits = clock or SystemClock(), random or SystemRandom(), limits or Limits()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / DATABASE
        announcer = Announcer(limits.waiters_max)
        writer = Writer(
            lambda: open_database(path, writes=True), clock, limits, announce=announcer.changed, announce_all=announcer.wake_all, tick=_tick_of(limits),
            turns=turns,
        )  # fmt: skip
        self.ops_token = ops_token or _kept_token(folder / OPS_TOKEN, random)
        try:
            settled, instance = writer.submit(lambda transaction: _settle(transaction, tenant, random)).result()
        except BaseException:
            writer.close()
            raise
        self._platform = Platform(
            tenant=settled, instance=instance, ops_hash=secret_hash(self.ops_token), clock=clock, random=random, limits=limits, writer=writer,
            readers=Readers(path), announcer=announcer, snapshots=Snapshots(folder / SNAPSHOTS, limits),
        )  # fmt: skip

    @property
    def tenant(self) -> str:
        """The tenant in every register's source."""
        return self._platform.tenant

    def asgi(self) -> Litestar:
        """The HTTP application over this central; any number may be made."""
        return build_app(self._platform)

    def seed_stores(self, rows: Iterable[StoreRow]) -> int:
        """Add or rename stores and add their registers. Raises ConfigError for a country without a market."""
        return self._write(lambda transaction: put_stores(transaction, self.tenant, rows))

    def seed(self, feed: str, rows: Iterable[tuple[str, Mapping[str, Any] | None]]) -> int:
        """Publish (key, data) rows, or delete those whose data is None; answers how many changed anything. Raises Refused (invalid).

        Carts to be put that central already knows, open or sold, are left alone: seeding twice sells nothing again.
        """

        def job(transaction: Transaction) -> int:
            changes = (
                feeds.Change(key, None if data is None else dict(data))
                for key, data in rows
                if data is None or feed != "carts" or not feeds.known(transaction.db, feed, key)
            )
            return feeds.publish(transaction, feed, changes)

        return self._write(job)

    def enrol_code(self, store: str, register: str) -> EnrolCode:
        """A single-use code for a configured register. Raises Refused (not found)."""
        platform = self._platform
        return self._write(lambda transaction: make_code(transaction, platform.random, store, register, platform.limits.enrol_code_ms))

    def reconcile(self) -> Reconciliation:
        """Walk every stored fact and compare the books."""
        return self._platform.readers.now(lambda db: reconcile(db, self._platform.clock.now_ms()))

    def facts(
        self, *, after: int = 0, limit: int = 100, source: str = "", type: str = "", stream: str = "", quarantined: bool = False
    ) -> list[listings.StoredFact]:
        """Stored facts above a position, in the order in which they were stored; empty filters let everything through."""

        def read(db: Db) -> list[listings.StoredFact]:
            found = listings.facts(db, after, source=source, type=type, stream=stream)
            return list(islice((fact for fact in found if fact.problem or not quarantined), limit))

        return self._platform.readers.now(read)

    def stop_waiting(self) -> None:
        """Answer every request that waits for news now, so that a server can stop."""
        self._platform.announcer.stop()

    def close(self) -> None:
        """Finish what was begun and close the file."""
        self.stop_waiting()
        self._platform.writer.close()
        self._platform.readers.close()

    def _write(self, job: Callable[[Transaction], T]) -> T:
        return self._platform.writer.submit(job).result()


def _settle(transaction: Transaction, tenant: str, random: Random) -> tuple[str, str]:
    """The folder's tenant and the name of its data, chosen at the first start."""
    feeds.prepare_feeds(transaction)
    chosen = (("tenant", tenant or TENANT_DEFAULT), ("instance", new_secret(random, 6)))
    transaction.db.executemany("INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", chosen)
    kept = dict(transaction.db.execute("SELECT name, value FROM meta").fetchall())
    if tenant and kept["tenant"] != tenant:
        raise ConfigError(f"This folder belongs to tenant {kept['tenant']}, not {tenant}.", hint="Give another --data folder.", reason="tenant")
    return kept["tenant"], kept["instance"]


def _tick_of(limits: Limits) -> Callable[[Transaction], None]:
    def tick(transaction: Transaction) -> None:
        carts.end_expired(transaction)
        carts.forget_claims(transaction, transaction.now_ms - limits.claim_memory_ms)
        feeds.forget_deletions(transaction, transaction.now_ms - limits.tombstone_ms)

    return tick


def _kept_token(path: Path, random: Random) -> str:
    if path.exists():
        return path.read_text("ascii").strip()
    token = new_secret(random)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(token + "\n")
    return token
