"""Shows a piece of printed paper: as plain text for tests and screens, as a picture for eyes."""

from __future__ import annotations

import functools
import itertools
import re

from PIL import Image, ImageChops, ImageDraw, ImageFont

from drivers.simulators._escpos_codes import drawn
from drivers.simulators._escpos_paper import FONT_A, LINE_SPACING_DOTS, Bits, Code, Element, Line, Picture, Piece, Space, Span, Style

PICTURE_HEIGHT_MAX_DOTS = 12_000
"""1.5 m of paper; what is longer is left out of the picture."""
BLANK_LINES_MAX = 20
"""A feed shows as at most this many empty lines of text."""
MARGIN_DOTS = 36
TOOTH_DOTS = 6
PAPER, INK, TABLE = 252, 24, 224
_GAP = re.compile(r"(?<=\S)  +(?=\S)")
"""The space between the two ends of a line, which takes up what wide characters are narrower in text."""
NO_CODE = "[no code: against the rules or too wide]"

_FONTS = {False: "DejaVuSansMono.ttf", True: "DejaVuSansMono-Bold.ttf"}
_FONT_SIZES = {False: 20, True: 15}
"""Pixels of DejaVu Sans Mono whose characters are as wide as font A (12 dots) and font B (9 dots)."""


def as_text(piece: Piece, dots: int) -> str:
    """The piece as lines, without trailing spaces; double characters take one column, codes and pictures a line that names them."""
    columns = dots // FONT_A[0]
    shown = (_text_of(element, dots, columns) for element in piece.elements)
    lines = [line.rstrip() for lines in shown for line in lines]
    merged = [line for line, before in zip(lines, ["", *lines], strict=False) if not (line == before and line.lstrip().startswith("[picture"))]
    return "\n".join(merged).strip("\n") + "\n"


def as_picture(piece: Piece, dots: int) -> Image.Image:
    """The piece as a grey picture (mode ``L``), one pixel a dot, lying on a table."""
    drawings = [(element, _drawing(element, dots)) for element in _past_the_knife(piece.elements)]
    heights = list(itertools.accumulate(_height(element, drawing) for element, drawing in drawings))
    height = min(heights[-1] if heights else 0, PICTURE_HEIGHT_MAX_DOTS) + 2 * MARGIN_DOTS
    ink = Image.new("L", (dots + 2 * MARGIN_DOTS, height), 0)
    for top, (element, drawing) in zip([0, *heights], drawings, strict=False):
        if drawing is not None and top < PICTURE_HEIGHT_MAX_DOTS:
            ink.paste(drawing, (MARGIN_DOTS + _shift(element, drawing.width, dots), MARGIN_DOTS + top))
    sheet = Image.composite(Image.new("L", ink.size, INK), Image.new("L", ink.size, PAPER), ink)
    return _torn(sheet)


# --- text ---


def _text_of(element: Element, dots: int, columns: int) -> list[str]:
    match element:
        case Line(items, align):
            text = "".join(item.text if isinstance(item, Span) else "[picture]" for item in items)
            narrower = sum(len(item.text) * (item.style.wide - 1) for item in items if isinstance(item, Span))
            return [_set(_GAP.sub(lambda gap: gap.group() + " " * narrower, text, count=1), align, columns)]
        case Picture(bits, align):
            return [_set(f"[picture {bits.width} x {bits.height}]", align, columns)]
        case Code(kind, data, align=align):
            text = f"[QR] {data}" if kind == "QR" else f"||| {data} |||"
            return [_set(text if drawn(element, dots) is not None else NO_CODE, align, columns)]
        case Space(height):
            return [""] * min(round(height / LINE_SPACING_DOTS), BLANK_LINES_MAX)


def _past_the_knife(elements: tuple[Element, ...]) -> tuple[Element, ...]:
    """Without the last feed: the knife sits above the print head, so that much paper stays in the printer."""
    return elements[:-1] if elements and isinstance(elements[-1], Space) else elements


