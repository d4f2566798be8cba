"""An explicit-state search over everything that can befall card payments: every loss, delay, late answer, crash and busy terminal.

The till's moves are the product's own: what a finding does to an attempt, and whether another may be started, is asked of ``decide``. The
world around it is small: one sale, two attempts, one terminal that remembers and may be busy with another till. Time is one bit: an
attempt's transport is *settled* once its request has been delivered or is lost for good, which is what ``Terminal.settle_ms`` waits for.
Messages that can change nothing any more are taken off the wire, which keeps the world small without hiding anything.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import NamedTuple

from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain.errors import NotNow
from edge_agent.domain.events import AttemptMoved, ReviewContradicted, ReviewEnded
from edge_agent.domain.register import evolve
from edge_agent.domain.tender import (
    MISFITS,
    MONEY_MOVED,
    NO_MONEY,
    OPEN,
    Approved,
    AttemptState,
    Cancelled,
    CardResult,
    Declined,
    Finding,
    InFlight,
    NotFound,
    NotProcessed,
    Unknown,
)
from tests.support_register import COAT, Memory

S = AttemptState
PRICE_MINOR = 19_900
ATTEMPTS_MAX = 2
YES = Approved(PRICE_MINOR, "EUR", CardResult())
NO = Declined("refused")
STOPPED = Cancelled("associate")
BUSY = NotProcessed("busy")
OTHER = Unknown("wrong_amount")


class Trust(Enum):
    """When "not found" is believed."""

    NEVER = "never"
    ALWAYS = "at once"
    SETTLED_WHEN_ASKED = "when the transport was settled before the question was asked"
    SETTLED_WHEN_HEARD = "when the transport is settled by the time the answer is heard"


@dataclass(frozen=True, slots=True)
class Policy:
    """How a till deals with doubt."""

    name: str
    asks: bool = True
    """An unclear outcome is UNKNOWN and is asked about; else it counts as not processed, and the next attempt is free."""
    remembers: bool = True
    """The attempt's identifiers are on disk before the first byte leaves; else a crash forgets an open attempt."""
    trust: Trust = Trust.SETTLED_WHEN_ASKED
    errs: bool = False
    """A person may decide anything at any time, against the terminal's own list."""
    checks: bool = True
    """What a person decided goes on being asked about."""
    other: Finding | None = None
    """The terminal may take something else than was asked for, and then says this, now and whenever it is asked."""
    attempts_max: int = ATTEMPTS_MAX


class Message(NamedTuple):
    """Something on the wire about attempt ``of``: request, abort, query; answer, found. ``settled``: the transport was, when the query was asked."""

    what: str
    of: int
    finding: Finding | None = None
    settled: bool = False


class Attempt(NamedTuple):
    """The till's view of one attempt; ``state`` None: forgotten in a crash. ``said``: a person who may err decided ``yes`` or ``no``, and the terminal
    since was ``sure`` that they were right, or somebody was ``told`` that they were not. ``warned``: the till knew before that something else was taken."""

    state: AttemptState | None
    sent: bool = False
    settled: bool = False
    said: str = ""
    warned: bool = False

    @property
    def is_asked_about(self) -> bool:
        """Whether an answer still changes something."""
        return self.state in OPEN or self.said in ("yes", "no")


class World(NamedTuple):
    """Everything at one moment. ``terminal``: per attempt nothing, working, approved, other (than was asked for), declined, cancelled,
    refused."""

    attempts: tuple[Attempt, ...] = ()
    terminal: tuple[str, ...] = ()
    wire: frozenset[Message] = frozenset()
    crashes_left: int = 2


@dataclass(slots=True)
class Report:
    """What a search found. ``wrongs`` holds the shortest way to each kind of wrong; ``stuck`` the states from which nothing ends well."""

    states: int = 0
    wrongs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    stuck: tuple[World, ...] = ()
    stuck_without_a_person: tuple[World, ...] = ()
    seen: frozenset[AttemptState] = frozenset()


