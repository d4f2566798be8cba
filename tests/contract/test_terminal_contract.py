"""What every terminal package promises, over real sockets, with the terminal's own books as the other opinion.

A new package joins by a rig (tests/support_terminal.py).
"""

from __future__ import annotations

import asyncio

import pytest

from drivers.load import DriverContext
from drivers.terminals.load import kinds, load_terminal
from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.domain.errors import ConfigError
from edge_agent.domain.tender import Approved, Cancelled, Declined, InFlight, NotFound, NotProcessed, Unknown, checked
from tests.support_terminal import IMPATIENT, PATIENT, RIGS, CounterLinkRig, Heard, attempt, fixture_rig, running, until  # noqa: F401 - a fixture

# --- packages --------------------------------------------------------------------------------------------------------------------


def test_every_terminal_package_has_a_rig_here() -> None:
    assert set(kinds()) == set(RIGS)


def test_a_kind_that_is_none_and_a_key_that_is_none_are_refused_by_name() -> None:
    context = DriverContext(SystemClock(), SystemRandom(), where="edge.toml [terminals.counter]")
    with pytest.raises(ConfigError, match=r"edge.toml \[terminals.counter\]: kind: expected one of counter_link, got 'abacus'"):
        load_terminal("abacus", {}, context)
    with pytest.raises(ConfigError, match="port: expected a whole number from 1 to 65535, got nothing"):
        load_terminal("counter_link", {"host": "127.0.0.1"}, context)
    with pytest.raises(ConfigError, match="hots"):
        load_terminal("counter_link", {"host": "127.0.0.1", "port": 1, "hots": 1}, context)


def test_a_wire_ref_is_made_of_the_attempts_id_alone_and_not_twice(rig: CounterLinkRig) -> None:
    first, second = rig.driver(), rig.driver()
    assert first.wire_ref("01924d6a-9b00-7000-8000-000000000001") == second.wire_ref("01924d6a-9b00-7000-8000-000000000001")
    refs = {first.wire_ref(f"01924d6a-9b00-7000-8000-{number:012}") for number in range(20_000)}
    assert len(refs) == 20_000
    assert first.settle_ms() > 0


# --- a payment, a question, an abort ---------------------------------------------------------------------------------------------


async def test_an_approved_payment_reports_its_steps_and_is_in_the_terminals_books_once(rig: CounterLinkRig) -> None:
    driver, heard = rig.driver(), Heard()
    outcome = await driver.submit(attempt(driver), heard)
    assert isinstance(outcome, Approved)
    assert (outcome.amount_minor, outcome.currency, outcome.offline) == (1250, "EUR", False)
    assert outcome.result.provider_ref
    assert len(outcome.result.last_four) == 4
    assert heard.steps == ["present_card", "enter_pin", "contacting_bank", "remove_card"]
    assert rig.charges() == {attempt(driver).wire_ref: 1250}


async def test_a_query_tells_the_same_as_the_submission_did_also_after_the_terminal_was_switched_off(rig: CounterLinkRig) -> None:
    driver = rig.driver()
    rig.plan()
    rig.plan(decline="insufficient_funds")
    rig.plan(cancel=True)
    rig.plan(booked=500)
    rig.plan(offline=True)
    told = [await driver.submit(attempt(driver, number), Heard()) for number in range(1, 6)]
    assert told[1:3] == [Declined("insufficient_funds"), Cancelled("customer")]
    assert [outcome.amount_minor for outcome in told if isinstance(outcome, Approved)] == [1250, 500, 1250]
    assert [outcome.offline for outcome in told if isinstance(outcome, Approved)] == [False, False, True]
    rig.power_cycle()
    assert [await driver.query(attempt(driver, number)) for number in range(1, 6)] == told
    assert rig.charged_minor() == 3000


async def test_a_query_starts_nothing_and_does_not_find_what_was_never_sent(rig: CounterLinkRig) -> None:
    driver = rig.driver()
    assert await driver.query(attempt(driver)) == NotFound()
    assert rig.idle()
    assert rig.charges() == {}


async def test_while_it_is_under_way_a_query_says_at_which_step(rig: CounterLinkRig) -> None:
    driver = rig.driver()
    rig.plan(hold="enter_pin")
    async with running(driver.submit(attempt(driver), Heard())) as submitted:
        await until(lambda: rig.at("enter_pin"), "PIN asked for")
        assert await driver.query(attempt(driver)) == InFlight("enter_pin")
        rig.release()
        assert isinstance(await submitted, Approved)


