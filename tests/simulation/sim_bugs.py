"""Bugs to plant: each is a mistake that a till could be shipped with. They show that the simulation bites; only tests switch them on.

Each function puts one bug into the running process for good: plant it in a child.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from edge_agent import clock
from edge_agent.domain import commands as do
from edge_agent.domain import settling
from edge_agent.domain.ids import uuid7
from edge_agent.domain.tender import Approved, AttemptState, NotProcessed, Unknown
from edge_agent.ports import Commit, Committed, SaleRow, StoredEvent
from edge_agent.service import codec, core
from edge_agent.service.core import Core
from edge_agent.service.paying import Paying
from sync import journal_append, journal_facts, journal_writer
from sync.central import ledger
from sync.contract.envelope import FIRST_PREVHASH
from sync.journal import Journal
from sync.push import Push

PLANTED: dict[str, Callable[[], None]] = {}


def planted(bug: Callable[[], None]) -> Callable[[], None]:
    PLANTED[bug.__name__] = bug
    return bug


# --- the journal ---


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


# --- money ---


@planted
def speaks_to_the_terminal_before_the_commit() -> None:
    async def card(self: Paying, amount_minor: int | None, command_id: str, basket_id: str = "") -> None:
        import asyncio

        terminal = self._terminal(self._core.ports.methods[1].kind)
        attempt_id = self._core.ports.new_id()
        basket = self._core.state.basket
        if basket is not None and basket.open_attempt is None:
            rest = basket.rest_minor(self._core.shop.market)
            early = settling.Attempt(
                attempt_id, "t", settling.AttemptKind.SALE, "T1", AttemptState.SENT, amount_minor or rest, "EUR", terminal.wire_ref(attempt_id), 0, 0
            )
            answer = asyncio.get_running_loop().create_task(terminal.submit(early, lambda _: None))
            await asyncio.sleep(0.05)
            await self._core.do(do.StartCard(attempt_id, terminal.wire_ref(attempt_id), terminal.name, amount_minor), command_id)
            await self._learn(do.Learn(attempt_id, await answer, "answer"))

    Paying.card = card  # type: ignore[method-assign]


@planted
def takes_no_answer_for_a_no() -> None:
    whole = Paying._learn

    async def learn(self: Paying, command: do.Learn) -> None:
        finding = NotProcessed("no_answer") if isinstance(command.finding, Unknown) else command.finding
        await whole(self, replace(command, finding=finding))

    Paying._learn = learn  # type: ignore[method-assign]


@planted
def believes_not_found_at_once() -> None:
    """Bytes that are still on their way may arrive after the question."""

    def unsettled(self: Paying, attempt: Any, terminal: Any) -> None:
        self._settled_at[attempt.id] = self._core.ports.clock.monotonic()

    Paying._unsettled = unsettled  # type: ignore[method-assign]


@planted
def charges_again_when_there_was_no_answer() -> None:
    whole = Paying._submit

    async def submit(self: Paying, attempt: Any, terminal: Any) -> None:
        class Twice:
            def __getattr__(self, name: str) -> Any:
                return getattr(terminal, name)

            async def submit(self, attempt: Any, steps: Any) -> Any:
                outcome = await terminal.submit(attempt, steps)
                if isinstance(outcome, Unknown):
                    outcome = await terminal.submit(replace(attempt, wire_ref=f"{attempt.wire_ref}-2"), steps)
                return outcome

        await whole(self, attempt, Twice())

    Paying._submit = submit  # type: ignore[method-assign]


@planted
def takes_a_part_for_the_whole() -> None:
    whole = settling.checked

    def checked(finding: Any, attempt: Any) -> Any:
        finding = whole(finding, attempt)
        return replace(finding, amount_minor=attempt.amount_minor) if isinstance(finding, Approved) else finding

    settling.checked = checked


@planted
def takes_a_cancel_key_for_cancelled() -> None:
    whole = settling.asked

    def asked(state: Any, attempt_id: str, moment: Any) -> Any:
        (event,) = whole(state, attempt_id, moment)
        return (replace(event, attempt=replace(event.attempt, state=AttemptState.CANCELLED)),)

    from edge_agent.domain import decide

    settling.asked = asked
    decide.asked = asked  # type: ignore[attr-defined]


@planted
def forgets_open_payments_at_a_restart() -> None:
    Paying.recover = lambda self: None  # type: ignore[method-assign]


# --- the way to central ---


@planted
def makes_a_new_id_for_every_sending() -> None:
    whole = Journal.facts_after
    made = [0]

    def facts_after(self: Journal, *asked: Any) -> Any:
        if asked[3] > 10**8:  # the auditor's own question
            return whole(self, *asked)
        found = []
        for number, wire in whole(self, *asked):
            made[0] += 1
            found.append((number, wire.replace(b'"id":"', b'"id":"%d-' % made[0], 1)))
        return found

    Journal.facts_after = facts_after  # type: ignore[method-assign]


@planted
def gives_up_after_one_failure() -> None:
    whole = Push._turn

    async def turn(self: Push) -> float:
        seconds = await whole(self)
        return 10**9 if seconds > 0 else seconds

    Push._turn = turn  # type: ignore[method-assign]


@planted
def sends_the_newest_first() -> None:
    whole = Push._next_batch

    def next_batch(self: Push) -> Any:
        batch = whole(self)
        return replace(batch, wires=tuple(reversed(batch.wires)))

    Push._next_batch = next_batch  # type: ignore[method-assign]


# --- central ---


@planted
def central_acknowledges_what_it_did_not_keep() -> None:
    whole = ledger._store
    seen = [0]

    def store(transaction: Any, who: Any, chain: Any, facts: Any) -> Any:
        ack = whole(transaction, who, chain, facts)
        seen[0] += 1
        if seen[0] % 11 == 0 and ack.accepted:
            transaction.db.execute("DELETE FROM fact WHERE chain = ? AND number = ?", (chain.id, ack.next - 1))
        return ack

    ledger._store = store


@planted
def central_keeps_what_comes_twice() -> None:
    """A repeated batch is stored as if it were new."""
    whole = ledger._store

    def store(transaction: Any, who: Any, chain: Any, facts: Any) -> Any:
        if facts[0].number < chain.next:
            wire = msgspec.json.encode(msgspec.json.decode(facts[0].wire) | {"id": f"again-{chain.next}"})
            row = (chain.id, chain.next, facts[0].type, f"again-{chain.next}", transaction.now_ms, facts[0].hash, wire)
            transaction.db.execute("INSERT INTO fact (chain, number, type, id, received_ms, hash, wire) VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        return whole(transaction, who, chain, facts)

    ledger._store = store