def search(policy: Policy) -> Report:
    """Visit every reachable world, in the order of the number of steps to it."""
    start = World()
    came_from: dict[World, tuple[World, str] | None] = {start: None}
    edges: dict[World, list[tuple[str, World]]] = {}
    report = Report()
    queue = deque([start])
    while queue:
        world = queue.popleft()
        for wrong in wrongs(world):
            report.wrongs.setdefault(wrong, _way(world, came_from))
        edges[world] = list(steps(world, policy))
        for name, after in edges[world]:
            if after not in came_from:
                came_from[after] = (world, name)
                queue.append(after)
    report.states = len(edges)
    report.seen = frozenset(attempt.state for world in edges for attempt in world.attempts if attempt.state is not None)
    report.stuck = _stuck(edges, with_person=True)
    report.stuck_without_a_person = _stuck(edges, with_person=False)
    return report


def wrongs(world: World) -> Iterator[str]:
    """What must never be."""
    both = list(zip(world.attempts, world.terminal, strict=True))
    if sum(there == "approved" and not attempt.said for attempt, there in both) > 1:
        yield "double charge"
    for attempt, there in both:
        if attempt.said == "sure" and (attempt.state in MONEY_MOVED) is not (there == "approved"):
            yield "a wrong decision taken for right"
        if attempt.said == "sure" and there == "other":
            yield "what nobody decided taken for right"
        if attempt.said == "told" and there != "other" and (attempt.state in MONEY_MOVED) is (there == "approved"):
            yield "a right decision taken for wrong"
        if attempt.said:
            continue
        if there == "approved" and (attempt.state is None or attempt.state in NO_MONEY):
            yield "charged but not recorded"
        if attempt.state in MONEY_MOVED and there != "approved":
            yield "recorded but not charged"


def steps(world: World, policy: Policy) -> Iterator[tuple[str, World]]:
    """Every world that one step leads to, with the step's name."""
    for name, after in (*_till(world, policy), *_terminal(world, policy), *_wire(world, policy)):
        yield name, _swept(after, policy)
    if world.crashes_left:
        yield "crash and restart", _swept(_crashed(world, policy), policy)


def _till(world: World, policy: Policy) -> Iterator[tuple[str, World]]:
    held = tuple(attempt.state for attempt in world.attempts if attempt.state is not None)
    if len(world.attempts) < policy.attempts_max and may_start(held):
        yield f"commit {len(world.attempts)}", world._replace(attempts=(*world.attempts, Attempt(S.SENT)), terminal=(*world.terminal, ""))
    for of, attempt in enumerate(world.attempts):
        on_wire = {message.what for message in world.wire if message.of == of}
        if attempt.state is S.SENT and not attempt.sent:
            yield f"send {of}", _put(_at(world, of, attempt._replace(sent=True)), Message("request", of))
        if attempt.state in (S.SENT, S.IN_PROGRESS) and attempt.sent:
            asked = _at(world, of, attempt._replace(state=S.ABORTING))
            yield f"abort {of}", _put(asked, Message("abort", of))
        if attempt.state in (S.SENT, S.IN_PROGRESS, S.ABORTING) and attempt.sent:
            yield f"silence {of}", _learnt(world, of, Unknown("silence") if policy.asks else NotProcessed("silence"), settled=False)
        if attempt.state in (S.UNKNOWN, S.NEEDS_REVIEW) or (policy.checks and attempt.said in ("yes", "no")):
            if not attempt.settled and "request" not in on_wire:
                yield f"time passes {of}", _at(world, of, attempt._replace(settled=True))
            if not on_wire & {"query", "found"}:
                yield f"ask {of}", _put(world, Message("query", of, settled=attempt.settled))
        if attempt.state is S.UNKNOWN:
            yield f"too long {of}", _at(world, of, attempt._replace(state=S.NEEDS_REVIEW))
        if attempt.state is S.NEEDS_REVIEW and attempt.settled and world.terminal[of] not in ("working", "other"):
            truth = YES if world.terminal[of] == "approved" else NotProcessed("review")
            yield f"a person decides {of}", _learnt(world, of, truth, settled=True)
        if attempt.state is S.NEEDS_REVIEW and policy.errs:
            yield f"a person says yes {of}", _at(world, of, attempt._replace(state=S.APPROVED, said="yes"))
            yield f"a person says no {of}", _at(world, of, attempt._replace(state=S.NOT_PROCESSED, said="no"))


