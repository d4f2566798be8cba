"""What the message line says has its rows on the smallest usual terminal: what happened and what to do, both to their end."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from edge_agent.views import NoticeView
from tests.support_drawing import joined, shown
from tests.support_snapshots import COAT, READY, payment, selling
from tui.drawing.foot import CARD_AGAIN, notice
from tui.messages import Words, languages, read

SAID = re.compile(
    r"(notice|refused|not_now|not_allowed|out_of_bounds|code_invalid|code_unknown|disk_full|central_unreachable|central_conflict|amount|service|client"
    r"|pay\.ask_again|pay\.not_amount)\b"
)
VALUES = {
    "amount": "12,345.67 EUR", "reported": "12,435.67 EUR", "receipt": "R-0001-02-000123", "terminal": "card_terminal_2", "code": "4006381333931",
    "name": "Wool coat, navy, 38", "to_pick": "12", "unknown": "3", "holder": "0001/02", "held_by": "0001/02", "register": "0001/02", "limit": "99",
    "at": "14:05", "until": "14:05", "free": "100", "got": "100000", "max": "9999", "expected": "13", "value": "4006381333932", "date": "2026-10-12",
    "age": "as of yesterday", "status": "500", "typed": "12,345.67", "plain": "12345.67", "whole": "12000", "small": "12.00", "example": "150.50",
    "customer": "Maria Fernandez", "text": "wool", "right": "sale.void", "reason": "not_answering", "characters": "3", "n": "2",
}  # fmt: skip


def sentences(language: str) -> list[str]:
    return [key for key in read(language) if SAID.match(key) and not key.endswith(".hint") and key != "not_now.serial_of"]


@pytest.mark.parametrize(("language", "key"), [(language, key) for language in languages() for key in sentences(language)])
def test_nothing_that_is_said_is_cut_at_80_columns(language: str, key: str) -> None:
    told = NoticeView(key, "warn", "", shown=VALUES)
    text, hint = Words(language).notice(told)
    rows = notice(shown(READY, words=Words(language), local=told), 80)
    assert text, key
    assert " ".join(joined(rows).replace("▲", "").split()) == " ".join(f"{text} {hint}".split())


def with_reasons(language: str) -> list[tuple[str, str, str]]:
    """What a payment's end is told with, and every reason there is for one, the longest first."""
    said = read(language)
    reasons = [key for key in said if key.startswith("reason.") and key not in ("reason.why", "reason.words")]
    longest = sorted(reasons, key=lambda key: -len(said[key]))
    return [(language, key, reason.removeprefix("reason.")) for key in sentences(language) if "{reason}" in said[key] for reason in longest[:10]]


@pytest.mark.parametrize(("language", "key", "reason"), [case for language in languages() for case in with_reasons(language)])
@pytest.mark.parametrize("methods", [("cash", "card"), ("cash",)])
def test_how_a_payment_ended_is_said_to_its_end_whatever_the_reason_and_whether_or_not_the_terminal_is_there(
    language: str, key: str, reason: str, methods: tuple[str, ...]
) -> None:
    words, told = Words(language), NoticeView(key, "warn", "", shown={**VALUES, "reason": reason})
    text, hint = words.notice(told)
    if key in CARD_AGAIN and "card" not in methods:
        hint = words("pay.no_card_again")
    rows = notice(shown(replace(selling(COAT), payment=payment(17900, methods=methods)), words=words, local=told), 80)
    assert " ".join(joined(rows).replace("▲", "").split()) == " ".join(f"{text} {hint}".split())


def test_that_no_money_moved_stands_first_where_a_card_was_not_taken_up() -> None:
    for language, first in (("en", "No money moved."), ("de", "Kein Geld geflossen.")):
        assert Words(language).notice(NoticeView("notice.payment_not_processed", "warn", "", shown=VALUES))[0].startswith(first)
