"""Bugs to plant into the journal, its disk, and what a restart makes of them."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from edge_agent import clock
from edge_agent.domain.ids import uuid7
from edge_agent.domain.tender import TenderKind
from edge_agent.ports import Commit, Committed, SaleRow, StoredEvent
from edge_agent.service import codec, core
from edge_agent.service.core import Core
from sync import journal_append, journal_facts, journal_writer
from sync.cipher import SqlError
from sync.contract.envelope import FIRST_PREVHASH
from sync.journal import Journal
from sync.journal_disk import JournalDisk
from tests.simulation.sim_planting import planted


@planted
def numbers_facts_after_the_commit() -> None:
    """The sale is on disk first, its fact in a second transaction."""
    whole = Journal.commit

    async def commit(self: Journal, commit: Commit) -> Committed:
        done = await whole(self, replace(commit, facts=()))
        if done.fresh and commit.facts:
            await whole(self, Commit(f"{commit.command}:facts", (), commit.facts))
        return done

    Journal.commit = commit  # type: ignore[method-assign]


@planted
def answers_before_the_commit() -> None:
    whole = journal_writer.Writer._batch

    def batch(self: Any, db: Any, jobs: Any) -> None:
        class Eager:
            def __getattr__(self, name: str) -> Any:
                return getattr(db, name)

            def execute(me, sql: str, parameters: Any = ()) -> Any:
                if sql == "COMMIT":
                    for job in jobs:
                        self._answers.found.append((job, job.value, None))
                    self._answers.deliver()
                return db.execute(sql, parameters)

        whole(self, Eager(), jobs)

    journal_writer.Writer._batch = batch  # type: ignore[method-assign]


@planted
def does_not_look_whether_a_command_is_known() -> None:
    """A command that comes again is carried out again."""

    def append(db: Any, commit: Commit, *more: Any) -> Committed:
        db.execute("DELETE FROM command WHERE id = ?", (commit.command,))
        return whole(db, commit, *more)

    whole = journal_append.append
    import sync.journal

    sync.journal.append = append  # type: ignore[attr-defined]

    async def known(self: Journal, command: str) -> bool:
        return False

    Journal.known_command = known  # type: ignore[method-assign]


@planted
def drops_the_clients_id() -> None:
    """Every run of a command is committed under an id of its own."""
    whole = Core._do

    async def do_it(self: Core, command: Any, command_id: str, *more: Any) -> Any:
        return await whole(self, command, "", *more)

    Core._do = do_it  # type: ignore[method-assign]


@planted
def stores_the_state_one_event_too_far() -> None:
    """A restart begins behind an event that the stored state does not have."""
    whole = Journal.load

    def load(self: Journal) -> tuple[bytes | None, list[StoredEvent]]:
        state, events = whole(self)
        return state, list(events[1:]) if state is not None else list(events)

    Journal.load = load  # type: ignore[assignment,method-assign]


@planted
def forgets_receipt_numbers_at_a_restart() -> None:
    whole = codec.read_state
    codec.read_state = lambda body: replace(whole(body), receipts=0)


@planted
def leaves_a_sale_out_of_the_list() -> None:
    """The sale is in the events, and not where sales are looked up."""
    kept = [0]
    whole = core.sale_row

    def row(sale: Any) -> SaleRow:
        kept[0] += 1
        made = whole(sale)
        return made if kept[0] % 7 else replace(made, total_minor=made.total_minor + 1)

    core.sale_row = row
    original = Journal.sales

    def sales(self: Journal, text: str, limit: int) -> Any:
        return [found for found in original(self, text, limit) if found.number % 7]

    Journal.sales = sales  # type: ignore[method-assign]


@planted
def links_facts_to_nothing_after_a_restart() -> None:
    """The hash of the last fact is kept in memory only."""
    seen: set[tuple[int, str]] = set()
    whole = journal_facts.chain_of

    def chain_of(db: Any, stream: str) -> Any:
        chain = whole(db, stream)
        key = (id(db), stream)
        if key not in seen:
            seen.add(key)
            return replace(chain, hash=FIRST_PREVHASH)
        return chain

    journal_facts.chain_of = chain_of


@planted
def makes_ids_from_the_clock_alone() -> None:
    clock.ClockIds.__call__ = lambda self: uuid7(self._clock.now_ms(), 0)  # type: ignore[method-assign]


@planted
def keeps_the_ballast() -> None:
    """On a full disk nothing is let go of: a payment under way has no room."""
    JournalDisk.release_ballast = lambda self: True  # type: ignore[method-assign]


@planted
def takes_a_failed_commit_for_a_good_one() -> None:
    whole = journal_writer.Writer._batch

    def batch(self: Any, db: Any, jobs: Any) -> None:
        class Careless:
            def __getattr__(self, name: str) -> Any:
                return getattr(db, name)

            def execute(self, sql: str, parameters: Any = ()) -> Any:
                try:
                    return db.execute(sql, parameters)
                except SqlError:
                    if sql != "COMMIT":
                        raise
                    if db.in_transaction:
                        db.execute("ROLLBACK")
                    return None

        whole(self, Careless(), jobs)

    journal_writer.Writer._batch = batch  # type: ignore[method-assign]


@planted
def counts_cash_twice_after_a_restart() -> None:
    """What was paid of the open basket is in the state that is replayed, and is added to it once more."""
    whole = core.replayed

    def replayed(journal: Any) -> Any:
        state, behind = whole(journal)
        if state.basket is None:
            return state, behind
        cash = [replace(tender, id=f"{tender.id}-2") for tender in state.basket.tenders if tender.kind is TenderKind.CASH]
        return replace(state, basket=replace(state.basket, tenders=(*state.basket.tenders, *cash))), behind

    core.replayed = replayed