async def test_an_abort_in_time_cancels_and_the_submission_says_so(rig: CounterLinkRig) -> None:
    driver = rig.driver()
    rig.plan(hold="present_card")
    async with running(driver.submit(attempt(driver), Heard())) as submitted:
        await until(lambda: rig.at("present_card"), "card asked for")
        await driver.abort(attempt(driver))
        assert await submitted == Cancelled("associate")
    assert rig.charges() == {}


async def test_an_abort_that_comes_too_late_lets_the_approval_win(rig: CounterLinkRig) -> None:
    driver = rig.driver()
    for number, how in enumerate(({"hold": "contacting_bank"}, {"hold": "present_card", "abort_late": True}), 1):
        rig.plan(**how)
        async with running(driver.submit(attempt(driver, number), Heard())) as submitted:
            await until(lambda how=how: rig.at(str(how["hold"])), "at the step")
            await driver.abort(attempt(driver, number))
            rig.release()
            assert isinstance(await submitted, Approved)
    assert rig.charged_minor() == 2500


async def test_an_abort_of_one_attempt_does_not_touch_another(rig: CounterLinkRig) -> None:
    driver = rig.driver()
    rig.plan(hold="present_card")
    async with running(driver.submit(attempt(driver, 1), Heard())) as submitted:
        await until(lambda: rig.at("present_card"), "card asked for")
        await driver.abort(attempt(driver, 2))
        rig.release()
        assert isinstance(await submitted, Approved)


async def test_a_second_payment_while_one_is_under_way_is_not_processed(rig: CounterLinkRig) -> None:
    driver = rig.driver()
    rig.plan(hold="present_card")
    async with running(driver.submit(attempt(driver, 1), Heard())) as submitted:
        await until(lambda: rig.at("present_card"), "card asked for")
        assert await driver.submit(attempt(driver, 2), Heard()) == NotProcessed("busy")
        rig.release()
        assert isinstance(await submitted, Approved)
    assert rig.charges() == {attempt(driver, 1).wire_ref: 1250}


async def test_a_terminal_at_another_tills_payment_is_busy_and_healthy(rig: CounterLinkRig) -> None:
    driver = rig.driver()
    rig.busy(True)
    assert await driver.submit(attempt(driver), Heard()) == NotProcessed("busy")
    health = await driver.health()
    assert health.answers
    assert health.busy


# --- faults in between -----------------------------------------------------------------------------------------------------------


async def test_without_a_connection_nothing_was_processed_and_nothing_can_be_asked(rig: CounterLinkRig) -> None:
    driver = rig.driver()
    rig.refuse(True)
    assert await driver.submit(attempt(driver), Heard()) == NotProcessed("unreachable")
    assert await driver.query(attempt(driver)) == Unknown("unreachable")
    await driver.abort(attempt(driver))
    health = await driver.health()
    assert (health.answers, health.reason) == (False, "unreachable")
    assert health.hint
    rig.refuse(False)
    assert isinstance(await driver.submit(attempt(driver, 2), Heard()), Approved)
    assert rig.charges() == {attempt(driver, 2).wire_ref: 1250}


async def test_a_terminal_that_was_dead_before_the_first_byte_processed_nothing(rig: CounterLinkRig) -> None:
    driver = rig.driver(connect_seconds=0.4)
    rig.dead(True)
    assert await driver.submit(attempt(driver), Heard()) == NotProcessed("not_answering")
    assert (await driver.health()).reason == "not_answering"
    await driver.abort(attempt(driver))
    rig.dead(False)
    assert await rig.driver().query(attempt(driver)) == NotFound()


async def test_a_terminal_that_dies_under_way_leaves_the_outcome_unknown_until_it_can_be_asked(rig: CounterLinkRig) -> None:
    driver = rig.driver(IMPATIENT)
    rig.plan(hold="contacting_bank")
    async with running(driver.submit(attempt(driver), Heard())) as submitted:
        await until(lambda: rig.at("contacting_bank"), "at the bank")
        rig.dead(True)
        rig.release()
        assert await submitted == Unknown("no_answer")
        await until(rig.idle, "booked all the same")
    assert await rig.driver(connect_seconds=0.4).query(attempt(driver)) == Unknown("not_answering")
    rig.dead(False)
    assert isinstance(await rig.driver().query(attempt(driver)), Approved)
    assert rig.charged_minor() == 1250


