"""The receipt as lines: what is on the paper, before any printer or screen has said how wide it is."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from enum import Enum

from msgspec import Struct
from msgspec.structs import replace

COLUMNS_MIN = 16
"""Narrower paper does not exist in the trade (57 mm paper in its large font has 21); layouts refuse it as a bug."""
QR_BYTES_MAX = 1_000
"""The most UTF-8 bytes a QR code on a receipt holds; a fiscal code has about 400, and beyond this a phone no longer reads it from 58 mm paper."""
BARCODE_CHARACTERS_MAX = 48
"""The most characters of a linear barcode on a receipt; a printer prints one that does not fit its paper as a QR code instead."""
FEED_LINES_MAX = 30


class Align(Enum):
    """Where a text stands on its line."""

    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"


class Symbology(Enum):
    """Which linear barcode."""

    CODE128 = "code128"
    EAN13 = "ean13"
    EAN8 = "ean8"
    UPC_A = "upc_a"
    ITF = "itf"


class Text(Struct, frozen=True):
    """A text, wrapped on words. ``double`` is twice as wide and as high, so half as many characters fit a line."""

    text: str
    bold: bool = False
    double: bool = False
    align: Align = Align.LEFT


class Pair(Struct, frozen=True):
    """A text and what it comes to: ``left`` wraps on words, ``right`` (an amount) ends at the right edge and is torn only when longer than the line."""

    left: str
    right: str
    bold: bool = False
    double: bool = False


class Rule(Struct, frozen=True):
    """A line across the paper."""


class QrCode(Struct, frozen=True):
    """A QR code of ``data`` as UTF-8, at most QR_BYTES_MAX bytes."""

    data: str

    def __post_init__(self) -> None:
        assert 0 < len(self.data.encode()) <= QR_BYTES_MAX, "the data of a QR code on a receipt"


class Barcode(Struct, frozen=True):
    """A linear barcode with its text below. ``data`` is printable ASCII (digits with their check digit for EAN and UPC)."""

    data: str
    symbology: Symbology = Symbology.CODE128

    def __post_init__(self) -> None:
        assert 0 < len(self.data) <= BARCODE_CHARACTERS_MAX, "the data of a barcode on a receipt"
        assert self.data.isascii(), self.data
        assert self.data.isprintable(), self.data


class Feed(Struct, frozen=True):
    """Empty lines, 1 to FEED_LINES_MAX."""

    lines: int = 1

    def __post_init__(self) -> None:
        assert 1 <= self.lines <= FEED_LINES_MAX, self.lines


class Cut(Struct, frozen=True):
    """The paper is cut here, with the feed that brings the last line past the knife."""


ReceiptLine = Text | Pair | Rule | QrCode | Barcode | Feed | Cut


class Receipt(Struct, frozen=True):
    """Everything on one piece of paper. ``code`` is what scanning it again finds (the receipt code); ``copy`` says the lines carry the word for a copy."""

    lines: tuple[ReceiptLine, ...]
    copy: bool
    code: str


class PrintJob(Struct, frozen=True):
    """One request to print. The same ``id`` is printed once, however often it is asked for; a reprint has an id of its own.

    ``open_drawer`` opens the cash drawer before the paper moves. A job without lines only opens the drawer. A ``copy`` is marked
    as one on its paper and opens nothing.
    """

    id: str
    receipt: Receipt
    copy: bool = False
    open_drawer: bool = False

    def __post_init__(self) -> None:
        assert self.receipt.copy or not self.copy, "a reprint says on its paper that it is one (as_copy)"
        assert not (self.copy and self.open_drawer), "a reprint opens no drawer"


class Printed(Struct, frozen=True):
    """The printer said that it is done."""


class NotPrinted(Struct, frozen=True):
    """Nothing of the receipt reached the printer: printing it again is safe. ``reason`` is a stable key, ``hint`` what to do."""

    reason: str
    hint: str


class Unclear(Struct, frozen=True):
    """The receipt, or a part of it, may be on paper: a person looks before it is printed again. Nothing reprints it by itself."""

    reason: str
    hint: str


PrintOutcome = Printed | NotPrinted | Unclear


def as_copy(receipt: Receipt, mark: str) -> Receipt:
    """The same receipt marked as a copy: ``mark`` (the market's word) stands large at its top and again at its end.

    >>> layout(as_copy(Receipt((Text("Thank you"), Cut()), copy=False, code="R-1"), "COPY"), 20)
    ['        COPY', 'Thank you', '        COPY']
    """
    word = Text(mark, bold=True, double=True, align=Align.CENTER)
    end = len(receipt.lines)
    while end and isinstance(receipt.lines[end - 1], Cut | Feed):
        end -= 1
    return replace(receipt, lines=(word, *receipt.lines[:end], word, *receipt.lines[end:]), copy=True)


def width(text: str) -> int:
    """How many columns ``text`` takes: wide East Asian characters two (Unicode Annex 11), combining marks none.

    >>> width("Käse"), width("牛乳"), width("e\\u0301")
    (4, 4, 1)
    """
    return sum(_character_width(character) for character in text)


def wrap(text: str, columns: int) -> list[str]:
    """``text`` as lines of at most ``columns``, broken between words; a longer word is torn, an indent is kept, control characters are dropped.

    >>> wrap("Bergkäse am Stück, 12 Monate", 16)
    ['Bergkäse am', 'Stück, 12 Monate']
    >>> wrap("  3 x 1,99", 16), wrap("", 16)
    (['  3 x 1,99'], [''])
    """
    assert columns >= COLUMNS_MIN // 2, columns
    return [line for paragraph in _clean(text).split("\n") for line in _wrap_paragraph(paragraph, columns)]


def pair(left: str, right: str, columns: int) -> list[str]:
    """``left`` and, at the right edge of its last line, ``right``; on a line of its own where both do not fit.

    >>> pair("Milk 1 l", "1,19", 20)
    ['Milk 1 l        1,19']
    >>> pair("Extra virgin olive oil 500 ml", "12,99 A", 20)
    ['Extra virgin olive', 'oil 500 ml   12,99 A']
    >>> pair("Sparkling water", "10,00", 16)
    ['Sparkling water', '           10,00']
    """
    return [_set_apart(start, end, columns) for start, end in _pair_parts(left, right, columns)]


def layout(receipt: Receipt, columns: int) -> list[str]:
    """The receipt as plain text lines of at most ``columns``, for screens and tests.

    A double text breaks where it breaks on paper but is shown in single width. A code is shown as its data between marks; a cut
    between two pieces as a dashed line, the last one not at all.

    >>> print("\\n".join(layout(Receipt((Text("SHOP", double=True, align=Align.CENTER), Rule(), Pair("TOTAL", "9,99")), copy=False, code=""), 16)))
          SHOP
    ----------------
    TOTAL       9,99
    """
    assert columns >= COLUMNS_MIN, columns
    lines = receipt.lines[:-1] if receipt.lines and isinstance(receipt.lines[-1], Cut) else receipt.lines
    return [text.rstrip() for line in lines for text in _laid_out(line, columns)]


def _laid_out(line: ReceiptLine, columns: int) -> Sequence[str]:
    match line:
        case Text(text, _, double, align):
            return [_aligned(part, columns, align) for part in wrap(text, columns // 2 if double else columns)]
        case Pair(left, right, _, double):
            parts = _pair_parts(left, right, columns // 2 if double else columns)
            return [_set_apart(start, end, columns) for start, end in parts]
        case Rule():
            return ["-" * columns]
        case QrCode(data):
            return [_aligned(part, columns, Align.CENTER) for part in wrap(f"[QR] {data}", columns)]
        case Barcode(data):
            return [_aligned(part, columns, Align.CENTER) for part in wrap(f"||| {data} |||", columns)]
        case Feed(count):
            return [""] * count
        case Cut():
            return ["- " * (columns // 2)]


def _pair_parts(left: str, right: str, columns: int) -> list[tuple[str, str]]:
    """What stands at the left and at the right edge of each line of a pair."""
    rights = wrap(right, columns)
    if not left.strip():
        return [("", line) for line in rights]
    *before, last = wrap(left, columns)
    if len(rights) == 1 and (not rights[0] or width(last) + 1 + width(rights[0]) <= columns):
        return [*((line, "") for line in before), (last, rights[0])]
    return [*((line, "") for line in before), (last, ""), *(("", line) for line in rights)]


def _set_apart(start: str, end: str, columns: int) -> str:
    return start + " " * (columns - width(start) - width(end)) + end if end else start


def _aligned(text: str, columns: int, align: Align) -> str:
    space = max(columns - width(text), 0)
    match align:
        case Align.LEFT:
            return text
        case Align.CENTER:
            return " " * (space // 2) + text
        case Align.RIGHT:
            return " " * space + text


def _wrap_paragraph(paragraph: str, columns: int) -> list[str]:
    paragraph = paragraph.rstrip(" ")
    if width(paragraph) <= columns:
        return [paragraph]
    indent = " " * min(len(paragraph) - len(paragraph.lstrip(" ")), columns // 2)
    room = columns - len(indent)
    lines: list[str] = []
    line = ""
    for word in _pieces(paragraph, room):
        longer = f"{line} {word}" if line else word
        if width(longer) <= room:
            line = longer
        else:
            lines.append(indent + line)
            line = word
    return [*lines, indent + line]


def _pieces(paragraph: str, room: int) -> list[str]:
    """The words, each torn into pieces of at most ``room`` columns."""
    pieces: list[str] = []
    for word in filter(None, paragraph.split(" ")):  # a no-break space keeps an amount and its currency together
        piece, taken = "", 0
        for character in word:
            wide = _character_width(character)
            if taken + wide > room:
                pieces.append(piece)
                piece, taken = "", 0
            piece += character
            taken += wide
        pieces.append(piece)
    return pieces


def _character_width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _clean(text: str) -> str:
    """Line ends as one kind, tabs as spaces, every other control character dropped: a name in the catalogue commands no printer."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n").replace("\t", " ")
    return "".join(character for character in unified if character == "\n" or unicodedata.category(character) != "Cc")