def _terminal(world: World, policy: Policy) -> Iterator[tuple[str, World]]:
    for of, there in enumerate(world.terminal):
        if there == "working":
            yield f"approve {of}", _put(_there(world, of, "approved"), Message("answer", of, YES))
            yield f"decline {of}", _put(_there(world, of, "declined"), Message("answer", of, NO))
            if policy.other is not None:
                yield f"take something else {of}", _put(_there(world, of, "other"), Message("answer", of, policy.other))


def _wire(world: World, policy: Policy) -> Iterator[tuple[str, World]]:
    for message in world.wire:
        without = world._replace(wire=world.wire - {message})
        yield f"lose {message.what} {message.of}", without
        yield f"deliver {message.what} {message.of}", _delivered(without, message, policy)
        if message.what == "request":
            yield f"deliver request {message.of}, busy with another till", _busy(without, message.of)


def _busy(world: World, of: int) -> World:
    return _put(_there(world, of, "refused"), Message("answer", of, BUSY))


def _delivered(world: World, message: Message, policy: Policy) -> World:
    of, there = message.of, world.terminal[message.of]
    match message.what:
        case "request" if "working" in world.terminal:
            return _busy(world, of)
        case "request":
            return _put(_there(world, of, "working"), Message("answer", of, InFlight("present_card")))
        case "abort":
            return _put(_there(world, of, "cancelled"), Message("answer", of, STOPPED)) if there == "working" else world
        case "query":
            books: dict[str, Finding | None] = {"working": InFlight(), "approved": YES, "declined": NO, "cancelled": STOPPED, "other": policy.other}
            return _put(world, Message("found", of, books.get(there) or NotFound(), message.settled))
        case _:
            assert message.finding is not None
            now = world.attempts[of].settled
            believed = {Trust.NEVER: False, Trust.ALWAYS: True, Trust.SETTLED_WHEN_ASKED: message.settled, Trust.SETTLED_WHEN_HEARD: now}[policy.trust]
            return _learnt(world, of, message.finding, settled=believed)


def _swept(world: World, policy: Policy) -> World:
    """``world`` without the messages that can change nothing from here on."""
    return world._replace(wire=frozenset(message for message in world.wire if _matters(world, message, policy)))


def _matters(world: World, message: Message, policy: Policy) -> bool:
    attempt, there = world.attempts[message.of], world.terminal[message.of]
    state, asked = attempt.state, attempt.is_asked_about
    match message.what:
        case "request":
            return True
        case "abort":
            return there in ("", "working")
        case "query":
            return asked
        case "answer" if isinstance(message.finding, InFlight):
            return state is S.SENT
        case "answer":
            return asked
        case _ if isinstance(message.finding, NotFound):
            return asked and (message.settled or policy.trust is not Trust.SETTLED_WHEN_ASKED)
        case _:
            return asked and not isinstance(message.finding, InFlight)


def _crashed(world: World, policy: Policy) -> World:
    """Memory is gone; what is on disk is recovered: what was under way is UNKNOWN, and how long ago it was sent is not known."""
    after = world._replace(crashes_left=world.crashes_left - 1)
    for of, attempt in enumerate(world.attempts):
        if attempt.state not in OPEN:
            after = _at(after, of, attempt._replace(settled=attempt.settled and not attempt.said))
            continue
        if not policy.remembers:
            after = _at(after, of, Attempt(None))
        elif policy.asks:
            after = _learnt(_at(after, of, attempt._replace(settled=False)), of, Unknown("restart"), settled=False)
        else:
            after = _learnt(after, of, NotProcessed("restart"), settled=False)
    return after


