"""The business day: it changes at four by the clock on the wall, also in the nights that lack an hour or have one twice, and a shift keeps its own."""

from __future__ import annotations

from datetime import datetime

import pytest

from edge_agent.domain import commands as do
from edge_agent.domain.market import GERMANY, UNITED_STATES, Market
from edge_agent.domain.shift import business_day
from sync.contract.facts import SALE, SHIFT_CLOSED, SHIFT_OPENED, VOIDED
from tests.support_facts import Books, checked
from tests.support_register import AYSE, COAT, SOCKS

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"


def ms(moment: str) -> int:
    """A moment with its offset from UTC, as the clock on the wall shows it there, in milliseconds."""
    return int(datetime.fromisoformat(moment).timestamp()) * 1000


@pytest.mark.parametrize(
    ("moment", "timezone", "day"),
    [
        # Berlin, 29 March: 02:00 is 03:00, so that four o'clock comes three hours after midnight.
        ("2026-03-29T00:30:00+01:00", BERLIN, "2026-03-28"),
        ("2026-03-29T03:59:59+02:00", BERLIN, "2026-03-28"),
        ("2026-03-29T04:00:00+02:00", BERLIN, "2026-03-29"),
        ("2026-03-29T23:59:00+02:00", BERLIN, "2026-03-29"),
        ("2026-03-30T03:59:00+02:00", BERLIN, "2026-03-29"),
        # Berlin, 25 October: 03:00 is 02:00 again, so that four o'clock comes five hours after midnight.
        ("2026-10-25T02:30:00+02:00", BERLIN, "2026-10-24"),
        ("2026-10-25T02:30:00+01:00", BERLIN, "2026-10-24"),
        ("2026-10-25T03:00:00+01:00", BERLIN, "2026-10-24"),
        ("2026-10-25T03:59:59+01:00", BERLIN, "2026-10-24"),
        ("2026-10-25T04:00:00+01:00", BERLIN, "2026-10-25"),
        # New York, 8 March and 1 November: the same at 02:00.
        ("2026-03-08T03:59:59-04:00", NEW_YORK, "2026-03-07"),
        ("2026-03-08T04:00:00-04:00", NEW_YORK, "2026-03-08"),
        ("2026-11-01T01:30:00-04:00", NEW_YORK, "2026-10-31"),
        ("2026-11-01T01:30:00-05:00", NEW_YORK, "2026-10-31"),
        ("2026-11-01T03:59:59-05:00", NEW_YORK, "2026-10-31"),
        ("2026-11-01T04:00:00-05:00", NEW_YORK, "2026-11-01"),
    ],
)
def test_the_day_changes_at_four_on_the_wall_in_every_night_of_the_year(moment: str, timezone: str, day: str) -> None:
    assert business_day(ms(moment), timezone, 4) == day


def test_a_market_may_change_the_day_at_another_hour() -> None:
    assert [business_day(ms(f"2026-03-29T{hour}:00+02:00"), BERLIN, 6) for hour in ("05:59", "06:00")] == ["2026-03-28", "2026-03-29"]
    assert business_day(ms("2026-03-29T00:00:00+01:00"), BERLIN, 0) == "2026-03-29"


def opened(market: Market, moment: str) -> Books:
    """A register whose shift opened then."""
    books = Books(market)
    books.do(do.CloseShift())
    books.facts.clear()
    at(books, moment)
    books.do(do.OpenShift(AYSE, 10_000))
    return books


def at(books: Books, moment: str) -> None:
    books.now_ms = ms(moment) - 1000  # each command takes a second


@pytest.mark.parametrize(
    ("market", "opens", "sells"),
    [
        (GERMANY, "2026-03-28T20:00:00+01:00", ["2026-03-28T21:00:00+01:00", "2026-03-29T00:30:00+01:00", "2026-03-29T04:30:00+02:00"]),
        (GERMANY, "2026-10-24T20:00:00+02:00", ["2026-10-25T00:30:00+02:00", "2026-10-25T02:30:00+01:00", "2026-10-25T04:30:00+01:00"]),
        (UNITED_STATES, "2026-03-07T20:00:00-05:00", ["2026-03-08T00:30:00-05:00", "2026-03-08T04:30:00-04:00"]),
        (UNITED_STATES, "2026-10-31T20:00:00-04:00", ["2026-11-01T00:30:00-04:00", "2026-11-01T04:30:00-05:00", "2026-11-02T12:00:00-05:00"]),
    ],
)  # fmt: skip
def test_a_sale_has_the_day_on_which_its_shift_opened(market: Market, opens: str, sells: list[str]) -> None:
    books, day = opened(market, opens), opens[:10]
    for moment in sells:
        at(books, moment)
        books.add(COAT)
        books.do(do.PayCash(None))
        assert books.state.shift is not None
        assert (books.state.shift.business_day, books.sales[-1].business_day) == (day, day), moment
    facts = books.all(SALE)
    assert [fact["businessDayDate"] for fact in facts] == [day] * len(sells)
    assert {fact["shiftId"] for fact in facts} == {books.state.shift.id if books.state.shift else ""}
    books.add(SOCKS)
    books.do(do.VoidBasket("customer left"))
    books.do(do.CloseShift())
    others = [fact for kind in (SHIFT_OPENED, SHIFT_CLOSED, VOIDED) for fact in books.all(kind)]
    assert [fact["businessDayDate"] for fact in others] == [day] * 3
    assert list(checked(books.facts))


def test_the_next_shift_of_the_night_still_has_the_day_before_until_four() -> None:
    for moment, day in (("2026-10-25T03:59:00+01:00", "2026-10-24"), ("2026-10-25T04:00:00+01:00", "2026-10-25")):
        books = opened(GERMANY, moment)
        assert books.state.shift is not None
        assert books.state.shift.business_day == day
