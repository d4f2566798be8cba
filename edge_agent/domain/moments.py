"""A wall time in milliseconds as a calendar's moment, for whatever number somebody sends."""

from __future__ import annotations

from datetime import datetime, tzinfo

DAY_MS = 86_400_000
EARLIEST_MS = 2 * DAY_MS
LATEST_MS = 253_402_300_800_000 - 31 * DAY_MS
"""The last moment that is told: what is later, or becomes later in a zone east of Greenwich, has no date in the calendar that we write."""


def wall_time(at_ms: int, zone: tzinfo) -> datetime:
    """The moment in ``zone``; what lies before 1970 or after the year 9999 is the first or last moment that every zone can tell.

    >>> from datetime import UTC
    >>> wall_time(253_402_300_799_999, UTC).year, wall_time(-1, UTC).year, wall_time(10**30, UTC).month
    (9999, 1970, 12)
    """
    return datetime.fromtimestamp(min(max(at_ms, EARLIEST_MS), LATEST_MS) / 1000, zone)


def is_told(at_ms: int) -> bool:
    """Whether a moment has a date that every zone can tell."""
    return EARLIEST_MS <= at_ms <= LATEST_MS
