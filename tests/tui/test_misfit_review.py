"""What a terminal took in place of what was asked for: who decides reads it, and a decision that it does not fit stands on the screen."""

from __future__ import annotations

import msgspec
import pytest

from edge_agent.views import HandleContradiction, NoticeView, SignIn, Snapshot
from tests.support_service import ScriptedService
from tests.support_snapshots import COAT, DAY, NOW, READY, UNKNOWN_CODE, attempt, basket, ident, payment, selling
from tests.support_till import till

replace = msgspec.structs.replace
SAID = {"amount": "199,00 EUR", "receipt": "R-0001-02-000009", "terminal": "T1", "attempt": ident("a")}


def in_review(reported: str) -> Snapshot:
    unsettled = attempt("needs_review", waited_s=700, reason="wrong_amount", reported=reported)
    return replace(selling(COAT), phase="paying", basket=basket(COAT, locked=True), payment=payment(20064, attempt=unsettled))


async def test_who_decides_reads_what_the_terminal_took_also_when_it_is_heard_meanwhile() -> None:
    async with till(in_review(""), size=(80, 24)) as counter:
        await counter.sees("Reason: the answer named another amount")
        await counter.press("r")
        await counter.sees("is there a payment of 200,64 EUR")
        assert "reported" not in counter.text()
        await counter.shows(in_review("299,00 EUR"))
        await counter.sees("The terminal itself reported 299,00 EUR. Yes counts")
        await counter.press("escape")
        await counter.sees("The terminal reported 299,00 EUR.")


@pytest.mark.parametrize(
    ("key", "more", "said"),
    [
        ("notice.payment_reported", {"reported": "199,00 USD"}, "it reports 199,00 USD"),
        ("notice.payment_differs", {}, "it reports another amount or currency"),
    ],
)
async def test_what_nobody_can_count_stands_on_top_of_the_messages_until_somebody_notes_what_was_done(key: str, more: dict[str, str], said: str) -> None:
    owed = NoticeView(key, "bad", "", shown=SAID | more, at_ms=NOW - DAY)
    service = ScriptedService(replace(READY, notice=owed))
    service.notices = [UNKNOWN_CODE, owed]
    async with till(service) as counter:
        await counter.sees("for 199,00 EUR by card", said)
        await counter.press("f9", "n")
        await counter.sees("Messages")
        await counter.until(lambda: counter.text().index("199,00 EUR") < counter.text().index("is not in the catalogue"), "it on top")
        await counter.press("enter")
        await counter.sees("A decision and the terminal do not agree", "records of T1")
        await counter.type("seen, refunded")
        await counter.press("enter")
        assert await counter.sent(HandleContradiction) == HandleContradiction(ident("a"), "seen, refunded")


async def test_who_may_not_note_it_reads_it_all_and_who_may_and_a_manager_notes_it_there() -> None:
    owed = NoticeView("notice.payment_reported", "bad", "", shown=SAID | {"reported": "199,00 USD"}, at_ms=NOW - DAY)
    manager = READY.shift
    service = ScriptedService(replace(READY, shift=replace(manager, rights=[], operator="Jo", operator_id="1002"), notice=owed))
    service.notices = [owed]
    service.on(SignIn, lambda snapshot, command: replace(snapshot, shift=manager))
    async with till(service, size=(80, 24)) as counter:
        await counter.press("f9", "n")
        await counter.sees("Messages", "199,00 USD")
        await counter.press("enter")
        await counter.sees("it reports 199,00 USD.", "a manager notes it", "A manager notes it: have one scan their badge here", "B a manager signs in")
        assert "what was done about it" not in counter.text()
        assert "note that it is seen to" not in counter.text()
        await counter.type("sent back")
        await counter.press("escape")  # the b of it opened the box to sign in
        await counter.press("enter")
        assert counter.service.commands == []
        await counter.press("b")
        await counter.sees("Who takes over?")
        await counter.type("1001")
        await counter.press("enter")
        await counter.sees("what was done about it", "Enter note that it is seen to")
        assert "B a manager" not in counter.text()
        await counter.type("brought back")
        await counter.press("enter")
        assert await counter.sent(HandleContradiction) == HandleContradiction(ident("a"), "brought back")


async def test_what_a_void_left_to_be_given_back_is_said_of_the_void_and_of_no_contradiction() -> None:
    owed = NoticeView("notice.payment_of_a_void", "bad", "", shown=SAID | {"receipt": "–"}, at_ms=NOW - DAY)
    service = ScriptedService(replace(READY, notice=owed))
    service.notices = [UNKNOWN_CODE, owed]
    async with till(service, size=(80, 24)) as counter:
        await counter.sees("A basket was voided; 199,00 EUR that was paid for it by card was not given back.", "a manager notes it: F9 N.")
        await counter.press("f9", "n")
        await counter.sees("Messages")
        await counter.press("enter")
        await counter.sees("Money to give back after a void", "Give 199,00 EUR back at T1", "what was done about it")
        assert "contradict" not in counter.text()
        assert "do not agree" not in counter.text()