@pytest.mark.parametrize("answer", ["drop", "silent"])
async def test_a_lost_answer_is_unknown_and_found_by_asking(rig: CounterLinkRig, answer: str) -> None:
    driver = rig.driver(IMPATIENT if answer == "silent" else PATIENT)
    rig.plan(answer=answer)
    assert await driver.submit(attempt(driver), Heard()) == Unknown("no_answer" if answer == "silent" else "connection_lost")
    assert isinstance(await rig.driver().query(attempt(driver)), Approved)
    assert rig.charged_minor() == 1250


async def test_an_answer_that_comes_too_late_for_the_submission_does_not_reach_the_next_one(rig: CounterLinkRig) -> None:
    driver = rig.driver(IMPATIENT)
    rig.plan(late=2.5)
    assert await driver.submit(attempt(driver, 1), Heard()) == Unknown("no_answer")
    next_one = await rig.driver().submit(attempt(driver, 2, 300), Heard())
    assert isinstance(next_one, Approved)
    assert next_one.amount_minor == 300
    first = await rig.driver().query(attempt(driver, 1))
    assert isinstance(first, Approved)
    assert first.amount_minor == 1250


async def test_an_answer_that_is_said_twice_counts_once(rig: CounterLinkRig) -> None:
    driver = rig.driver()
    rig.plan(answer="twice")
    assert isinstance(await driver.submit(attempt(driver, 1), Heard()), Approved)
    rig.plan(decline="refused")
    assert await driver.submit(attempt(driver, 2), Heard()) == Declined("refused")
    assert rig.charged_minor() == 1250


async def test_a_request_that_the_terminal_never_takes_up_is_unknown_and_then_not_found(rig: CounterLinkRig) -> None:
    driver = rig.driver()
    rig.plan(take_up=-1.0)
    assert isinstance(await driver.submit(attempt(driver), Heard()), Unknown)
    assert await driver.query(attempt(driver)) == NotFound()
    assert rig.charges() == {}


async def test_not_found_may_be_wrong_as_long_as_the_request_can_still_be_taken_up(rig: CounterLinkRig) -> None:
    impatient = rig.driver(IMPATIENT)
    rig.plan(take_up=2.5)
    assert await impatient.submit(attempt(impatient), Heard()) == Unknown("no_answer")
    driver = rig.driver()
    assert await driver.query(attempt(driver)) == NotFound()
    await until(lambda: bool(rig.charges()), "taken up late")
    assert isinstance(await driver.query(attempt(driver)), Approved)
    rig.plan(lost_finds=1, answer="drop")
    assert isinstance(await driver.submit(attempt(driver, 2), Heard()), Unknown)
    assert await driver.query(attempt(driver, 2)) == NotFound()
    assert isinstance(await driver.query(attempt(driver, 2)), Approved)


@pytest.mark.parametrize(
    ("lie", "reason", "said"),
    [
        ({"told_ref": "ZZZZZZZZZZ"}, "other_ref", None),
        ({"told_amount": 999_999}, "wrong_amount", (999_999, "EUR")),
        ({"told_amount": 0}, "wrong_amount", (0, "EUR")),
        ({"told_currency": "USD"}, "wrong_currency", (1250, "USD")),
    ],
)
async def test_an_answer_that_does_not_fit_the_question_is_not_believed_but_kept_and_asked_about(
    rig: CounterLinkRig, lie: dict[str, object], reason: str, said: tuple[int, str] | None
) -> None:
    driver = rig.driver()
    rig.plan(**lie)
    answer = checked(await driver.submit(attempt(driver), Heard()), attempt(driver))
    assert isinstance(answer, Unknown)
    assert (answer.reason, answer.approved and (answer.approved.amount_minor, answer.approved.currency)) == (reason, said)
    found = await driver.query(attempt(driver))
    assert isinstance(found, Approved)
    assert (found.amount_minor, found.currency) == (1250, "EUR")


