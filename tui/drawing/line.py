"""A line of the screen: pieces of text, each with a role that a theme gives its colour; and how lines are fitted into columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct
from rich.cells import cell_len, set_cell_size

ROLES = ("text", "strong", "muted", "accent", "good", "warn", "bad", "key", "off", "pick", "rule", "chosen", "changed", "large")
"""What a piece of text is; ``themes.py`` says how each looks."""

_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_JOINERS = frozenset("\u200c\u200d")


class Piece(NamedTuple):
    """Text in one role."""

    text: str
    role: str = "text"


class Line(Struct, frozen=True):
    """One line. ``fill`` is a role for the whole width (the chosen line)."""

    pieces: tuple[Piece, ...] = ()
    fill: str = ""

    @property
    def text(self) -> str:
        """The line without its roles."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def cells(self) -> int:
        """How many columns it takes."""
        return cell_len(self.text)


BLANK = Line()


def clean(text: str) -> str:
    """``text`` from outside, made harmless: a control character (it could speak to the terminal) or a direction override becomes a middle dot.

    >>> clean("Ayse\\x1b[2J")
    'Ayse·[2J'
    """
    if text.isprintable() and (text.isascii() or not _BIDI.intersection(text)):
        return text
    return "".join("·" if character in _BIDI or (unicodedata.category(character)[0] == "C" and character not in _JOINERS) else character for character in text)


def line(*parts: str | Piece | tuple[str, str], fill: str = "") -> Line:
    """A line of ``parts``: text, or text with its role. Text is cleaned here, once for every drawing.

    >>> line("Rest ", ("50,64", "strong")).text
    'Rest 50,64'
    """
    pieces = (Piece(clean(part)) if isinstance(part, str) else Piece(clean(part[0]), part[1]) for part in parts)
    return Line(tuple(piece for piece in pieces if piece.text), fill)


def fit(text: str, cells: int, ellipsis: str = "…") -> str:
    """``text`` in exactly ``cells`` columns: padded, or cut with an ellipsis.

    >>> fit("Wool coat", 6), fit("Hat", 5)
    ('Wool …', 'Hat  ')
    """
    return set_cell_size(cut(text, cells, ellipsis), max(0, cells))


def cut(text: str, cells: int, ellipsis: str = "…") -> str:
    """``text`` in at most ``cells`` columns, cut with an ellipsis when it has to be."""
    if cell_len(text) <= cells:
        return text
    if cells <= cell_len(ellipsis):
        return ellipsis[: max(0, cells)]
    return set_cell_size(text, cells - cell_len(ellipsis)) + ellipsis


def cropped(whole: Line, cells: int) -> Line:
    """The line in at most ``cells`` columns, cut with an ellipsis when it has to be."""
    if whole.cells <= cells:
        return whole
    pieces: list[Piece] = []
    left = cells
    for piece in whole.pieces:
        width = cell_len(piece.text)
        if width >= left:
            text = cut(piece.text, left) if width > left else cut(piece.text + "…", left)
            pieces.append(Piece(text, piece.role))
            break
        pieces.append(piece)
        left -= width
    return Line(tuple(pieces), whole.fill)


def apart(left: Line, right: Line, cells: int) -> Line:
    """``left`` at the left edge (cut when it must be) and ``right`` whole at the right edge.

    >>> apart(line("Wool coat, navy"), line("199,00"), 18).text
    'Wool coat,… 199,00'
    """
    room = max(0, cells - right.cells - (1 if right.cells else 0))
    start = cropped(left, room)
    gap = Piece(" " * max(0, cells - start.cells - right.cells))
    return Line((*start.pieces, gap, *right.pieces), left.fill or right.fill)


def centred(middle: Line, cells: int) -> Line:
    """``middle`` in the middle."""
    inner = cropped(middle, cells)
    return Line((Piece(" " * ((cells - inner.cells) // 2)), *inner.pieces), middle.fill)


def indented(inner: Line, cells: int) -> Line:
    """``inner`` after ``cells`` blanks."""
    return Line((Piece(" " * cells), *inner.pieces), inner.fill)


def wrapped(text: str, cells: int, role: str = "text") -> list[Line]:
    """``text`` on as many lines as it takes, broken at blanks (a longer word is torn).

    >>> [row.text for row in wrapped("do not take the payment again", 12)]
    ['do not take', 'the payment', 'again']
    """
    rows: list[str] = []
    row = ""
    for word in clean(text).split():
        while cell_len(word) > cells > 0:
            if row:
                rows.append(row)
                row = ""
            head = set_cell_size(word, cells).rstrip() or word[0]
            rows.append(head)
            word = word[len(head) :]
        longer = f"{row} {word}" if row else word
        if cell_len(longer) > cells:
            rows.append(row)
            longer = word
        row = longer
    return [Line((Piece(text, role),)) for text in [*rows, row] if text]


def run_on(parts: Iterable[Line], cells: int) -> list[Line]:
    """The words of ``parts`` in their roles, one after another on as many lines as it takes.

    >>> [row.text for row in run_on([line("the printer"), line(("switch it on", "muted"))], 16)]
    ['the printer', 'switch it on']
    >>> [row.text for row in run_on([line("the printer"), line(("switch it on", "muted"))], 18)]
    ['the printer switch', 'it on']
    """
    rows: list[list[Piece]] = []
    used = 0
    for piece in (piece for part in parts for piece in part.pieces):
        for word in piece.text.split():
            width = cell_len(word)
            if rows and used + 1 + width <= cells:
                rows[-1].append(Piece(f" {word}", piece.role))
                used += 1 + width
            else:
                rows.append([Piece(word, piece.role)])
                used = width
    return [Line(tuple(row)) for row in rows]


def joined(parts: Iterable[Line], gap: str = "   ") -> Line:
    """Lines one after another, ``gap`` between them."""
    pieces: list[Piece] = []
    for part in parts:
        if pieces:
            pieces.append(Piece(gap))
        pieces.extend(part.pieces)
    return Line(tuple(pieces))


def flowed(parts: Sequence[Line], cells: int, gap: str = "   ") -> list[Line]:
    """``parts`` side by side on as many lines as it takes, none of them torn."""
    rows: list[list[Line]] = []
    used = 0
    for part in parts:
        if rows and used + len(gap) + part.cells <= cells:
            rows[-1].append(part)
            used += len(gap) + part.cells
        else:
            rows.append([part])
            used = part.cells
    return [cropped(joined(row, gap), cells) for row in rows]