def _set(text: str, align: str, columns: int) -> str:
    space = max(columns - len(text), 0)
    return " " * {"left": 0, "center": space // 2, "right": space}[align] + text


# --- picture: drawings are ink (255) on nothing (0) ---


def _drawing(element: Element, dots: int) -> Image.Image | None:
    match element:
        case Line(items):
            return _line(items)
        case Picture(bits):
            return _bits(bits).crop((0, 0, min(bits.width, dots), min(bits.height, PICTURE_HEIGHT_MAX_DOTS)))
        case Code():
            return _code(element, dots)
        case Space():
            return None


def _height(element: Element, drawing: Image.Image | None) -> int:
    match element:
        case Line(spacing=spacing):
            return max(spacing, drawing.height if drawing else 0)
        case Space(dots):
            return dots
        case _:
            return drawing.height + LINE_SPACING_DOTS // 3 if drawing else 0


def _shift(element: Element, width: int, dots: int) -> int:
    align = "left" if isinstance(element, Space) else element.align
    return {"left": 0, "center": max(dots - width, 0) // 2, "right": max(dots - width, 0)}[align]


def _line(items: tuple[Span | Bits, ...]) -> Image.Image:
    """Spans and pictures side by side on one bottom line."""
    height = max(item.height for item in items)
    line = Image.new("L", (sum(item.width for item in items), height), 0)
    left = 0
    for item in items:
        drawing = _span(item) if isinstance(item, Span) else _bits(item)
        line.paste(drawing, (left, height - item.height))
        left += item.width
    return line


def _span(span: Span) -> Image.Image:
    width, height = span.style.cell
    drawing = Image.new("L", (span.width, height), 0)
    for at, character in enumerate(span.text):
        drawing.paste(_glyph(character, span.style), (at * width, 0))
    if span.style.underline:
        ImageDraw.Draw(drawing).line((0, height - 2, span.width, height - 2), fill=255, width=2)
    return ImageChops.invert(drawing) if span.style.inverse else drawing


@functools.lru_cache(maxsize=2_048)
def _glyph(character: str, style: Style) -> Image.Image:
    """One character in its cell. Drawn at the larger of its two sizes and squeezed, as the printer stretches its dots."""
    times = max(style.wide, style.high)
    plain = Style(wide=times, high=times, small=style.small)
    cell = Image.new("L", plain.cell, 0)
    font, is_bold = _font(_FONT_SIZES[style.small] * times, style.bold)
    if isinstance(font, ImageFont.ImageFont):  # dots of Latin-1 only
        character = character.encode("latin-1", "replace").decode("latin-1")
    pen = ImageDraw.Draw(cell)
    left = max((plain.cell[0] - pen.textlength(character, font=font)) / 2, 0)
    for shift in (0, times) if style.bold and not is_bold else (0,):
        pen.text((left + shift, 0), character, fill=255, font=font)
    return cell if cell.size == style.cell else cell.resize(style.cell)


@functools.cache
def _font(size: int, bold: bool) -> tuple[ImageFont.ImageFont | ImageFont.FreeTypeFont, bool]:
    """The font and whether it is itself as bold as wanted; Pillow's own where DejaVu is not installed."""
    try:
        return ImageFont.truetype(_FONTS[bold], size), bold
    except (OSError, ImportError):
        pass
    try:
        return ImageFont.load_default(size), False
    except (OSError, ImportError):
        return ImageFont.load_default(), False


def _bits(bits: Bits) -> Image.Image:
    row_bytes = (bits.width + 7) // 8
    rows = bits.rows.ljust(row_bytes * bits.height, b"\0")
    return Image.frombytes("1", (bits.width, bits.height), rows[: row_bytes * bits.height]).convert("L")


def _code(code: Code, dots: int) -> Image.Image | None:
    drawing = drawn(code, dots)
    if drawing is None:
        return _line((Span(NO_CODE, Style(small=True)),))
    if not code.text_below:
        return drawing
    text = _span(Span(code.data, Style()))
    both = Image.new("L", (max(drawing.width, text.width), drawing.height + text.height + 2), 0)
    both.paste(drawing, ((both.width - drawing.width) // 2, 0))
    both.paste(text, ((both.width - text.width) // 2, drawing.height + 2))
    return both


def _torn(sheet: Image.Image) -> Image.Image:
    """The sheet on a table, its upper and lower edge as the knife of a printer leaves them."""
    outline = Image.new("L", sheet.size, 0)
    width, height = sheet.size
    teeth = range(0, width + 2 * TOOTH_DOTS, TOOTH_DOTS)
    upper = [(x, TOOTH_DOTS * (at % 2)) for at, x in enumerate(teeth)]
    lower = [(x, height - 1 - y) for x, y in upper]
    ImageDraw.Draw(outline).polygon([*upper, *reversed(lower)], fill=255)
    table = Image.new("L", (width + 2 * MARGIN_DOTS, height + 2 * MARGIN_DOTS), TABLE)
    table.paste(sheet, (MARGIN_DOTS, MARGIN_DOTS), outline)
    return table