async def test_books_that_hold_more_than_was_asked_for_say_how_much(rig: CounterLinkRig) -> None:
    driver = rig.driver()
    rig.plan(booked=12_500)
    answer = await driver.submit(attempt(driver), Heard())
    assert await driver.query(attempt(driver)) == answer
    assert isinstance(answer, Approved)
    assert (answer.amount_minor, answer.currency) == (12_500, "EUR")
    assert answer.result.provider_ref
    assert checked(answer, attempt(driver)) == Unknown("wrong_amount", answer)


@pytest.mark.parametrize(("in_flight", "charged"), [("rolled_back", 0), ("booked", 1250)])
async def test_a_terminal_that_restarts_under_way_is_asked_what_it_made_of_it(rig: CounterLinkRig, in_flight: str, charged: int) -> None:
    driver = rig.driver()
    rig.plan(hold="contacting_bank")
    async with running(driver.submit(attempt(driver), Heard())) as submitted:
        await until(lambda: rig.at("contacting_bank"), "at the bank")
        rig.reboot(in_flight)
        assert await submitted == Unknown("connection_lost")
    found = await driver.query(attempt(driver))
    assert isinstance(found, Approved) if charged else found == NotFound()
    assert rig.charged_minor() == charged


async def test_the_same_reference_sent_again_charges_nothing_again(rig: CounterLinkRig) -> None:
    driver = rig.driver()
    first = await driver.submit(attempt(driver), Heard())
    assert isinstance(await driver.submit(attempt(driver), Heard()), Unknown)
    assert await driver.query(attempt(driver)) == first
    assert rig.charged_minor() == 1250


# --- voids, card data, and ends --------------------------------------------------------------------------------------------------


async def test_a_void_gives_the_whole_payment_back_once(rig: CounterLinkRig) -> None:
    driver = rig.driver()
    assert isinstance(await driver.submit(attempt(driver, 1), Heard()), Approved)
    rig.plan(answer="drop")
    assert isinstance(await driver.submit(attempt(driver, 2, voids=1), Heard()), Unknown)
    voided = await driver.query(attempt(driver, 2, voids=1))
    assert isinstance(voided, Approved)
    assert voided.amount_minor == 1250
    assert rig.charged_minor() == 0
    assert not isinstance(await driver.submit(attempt(driver, 3, voids=1), Heard()), Approved)
    assert rig.charged_minor() == 0


async def test_a_void_of_what_was_never_paid_or_of_another_amount_is_not_processed(rig: CounterLinkRig) -> None:
    driver = rig.driver()
    assert isinstance(await driver.submit(attempt(driver, 2, voids=1), Heard()), NotProcessed)
    assert isinstance(await driver.submit(attempt(driver, 1), Heard()), Approved)
    assert isinstance(await driver.submit(attempt(driver, 3, 1000, voids=1), Heard()), NotProcessed)
    assert rig.charged_minor() == 1250


async def test_nothing_of_a_card_but_what_may_be_kept_leaves_the_driver(rig: CounterLinkRig) -> None:
    driver = rig.driver()
    rig.plan(leak=True)
    outcome = await driver.submit(attempt(driver), Heard())
    assert isinstance(outcome, Approved)
    assert "4111" not in repr(outcome).replace("************1111", "").replace("**** **** **** 1111", "")
    assert not any(word in repr(outcome) for word in ("2712", "CUSTOMER", "123"))
    assert outcome.result.brand == "Visa"


async def test_a_submission_that_is_cancelled_leaves_no_open_connection_and_can_be_asked_about(rig: CounterLinkRig) -> None:
    driver = rig.driver()
    rig.plan(hold="contacting_bank")
    async with running(driver.submit(attempt(driver), Heard())) as submitted:
        await until(lambda: rig.at("contacting_bank"), "at the bank")
        submitted.cancel()
        with pytest.raises(asyncio.CancelledError):
            await submitted
    assert await driver.query(attempt(driver)) == InFlight("contacting_bank")
    rig.release()
    await until(rig.idle, "booked")
    assert isinstance(await driver.query(attempt(driver)), Approved)


async def test_a_terminal_with_another_name_is_not_asked_for_money(rig: CounterLinkRig) -> None:
    driver = rig.driver(terminal_id="SIM-0002")
    assert await driver.submit(attempt(driver), Heard()) == NotProcessed("other_terminal")
    assert (await driver.health()).reason == "other_terminal"
    assert rig.charges() == {}
