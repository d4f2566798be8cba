"""The bottom lines: the one notice, and which keys work here."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from edge_agent.views import NoticeView
from tui.drawing.line import BLANK, Line, Piece, cropped, flowed, indented, joined, line, run_on, wrapped
from tui.said import STANDING
from tui.shown import Shown

MARKS = {"info": ("· ", "muted"), "good": ("● ", "good"), "warn": ("▲ ", "warn"), "bad": ("■ ", "bad")}
"""How a message of each level is marked, and the mark's role."""
KEY_ROWS_MAX = 2
NOTICE_ROWS_MAX, STANDING_ROWS_MAX = 2, 3
"""Rows of the message; of one that stands until somebody saw to it."""
CARD_AGAIN = ("notice.payment_not_processed", "notice.payment_declined")
"""What is said of these ends with trying the card again, or another one."""


class KeyHint(Struct, frozen=True):
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
    text, hint = _told(shown, held)
    mark, role = MARKS[held.level]
    said = line(" ", (mark, role), (text, role if held.level in ("warn", "bad") else "text"), (f"  {hint}" if hint else "", "muted"))
    if said.cells <= cells:
        return [said]
    told = wrapped(text, cells - 4, role if held.level in ("warn", "bad") else "text")
    rows = _in_rows(told, wrapped(hint, cells - 4, "muted"), cells - 4, STANDING_ROWS_MAX if held.key in STANDING else NOTICE_ROWS_MAX)
    return [cropped(joined([line(" ", (mark, role) if at == 0 else "  "), row], ""), cells) for at, row in enumerate(rows) if row.cells]


def _in_rows(told: list[Line], advice: list[Line], cells: int, rows_max: int) -> list[Line]:
    """What happened and what to do in few rows; where both have no room, what to do stays whole, and F1 says all of the other."""
    if len(told) + len(advice) <= rows_max:
        return [*told, *advice]
    whole = rows = run_on([*told, *advice], cells)
    words = [Piece(word, piece.role) for row in told for piece in row.pieces for word in piece.text.split()]
    while advice and len(rows) > rows_max and len(words) > 1:
        words.pop()
        last = Piece(f"{words[-1].text} …", words[-1].role)
        rows = run_on([*(Line((word,)) for word in words[:-1]), Line((last,)), *advice], cells)
    if len(rows) <= rows_max:
        return rows
    return [*whole[: rows_max - 1], cropped(joined(whole[rows_max - 1 : rows_max + 1], " "), cells)]


def _told(shown: Shown, held: NoticeView) -> tuple[str, str]:
    """Nobody is told to try the card again on a terminal that is not there now."""
    text, hint = shown.told(held)
    payment = shown.snapshot.payment
    if held.key in CARD_AGAIN and payment is not None and "card" not in payment.methods:
        hint = shown.words("pay.no_card_again") if "cash" in shown.snapshot.tender_kinds else shown.words("pay.no_card_alone")
    return text, hint


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
