"""Words: the one catalogue of strings, a file per language, and how numbers, dates and counts are said in it.

Money never passes through here: amounts arrive as text in the market's format, and other numbers are written with the market's signs.
What the service says arrives with its key, its values and an English sentence; a key that the catalogue does not know falls back to that sentence.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from edge_agent.views import NoticeView, Problem

FOLDER = Path(__file__).parent / "locale"
FALLBACK = "en"
NO_DATE = "–"
DAY_MS = 86_400_000
EARLIEST_MS, LATEST_MS = 2 * DAY_MS, 253_402_300_800_000 - 31 * DAY_MS
"""What lies outside has, in some zone, no date in the calendar that we write."""


DATES = ("date", "until")
"""The values of the service's sentences that are dates."""


class Words:
    """Everything the terminal says, in one language; ``decimal`` and ``group`` are the signs in its numbers, the language's own unless told.

    >>> words = Words("de_DE")
    >>> words("total.articles.other", n=4), words.number(2310), words.in_market(".", ",").number(2310)
    ('4 Artikel', '2.310', '2,310')
    """

    def __init__(self, locale: str, decimal: str = "", group: str = "") -> None:
        language = locale.replace("-", "_").split("_")[0].lower()
        self.language = language if language in languages() else FALLBACK
        self._texts = read(self.language)
        self.decimal = decimal or self._texts["number.decimal"]
        self.group = group or self._texts["number.group"]

    def in_market(self, decimal: str, group: str) -> Words:
        """The same words with a market's signs: on one screen, all numbers are written in one way."""
        return self if (self.decimal, self.group) == (decimal, group) else Words(self.language, decimal, group)

    def __call__(self, key: str, /, **values: object) -> str:
        """The sentence under ``key``. A key that is not in the catalogue is a bug."""
        return self._texts[key].format_map(self._filled(values))

    def _filled(self, values: Mapping[str, object]) -> dict[str, str]:
        """What stands in the texts' places: the values, and the decimal sign for numbers that are examples."""
        return {"decimal": self.decimal, **{name: str(value) for name, value in values.items()}}

    def maybe(self, key: str, otherwise: str, /, **values: object) -> str:
        """The sentence under a key that came from outside; ``otherwise`` when there is none, or when a value that it needs did not come."""
        text = self._texts.get(key)
        filled = self._filled(values)
        if text is None or not placeholders(text) <= filled.keys():
            return otherwise
        return text.format_map(filled)

    def count(self, key: str, number: int, /, **values: object) -> str:
        """The sentence for one or for ``number`` of something (``key.one``, ``key.other``), with ``{n}``."""
        return self(f"{key}.{'one' if number == 1 else 'other'}", n=self.number(number), **values)

    def named(self, prefix: str, name: str) -> str:
        """The word for a name that came from outside (``device.scanner``); the name itself, readable, when there is none."""
        return self.maybe(f"{prefix}.{name}", name.replace("_", " "))

    # --- what the service says ---------------------------------------------------------------------------------------------------

    def notice(self, notice: NoticeView) -> tuple[str, str]:
        """A notice's sentence and its hint."""
        return self._told(notice.key, notice.text, notice.hint, notice.shown)

    def problem(self, problem: Problem) -> NoticeView:
        """A refusal as a notice."""
        return NoticeView(problem.key, "bad", problem.detail or problem.title, problem.hint, problem.shown)

    def _told(self, key: str, text: str, hint: str, shown: Mapping[str, str]) -> tuple[str, str]:
        values = {name: self._value(name, value) for name, value in shown.items()}
        for name in (key, key.partition(".")[0]):  # the very reason, else the kind of failure
            said = self.maybe(name, "", **values)
            if said:
                return said, self.maybe(f"{name}.hint", hint if self.language == FALLBACK else "", **values)
        return text, hint

    def _value(self, name: str, value: str) -> str:
        """One of a sentence's values: a reason in words, a date (``2026-12-01``, a time may follow) as dates are written."""
        if name == "reason":
            return self.named("reason", value)
        iso, blank, time = value.partition(" ")
        day = _iso_day(iso) if name in DATES else None
        return f"{self._in_year(day)}{blank}{time}" if day is not None else value

    # --- numbers and dates -------------------------------------------------------------------------------------------------------

    def number(self, number: int) -> str:
        """A whole number, grouped by thousands."""
        return f"{number:,}".replace(",", self.group)

    def day(self, day: date) -> str:
        """A day and its month: ``3 Oct``."""
        return self("date.day", day=day.day, month=self._texts["date.months"].split()[day.month - 1])

    def weekday(self, day: date) -> str:
        """The day of the week in full."""
        return self._texts["date.weekdays_long"].split()[day.weekday()]

    def heading(self, at_ms: int, zone: str) -> str:
        """Weekday, day and time, for the top of the screen."""
        local = moment(at_ms, zone)
        return f"{self._texts['date.weekdays'].split()[local.weekday()]} {self.day(local.date())} {local:%H:%M}"

    def when(self, at_ms: int, now_ms: int, zone: str) -> str:
        """A moment as people say it: the time today, ``yesterday``, a day, and the year once it is another; a dash for what no calendar has."""
        if not EARLIEST_MS <= at_ms <= LATEST_MS:
            return NO_DATE
        local, today = moment(at_ms, zone), moment(now_ms, zone).date()
        day = local.date()
        if day == today:
            return f"{local:%H:%M}"
        return self("date.yesterday") if day == today - timedelta(days=1) else self._near(day, today)

    def dated(self, iso: str, now_ms: int, zone: str) -> str:
        """A date that came as ISO text (a label's), written like every other; what is none as it came."""
        day = _iso_day(iso)
        return self._near(day, moment(now_ms, zone).date()) if day is not None else iso

    def _near(self, day: date, today: date) -> str:
        """The day, with the year once it is another."""
        return self.day(day) if abs((today - day).days) < 300 else self._in_year(day)

    def _in_year(self, day: date) -> str:
        return f"{self.day(day)} {day.year}"

    def birthday(self, birthday: str, now_ms: int, zone: str) -> str:
        """When the birthday is (``--MM-DD``), nearer days by their name; ``""`` when there is none."""
        parts = birthday.lstrip("-").split("-")[-2:]
        if len(parts) != 2 or not all(part.isdecimal() for part in parts):
            return birthday
        today = moment(now_ms, zone).date()
        for ahead in range(7):
            day = today + timedelta(days=ahead)
            if (day.month, day.day) == (int(parts[0]), int(parts[1])):
                return self("date.today") if ahead == 0 else self.weekday(day)
        try:
            return self.day(date(2000, int(parts[0]), int(parts[1])))
        except ValueError:
            return birthday

    def waited(self, seconds: int) -> str:
        """How long something takes: ``8 s``, ``2:05 min``."""
        return self("time.seconds", n=seconds) if seconds < 60 else self("time.minutes", n=f"{seconds // 60}:{seconds % 60:02}")


def languages() -> list[str]:
    """The languages there are catalogues for."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def read(language: str) -> dict[str, str]:
    """One language's catalogue."""
    return msgspec.json.decode((FOLDER / f"{language}.json").read_bytes(), type=dict[str, str])


def _iso_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@lru_cache(maxsize=2048)
def placeholders(text: str) -> frozenset[str]:
    """The names of the values that ``text`` needs."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name)


def moment(at_ms: int, zone: str) -> datetime:
    """A wall time in milliseconds as local time in an IANA zone, as near to it as the calendar goes; an unknown zone is UTC."""
    return datetime.fromtimestamp(min(max(at_ms, EARLIEST_MS), LATEST_MS) / 1000, _zone(zone))


@lru_cache(maxsize=8)
def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
