"""The bottom lines: the one notice, and which keys work here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.drawing.line import BLANK, Line, cropped, flowed, indented, line, wrapped
from tui.shown import Shown

_MARKS = {"info": ("· ", "muted"), "good": ("● ", "good"), "warn": ("▲ ", "warn"), "bad": ("■ ", "bad")}
KEY_ROWS_MAX = 2


@dataclass(frozen=True, slots=True)
class KeyHint:
    """A key, what it does here, and a count that waits behind it. ``rank`` 0 is never left out, 2 goes first when room is short."""

    key: str
    text: str
    badge: int = 0
    rank: int = 1


def notice(shown: Shown, cells: int) -> list[Line]:
    """What happened and what to do, in one place; a second row only for what does not fit."""
    if not shown.connected:
        return [line(" ", ("○ ", "bad"), (shown.words("waiting.banner"), "bad"))]
    if shown.waiting_seconds:
        return [line(" ", ("◐ ", "accent"), shown.words("waiting.answer"), (f"  {shown.words.waited(shown.waiting_seconds)}", "muted"))]
    held = shown.notice
    if held is None:
        return [BLANK]
    text, hint = shown.words.notice(held)
    mark, role = _MARKS[held.level]
    said = line(" ", (mark, role), (shown.discreet(text), role if held.level in ("warn", "bad") else "text"), (f"  {hint}" if hint else "", "muted"))
    if said.cells <= cells or not hint:
        return [cropped(said, cells)]
    rows = [cropped(line(" ", (mark, role), (shown.discreet(text), role if held.level in ("warn", "bad") else "text")), cells)]
    return rows + [cropped(Line((*line("   ").pieces, *row.pieces)), cells) for row in wrapped(hint, cells - 4, "muted")[:1]]


def keys(hints: Sequence[KeyHint], cells: int, margin: int = 1) -> list[Line]:
    """The keys on at most KEY_ROWS_MAX rows; the ones that matter least are left out first (F1 tells them all)."""
    for rank in (2, 1, 0):
        kept = [hint for hint in hints if hint.rank <= rank]
        rows = flowed([_hint(hint) for hint in kept], cells - margin, "  ")
        if len(rows) <= KEY_ROWS_MAX or rank == 0:
            break
    return [indented(row, margin) for row in rows[:KEY_ROWS_MAX]]


def _hint(hint: KeyHint) -> Line:
    badge = (f" {hint.badge}", "accent") if hint.badge else ("", "muted")
    return line((hint.key, "key"), (f" {hint.text}", "muted"), badge)
