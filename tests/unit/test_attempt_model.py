"""The recovery policy of card payments, checked exhaustively in a small world, with policies that are known to be wrong as controls."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from edge_agent.domain import commands as do
from edge_agent.domain import settling
from edge_agent.domain.errors import RuleError
from edge_agent.domain.events import AttemptAdded, AttemptMoved, Event, PaymentCorrected, TenderAdded
from edge_agent.domain.register import Register
from edge_agent.domain.tender import (
    MONEY_MOVED,
    MOVES,
    NO_MONEY,
    OPEN,
    Approved,
    Attempt,
    AttemptKind,
    AttemptState,
    CardResult,
    Finding,
    InFlight,
    NotFound,
    Unknown,
)
from tests.attempt_model import BUSY, NO, OTHER, STOPPED, YES, Policy, Report, Trust, after_checking, after_learning, may_start, search
from tests.support_register import COAT, Memory

S = AttemptState
POLICY = Policy("D: named on disk before it is sent, asked about, 'not found' believed once the transport was settled")
CONTROLS = (
    Policy("A: a new attempt under a new name after silence", asks=False),
    Policy("B: asked about, but not on disk before it is sent", remembers=False),
    Policy("C: named and asked about, 'not found' believed at once", trust=Trust.ALWAYS),
    Policy("D with a hole: 'not found' believed when the transport has settled since the question", trust=Trust.SETTLED_WHEN_HEARD),
)


@pytest.fixture(scope="module")
def found() -> Report:
    return search(POLICY)


def test_no_card_is_charged_twice_and_no_charge_goes_unrecorded(found: Report) -> None:
    assert found.wrongs == {}


def test_from_everywhere_there_is_a_way_to_an_end_and_none_needs_a_person(found: Report) -> None:
    assert found.stuck == ()
    assert found.stuck_without_a_person == ()


def test_the_search_went_through_every_state_that_a_sale_attempt_can_be_in(found: Report) -> None:
    assert found.seen == {S.SENT, S.IN_PROGRESS, S.ABORTING, S.UNKNOWN, S.NEEDS_REVIEW, S.APPROVED, S.DECLINED, S.CANCELLED, S.NOT_PROCESSED}
    assert found.states > 500


@pytest.mark.parametrize("policy", CONTROLS, ids=lambda policy: policy.name[:1] + policy.trust.name.lower())
def test_the_same_search_finds_both_wrongs_in_a_policy_that_has_them(policy: Policy) -> None:
    report = search(policy)
    assert set(report.wrongs) == {"double charge", "charged but not recorded"}


def takes_a_stop_for_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = settling.learn

    def learn(state: Register, command: do.Learn, moment: do.Moment) -> tuple[Event, ...]:
        held = state.holding(command.attempt)
        stopped = held is not None and held[2].state is S.ABORTING
        return whole(state, replace(command, finding=STOPPED) if stopped else command, moment)

    monkeypatch.setattr(settling, "learn", learn)


def takes_silence_for_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = settling.state_after
    monkeypatch.setattr(settling, "state_after", lambda finding, asked: S.NOT_PROCESSED if isinstance(finding, Unknown) else whole(finding, asked))


@pytest.fixture
def _asked_anew() -> Iterator[None]:
    """What the product answered is remembered; a broken one must be asked itself, and must leave nothing behind."""
    answers = (after_learning, after_checking, may_start)
    for answer in answers:
        answer.cache_clear()
    yield
    for answer in answers:
        answer.cache_clear()


@pytest.mark.usefixtures("_asked_anew")
@pytest.mark.parametrize("breaks", [takes_a_stop_for_the_end, takes_silence_for_a_no], ids=lambda breaks: breaks.__name__)
def test_the_same_search_finds_a_register_that_settles_wrongly(breaks: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    breaks(monkeypatch)
    assert set(search(POLICY).wrongs) == {"double charge", "charged but not recorded"}


def test_a_policy_that_never_believes_not_found_charges_right_and_is_stuck_until_a_person_decides() -> None:
    report = search(Policy("D without believing", trust=Trust.NEVER))
    assert report.wrongs == {}
    assert report.stuck == ()
    assert report.stuck_without_a_person


def test_a_person_who_errs_is_told_so_whatever_happens_and_one_who_is_right_is_not() -> None:
    report = search(Policy("D with a person who errs", errs=True, attempts_max=1))
    assert report.wrongs == {}
    assert report.stuck == ()
    assert report.states > 100


TAKEN = [replace(YES, amount_minor=29_900), replace(YES, currency="USD"), OTHER, Unknown("mismatch")]


@pytest.mark.parametrize("other", TAKEN, ids=["more", "another currency", "another amount", "it does not fit"])
def test_whoever_decides_about_something_else_than_was_asked_for_is_told_of_the_difference(other: Finding) -> None:
    report = search(Policy("D with a terminal that may take something else", errs=True, attempts_max=1, other=other))
    assert report.wrongs == {}
    assert report.stuck == ()
    assert search(Policy("the same without checking", errs=True, checks=False, attempts_max=1, other=other)).stuck


def test_decisions_that_nobody_checks_leave_wrong_ones_unsaid() -> None:
    assert search(Policy("D without checking", errs=True, checks=False, attempts_max=1)).stuck


def test_while_an_attempt_is_open_no_other_may_start_and_after_a_no_another_may() -> None:
    for state in S:
        if state in OPEN:
            assert not may_start((state,)), state
        elif state in NO_MONEY - {S.VOIDED}:
            assert may_start((state,)), state


def test_what_is_learnt_leads_along_the_moves_or_nowhere() -> None:
    for state in S:
        for finding in (
            YES,
            NO,
            STOPPED,
            BUSY,
            InFlight(),
            NotFound(),
            Unknown("silence"),
            Unknown("mismatch"),
            replace(YES, amount_minor=1),
            replace(YES, offline=True),
        ):
            for settled in (False, True):
                after = after_learning(state, finding, settled)
                assert after is state or after in MOVES[state], (state, finding)
                if state not in OPEN:
                    assert after is state, "what has ended has ended"


FINDINGS = st.one_of(
    st.builds(Approved, st.integers(0, 30_000), st.sampled_from(["EUR", "USD"]), st.just(CardResult()), st.booleans()),
    st.sampled_from([NO, STOPPED, BUSY, InFlight("enter_pin"), NotFound(), Unknown("silence"), Unknown("mismatch"), Unknown("wrong_amount", YES)]),
)
TOLD = st.lists(
    st.one_of(
        st.tuples(st.just("learn"), st.integers(0, 5), FINDINGS, st.booleans()),
        st.tuples(st.sampled_from(["card", "void", "asked", "too long", "review yes", "review no", "stop", "handle", "park", "recall"]), st.integers(0, 5)),
    ),
    max_size=30,
)


@given(TOLD)
def test_attempts_only_move_along_the_moves_whatever_is_told_in_whatever_order(told: list[tuple[object, ...]]) -> None:
    till = Memory()
    till.add(COAT)
    for what in told:
        try:
            till.do(_command(till, what))
        except RuleError:
            continue
    _moves_hold(till.events)


def _command(till: Memory, told: tuple[object, ...]) -> do.Command:
    attempts = [attempt for basket in till.state.baskets for tender in basket.tenders for attempt in tender.attempts]
    which = told[1]
    assert isinstance(which, int)
    attempt = attempts[which % len(attempts)] if attempts else None
    name, tender = (attempt.id, attempt.tender) if attempt else ("none", "none")
    aside = (*till.state.parked, *till.state.suspended)
    match told:
        case ("learn", _, finding, settled):
            return do.Learn(name, finding, "answer", transport_settled=bool(settled))  # type: ignore[arg-type]  # the strategy draws findings
        case ("card", _):
            return do.StartCard(till.new_id(), f"REF{till.ids}", "T1", None if which % 2 else 5_000)
        case ("void", _):
            return do.StartVoid(tender, till.new_id(), f"REF{till.ids}")
        case ("asked", _):
            return do.Asked(name)
        case ("too long", _):
            return do.GiveToReview(name, "time")
        case ("review yes" | "review no" as answer, _):
            return do.Review(name, answer == "review yes", "seen on the list")
        case ("stop", _):
            return do.StopChecking(name)
        case ("handle", _):
            return do.HandleContradiction(name, "given back")
        case ("park", _):
            return do.Park("x")
        case _:
            return do.Recall(aside[0].id if aside else "none")


def _moves_hold(events: list[Event]) -> None:
    """Follow every attempt through the events."""
    states: dict[str, AttemptState] = {}
    corrected: set[str] = set()
    for event in events:
        match event:
            case TenderAdded(tender):
                states.update({attempt.id: attempt.state for attempt in tender.attempts})
            case AttemptAdded(_, attempt):
                assert attempt.id not in states
                states[attempt.id] = attempt.state
            case AttemptMoved(attempt):
                assert attempt.state in MOVES[states[attempt.id]], (states[attempt.id], attempt.state)
                states[attempt.id] = attempt.state
                if attempt.kind is AttemptKind.VOID and attempt.state in MONEY_MOVED:
                    _undone(states, attempt, corrected)
            case PaymentCorrected(found):
                states[found.id] = found.state
                if found.kind is AttemptKind.VOID:
                    _undone(states, found, corrected)
                else:
                    corrected.add(found.id)


def _undone(states: dict[str, AttemptState], void: Attempt, corrected: set[str]) -> None:
    """What was found not to be paid cannot be undone any more, whatever a terminal says that it did."""
    assert void.original in corrected or S.VOIDED in MOVES[states[void.original]]
    if S.VOIDED in MOVES[states[void.original]]:
        states[void.original] = S.VOIDED