def _learnt(world: World, of: int, finding: Finding, *, settled: bool) -> World:
    attempt = world.attempts[of]
    if attempt.state is None:
        return world
    if attempt.said:
        return _at(world, of, attempt._replace(said=after_checking(attempt.said, finding, settled, attempt.warned)))
    warned = attempt.warned or (isinstance(finding, Approved) and finding != YES) or (isinstance(finding, Unknown) and finding.reason in MISFITS)
    return _at(world, of, attempt._replace(state=after_learning(attempt.state, finding, settled), warned=warned))


@cache
def after_learning(state: AttemptState, finding: Finding, settled: bool) -> AttemptState:
    """Where the product takes an attempt in ``state`` that learns ``finding``."""
    till, attempt = _till_with((state,))
    events = till.do(do.Learn(attempt, finding, "answer", transport_settled=settled))
    moved = [event.attempt for event in events if isinstance(event, AttemptMoved)]
    return moved[-1].state if moved else state


@cache
def after_checking(said: str, finding: Finding, settled: bool, warned: bool) -> str:
    """What the product makes of ``finding`` after a person said yes or no; ``warned`` that something else than was asked for had been taken."""
    if said not in ("yes", "no"):
        return said
    till, attempt = _till_with((S.NEEDS_REVIEW,))
    if warned:
        till.do(do.Learn(attempt, OTHER, "query"))
    till.do(do.Review(attempt, said == "yes", "seen on the list"))
    match till.do(do.Learn(attempt, finding, "check", transport_settled=settled)):
        case (ReviewEnded(),):
            return "sure"
        case (ReviewContradicted(),):
            return "told"
        case nothing:
            assert not nothing
            return said


@cache
def may_start(states: tuple[AttemptState, ...]) -> bool:
    """Whether the product starts another attempt for a sale whose attempts so far are in ``states``."""
    if any(state in MONEY_MOVED for state in states):
        return False  # paid: the sale is completed
    till, _ = _till_with(states)
    try:
        till.card()
    except NotNow:
        return False
    return True


def _till_with(states: tuple[AttemptState, ...]) -> tuple[Memory, str]:
    """A register whose basket has an attempt in each of ``states``, and the last one's id."""
    till, attempt_id = Memory(), ""
    till.add(COAT)
    for state in states:
        attempt_id = till.card()
        held = till.state.holding(attempt_id)
        assert held is not None
        till.state = evolve(till.state, AttemptMoved(replace(held[2], state=state), "model"))
    return till, attempt_id


def _at(world: World, of: int, attempt: Attempt) -> World:
    return world._replace(attempts=(*world.attempts[:of], attempt, *world.attempts[of + 1 :]))


def _there(world: World, of: int, state: str) -> World:
    return world._replace(terminal=(*world.terminal[:of], state, *world.terminal[of + 1 :]))


def _put(world: World, message: Message) -> World:
    return world._replace(wire=world.wire | {message})


def _way(world: World, came_from: dict[World, tuple[World, str] | None]) -> tuple[str, ...]:
    names: list[str] = []
    while (before := came_from[world]) is not None:
        world, name = before
        names.append(name)
    return tuple(reversed(names))


def _stuck(edges: dict[World, list[tuple[str, World]]], *, with_person: bool) -> tuple[World, ...]:
    """The worlds from which no way leads to one where every attempt has ended and nothing is on the wire."""
    before: dict[World, list[World]] = {world: [] for world in edges}
    for world, leaving in edges.items():
        for name, after in leaving:
            if with_person or not name.startswith("a person"):
                before[after].append(world)
    good = {world for world in edges if world.attempts and not world.wire and "working" not in world.terminal and not _any_open(world)}
    queue = deque(good)
    while queue:
        for world in before[queue.popleft()]:
            if world not in good:
                good.add(world)
                queue.append(world)
    return tuple(world for world in edges if world not in good)


def _any_open(world: World) -> bool:
    return any(attempt.is_asked_about for attempt in world.attempts)
