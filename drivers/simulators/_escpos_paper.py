"""What ESC/POS commands put on paper: lines, pictures and codes, up to each cut. Pure, with bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec import Struct
from msgspec.structs import replace

from drivers.simulators._escpos_codepages import decode
from drivers.simulators._escpos_commands import TEXT, Command

FONT_A = (12, 24)
FONT_B = (9, 17)
"""Width and height of a character in dots (Epson TM-T88V)."""
LINE_SPACING_DOTS = 30
PIECE_ELEMENTS_MAX = 2_000
"""Paper without a cut is torn off after this many lines and pictures."""
PIECE_PICTURE_BYTES_MAX = 1_048_576
"""Pictures of one piece beyond this are left out."""
QR_DATA_BYTES_MAX = 7_089
ALIGNS = ("left", "center", "right")
BARCODES_A = ("UPC-A", "UPC-E", "EAN13", "EAN8", "CODE39", "ITF", "CODABAR")
BARCODES_B = (*BARCODES_A, "CODE93", "CODE128", "GS1-128", "GS1 DATABAR", "GS1 DATABAR TRUNCATED", "GS1 DATABAR LIMITED", "GS1 DATABAR EXPANDED")


class Style(Struct, frozen=True):
    """How characters look; ``wide`` and ``high`` multiply the font's size, 1 to 8."""

    wide: int = 1
    high: int = 1
    bold: bool = False
    underline: bool = False
    inverse: bool = False
    small: bool = False

    @property
    def cell(self) -> tuple[int, int]:
        """Width and height of a character in dots."""
        width, height = FONT_B if self.small else FONT_A
        return width * self.wide, height * self.high


class Span(Struct, frozen=True):
    """Characters of one style."""

    text: str
    style: Style

    @property
    def width(self) -> int:
        return len(self.text) * self.style.cell[0]

    @property
    def height(self) -> int:
        return self.style.cell[1]


class Bits(Struct, frozen=True):
    """A picture of ``width`` by ``height`` dots; ``rows`` holds (width + 7) // 8 bytes a row, a set bit is black."""

    width: int
    height: int
    rows: bytes


class Line(Struct, frozen=True):
    """What stands on one line, and how far the paper moves at the least."""

    items: tuple[Span | Bits, ...]
    align: str
    spacing: int


class Picture(Struct, frozen=True):
    bits: Bits
    align: str


class Code(Struct, frozen=True):
    """A barcode or QR code: its kind as the manual names it, its data as text, module width and height in dots, text below or not."""

    kind: str
    data: str
    module: int
    height: int
    text_below: bool
    level: str
    align: str


class Space(Struct, frozen=True):
    dots: int


Element = Line | Picture | Code | Space


class Piece(Struct, frozen=True):
    """One piece of paper, cut or torn off."""

    elements: tuple[Element, ...]


class Pulse(Struct, frozen=True):
    """The drawer's pin 2 or 5 was pulsed."""

    pin: int


class Asked(Struct, frozen=True):
    """The host asked for an answer in the order of the data: ``GS r`` or ``GS I`` with its argument."""

    name: str
    what: int


Effect = Piece | Pulse | Asked


@dataclass(slots=True)
class _Modes:
    style: Style = field(default_factory=Style)
    align: str = "left"
    page: int = 0
    spacing: int = LINE_SPACING_DOTS
    barcode_height: int = 162
    barcode_module: int = 3
    barcode_text_below: bool = False
    qr_module: int = 3
    qr_level: str = "L"
    qr_data: bytes = b""


