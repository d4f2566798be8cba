"""Draws the barcodes and QR codes that a printer draws by itself, as dots."""

from __future__ import annotations

import re

import segno
from PIL import Image

from drivers.simulators._escpos_paper import Code

INK, BLANK = 255, 0

_DRAWN = {
    # kind as the manual names it: the data it takes, python-barcode's name
    "EAN13": (r"\d{12,13}", "ean13"), "EAN8": (r"\d{7,8}", "ean8"), "UPC-A": (r"\d{11,12}", "upca"),
    "CODE39": (r"[0-9A-Z .$/+%-]{1,80}", "code39"), "ITF": (r"(\d\d){1,40}", "itf"), "CODE128": (r"[ -~]{1,80}", "code128"),
}  # fmt: skip


def drawn(code: Code, dots: int) -> Image.Image | None:
    """The code as ink on nothing (mode ``L``), or None for what a printer prints nothing for: data against the rules, or wider than ``dots``."""
    rows = _qr(code) if code.kind == "QR" else _bars(code)
    if not rows or len(rows[0]) * code.module > dots:
        return None
    picture = Image.new("L", (len(rows[0]), len(rows)))
    picture.putdata([INK if dot else BLANK for row in rows for dot in row])
    high = code.module * len(rows) if code.kind == "QR" else code.height
    return picture.resize((len(rows[0]) * code.module, high), Image.Resampling.NEAREST)


def _qr(code: Code) -> list[list[bool]]:
    try:
        symbol = segno.make_qr(code.data.encode(), error=code.level, boost_error=False)
    except ValueError:  # more data than a symbol holds
        return []
    return [[bool(dot) for dot in row] for row in symbol.matrix]


def _bars(code: Code) -> list[list[bool]]:
    import barcode  # type: ignore[import-untyped]  # ships no types

    pattern, name = _DRAWN.get(code.kind, ("", ""))
    if not pattern or not re.fullmatch(pattern, code.data, re.ASCII):
        return []
    options = {"add_checksum": False} if name == "code39" else {}
    return [[module == "1" for module in barcode.get_barcode_class(name)(code.data, **options).build()[0]]]