class Paper:
    """The printing side of a printer with ``columns`` characters of font A per line: takes commands, tells their effects."""

    def __init__(self, columns: int) -> None:
        self.dots = columns * FONT_A[0]
        self._modes = _Modes()
        self._items: list[Span | Bits] = []
        self._elements: list[Element] = []
        self._picture_bytes = 0
        self._effects: list[Effect] = []
        self._handlers = self._table()

    def execute(self, command: Command) -> list[Effect]:
        """Do one command; what it did besides marking the paper. A command that this printer has not is ignored."""
        handler = self._handlers.get(command.name)
        if handler is not None:
            handler(command.arguments)
        if len(self._elements) >= PIECE_ELEMENTS_MAX:
            self._cut()
        return self._taken()

    def tear(self) -> list[Effect]:
        """End the piece of paper here by hand; empty paper is no piece."""
        self._cut()
        return self._taken()

    def _taken(self) -> list[Effect]:
        effects, self._effects = self._effects, []
        return effects

    def _cut(self) -> None:
        self._end_line()
        if any(not isinstance(element, Space) for element in self._elements):
            self._effects.append(Piece(tuple(self._elements)))
        self._elements = []
        self._picture_bytes = 0

    def _table(self) -> dict[str, Callable[[bytes], None]]:
        return {
            TEXT: self._text,
            "LF": lambda _: self._line_feed(),
            "HT": lambda _: self._text(b" " * (8 - sum(len(item.text) for item in self._items if isinstance(item, Span)) % 8)),
            "ESC @": lambda _: self._reset(),
            "ESC !": self._print_mode,
            "ESC E": lambda arguments: self._restyle(bold=bool(arguments[0] & 1)),
            "ESC G": lambda arguments: self._restyle(bold=bool(arguments[0] & 1)),
            "ESC -": lambda arguments: self._restyle(underline=arguments[0] in (1, 2, 49, 50)),
            "ESC M": lambda arguments: self._restyle(small=arguments[0] in (1, 49)),
            "GS B": lambda arguments: self._restyle(inverse=bool(arguments[0] & 1)),
            "GS !": lambda arguments: self._restyle(wide=(arguments[0] >> 4 & 7) + 1, high=(arguments[0] & 7) + 1),
            "ESC a": lambda arguments: self._mode("align", ALIGNS[arguments[0] % 48] if arguments[0] % 48 < 3 else self._modes.align),
            "ESC t": lambda arguments: self._mode("page", arguments[0]),
            "ESC 2": lambda _: self._mode("spacing", LINE_SPACING_DOTS),
            "ESC 3": lambda arguments: self._mode("spacing", arguments[0]),
            "ESC d": lambda arguments: self._feed(arguments[0] * self._modes.spacing),
            "ESC J": lambda arguments: self._feed(arguments[0]),
            "ESC p": lambda arguments: self._effects.append(Pulse(5 if arguments[0] in (1, 49) else 2)),
            "ESC i": lambda _: self._cut(),
            "ESC m": lambda _: self._cut(),
            "GS V": lambda _: self._cut(),
            "GS h": lambda arguments: self._mode("barcode_height", max(arguments[0], 1)),
            "GS w": lambda arguments: self._mode("barcode_module", min(max(arguments[0], 1), 6)),
            "GS H": lambda arguments: self._mode("barcode_text_below", arguments[0] % 48 in (1, 2, 3)),
            "GS k": self._barcode,
            "GS (": self._function,
            "GS v": self._raster,
            "ESC *": self._columns_of_dots,
            "GS r": lambda arguments: self._effects.append(Asked("GS r", arguments[0])),
            "GS I": lambda arguments: self._effects.append(Asked("GS I", arguments[0])),
        }

    # --- modes ---

    def _mode(self, name: str, value: object) -> None:
        setattr(self._modes, name, value)

    def _restyle(self, **changes: int | bool) -> None:
        self._modes.style = replace(self._modes.style, **changes)  # the names and types are Style's own, from the table

    def _print_mode(self, arguments: bytes) -> None:
        mode = arguments[0]
        self._restyle(small=bool(mode & 1), bold=bool(mode & 8), high=2 if mode & 16 else 1, wide=2 if mode & 32 else 1, underline=bool(mode & 128))

    def _reset(self) -> None:
        self._items = []
        self._modes = _Modes()

    # --- text ---

    def _text(self, data: bytes) -> None:
        style = self._modes.style
        rest = decode(data, self._modes.page)
        while rest:
            room = max((self.dots - self._used()) // style.cell[0], 0)
            if not room and self._items:
                self._line_feed()
                continue
            self._items.append(Span(rest[: max(room, 1)], style))
            rest = rest[max(room, 1) :]

    def _used(self) -> int:
        return sum(item.width for item in self._items)

    def _line_feed(self) -> None:
        if self._items:
            self._end_line()
        else:
            self._feed(self._modes.spacing)

    def _end_line(self) -> None:
        if self._items:
            self._elements.append(Line(tuple(self._items), self._modes.align, self._modes.spacing))
            self._items = []

    def _feed(self, dots: int) -> None:
        """Print what stands in the line, then move on; that the line itself moves the paper is a part of ``dots``."""
        if self._items:
            dots -= self._modes.spacing
            self._end_line()
        if dots > 0:
            self._elements.append(Space(dots))

    # --- codes ---

    def _barcode(self, arguments: bytes) -> None:
        number = arguments[0]
        if number < len(BARCODES_A):
            kind, data = BARCODES_A[number], arguments[1:].rstrip(b"\0")
        elif 65 <= number < 65 + len(BARCODES_B):
            kind, data = BARCODES_B[number - 65], arguments[2:]
        else:
            return
        text = _code128_text(data) if kind in ("CODE128", "GS1-128") else data.decode("ascii", "replace")
        self._end_line()
        modes = self._modes
        self._elements.append(Code(kind, text, modes.barcode_module, modes.barcode_height, modes.barcode_text_below, "", modes.align))

    def _function(self, arguments: bytes) -> None:
        """``GS ( k`` for QR codes: cn = 49, and fn 67 size, 69 error correction, 80 store, 81 print."""
        if arguments[0:1] != b"k" or len(arguments) < 5 or arguments[3] != 49:
            return
        function, rest = arguments[4], arguments[5:]
        match function:
            case 67 if rest:
                self._modes.qr_module = min(max(rest[0], 1), 16)
            case 69 if rest:
                self._modes.qr_level = {48: "L", 49: "M", 50: "Q", 51: "H"}.get(rest[0], self._modes.qr_level)
            case 80:
                self._modes.qr_data = rest[1 : 1 + QR_DATA_BYTES_MAX]
            case 81 if self._modes.qr_data:
                self._end_line()
                modes = self._modes
                self._elements.append(Code("QR", modes.qr_data.decode("utf-8", "replace"), modes.qr_module, 0, False, modes.qr_level, modes.align))

    # --- pictures ---

    def _raster(self, arguments: bytes) -> None:
        """``GS v 0 m xL xH yL yH d1...dk``"""
        row_bytes, height = arguments[2] + 256 * arguments[3], arguments[4] + 256 * arguments[5]
        rows = arguments[6:]
        if row_bytes and height and self._keeps(len(rows)):
            self._end_line()
            self._elements.append(Picture(Bits(row_bytes * 8, height, rows), self._modes.align))

    def _columns_of_dots(self, arguments: bytes) -> None:
        """``ESC * m nL nH d1...dk``: columns of 8 or 24 dots, the top dot in the highest bit, on the line like characters."""
        column_bytes = 3 if arguments[0] in (32, 33) else 1
        columns = arguments[3:]
        width = min(len(columns) // column_bytes, max(self.dots - self._used(), 0))
        row_bytes = (width + 7) // 8
        if not width or not self._keeps(row_bytes * column_bytes * 8):
            return
        rows = bytearray(row_bytes * column_bytes * 8)
        for x in range(width):
            column = int.from_bytes(columns[x * column_bytes : (x + 1) * column_bytes], "big")
            for y in range(column_bytes * 8):
                if column >> (column_bytes * 8 - 1 - y) & 1:
                    rows[y * row_bytes + x // 8] |= 0x80 >> x % 8
        self._items.append(Bits(width, column_bytes * 8, bytes(rows)))

    def _keeps(self, count: int) -> bool:
        if self._picture_bytes + count > PIECE_PICTURE_BYTES_MAX:
            return False
        self._picture_bytes += count
        return True


def _code128_text(data: bytes) -> str:
    """The text of ``GS k 73`` data: code set escapes out, digit pairs of set C as digits.

    >>> _code128_text(b"{BR-{C\\x00\\x01"), _code128_text(b"{BA{{")
    ('R-0001', 'A{')
    """
    text, pairs, at = "", False, 0
    while at < len(data):
        escape = data[at : at + 2]
        if escape in (b"{A", b"{B", b"{C"):
            pairs = escape == b"{C"
            at += 2
        elif escape == b"{{":
            text += "{"
            at += 2
        elif escape[:1] == b"{" and not pairs:
            at += 2  # a function character or a shift
        else:
            text += f"{data[at]:02d}" if pairs else chr(data[at] & 0x7F)
            at += 1
    return text
