"""A print job as the bytes that python-escpos makes of it for one printer profile."""

from __future__ import annotations

import functools
import importlib.resources
import json
import logging
import os
import re
import shutil
import sys
from collections.abc import Callable
from enum import Enum
from typing import Any

import segno
from msgspec import Struct
from PIL import Image

from drivers.devices._escpos_text import printable
from edge_agent.domain.receipt import Align, Barcode, Cut, Feed, Pair, PrintJob, QrCode, ReceiptLine, Rule, Symbology, Text, pair, wrap

DOTS_PER_COLUMN = 12
"""Font A of the trade's thermal printers is 12 dots wide."""
QR_MODULE_DOTS_MIN, QR_MODULE_DOTS_MAX = 3, 6
"""At 203 dots per inch 3 dots are 0.38 mm, the least that phones read well; 6 make a receipt code 22 mm wide."""
BARCODE_HEIGHT_DOTS = 64
PAGES_PREFERRED = ("CP1252", "CP858", "ISO_8859-15", "CP1250")
"""Code pages tried first: they have the euro sign in every printer's firmware, where the older page 15 has it only in newer ones."""


class DrawerPin(Enum):
    """Which pin of the printer's drawer socket opens the drawer."""

    NONE = "none"
    PIN2 = "pin2"
    PIN5 = "pin5"


class PrinterSetup(Struct, frozen=True):
    """What one printer is: its python-escpos profile, characters per line in font A, and its drawer."""

    profile: str
    columns: int
    drawer: DrawerPin


DRAWER_PULSES = {DrawerPin.NONE: b"", DrawerPin.PIN2: b"\x10\x14\x01\x00\x02", DrawerPin.PIN5: b"\x10\x14\x01\x01\x02"}
"""``DLE DC4 1 m t``: the drawer pulse (200 ms) that a printer gives also while it cannot print. Source: Epson ESC/POS Command Reference."""


@functools.cache
def profile_columns() -> dict[str, int]:
    """Characters per line in font A by profile name, from python-escpos' own table, read without importing its code."""
    text = (importlib.resources.files("escpos") / "capabilities.json").read_text(encoding="utf-8")
    return {name: profile["fonts"]["0"]["columns"] for name, profile in json.loads(text)["profiles"].items()}


def job_bytes(job: PrintJob, setup: PrinterSetup) -> bytes:
    """Everything that is sent for ``job``: reset, drawer pulse, lines. Raises nothing for any text."""
    dummy = _printer(setup)
    dummy.hw("INIT")
    if job.open_drawer and setup.drawer is not DrawerPin.NONE:
        dummy.cashdraw(2 if setup.drawer is DrawerPin.PIN2 else 5)
    writer = _Writer(dummy, setup.columns)
    for line in job.receipt.lines:
        writer.line(line)
    output: bytes = dummy.output
    return output


def load_escpos() -> None:
    """Import python-escpos without what its import leaves behind: a log handler on stderr and a temporary folder.

    Its capabilities cache is a pickle; without ESCPOS_CAPABILITIES_PICKLE_DIR it lies in a new private folder, which nobody reads again.
    """
    if "escpos.printer" in sys.modules:
        return
    logging.getLogger("escpos").addHandler(logging.NullHandler())
    root, guard = logging.getLogger(), logging.NullHandler()
    root.addHandler(guard)  # its logging.basicConfig() does nothing while there is a handler
    try:
        import escpos.printer
    finally:
        root.removeHandler(guard)
    if "ESCPOS_CAPABILITIES_PICKLE_DIR" not in os.environ:
        shutil.rmtree(escpos.capabilities.pickle_dir, ignore_errors=True)


def _printer(setup: PrinterSetup) -> Any:  # Any: python-escpos ships no types
    """A python-escpos printer that collects bytes, told the paper's width so that it never prints a complaint about it on stdout."""
    load_escpos()
    from escpos.printer import Dummy

    dummy = Dummy(profile=setup.profile)
    known = dummy.profile.profile_data
    media = {**known["media"], "width": {**known["media"].get("width", {}), "pixels": setup.columns * DOTS_PER_COLUMN}}
    dummy.profile.profile_data = {**known, "media": media}
    pages = dummy.magic.encoder.codepages
    dummy.magic.encoder.used_encodings.update([page for page in PAGES_PREFERRED if page in pages][:1])
    return dummy


class _Writer:
    """Receipt lines to calls of one python-escpos printer."""

    def __init__(self, printer: Any, columns: int) -> None:
        self._printer = printer
        self._columns = columns
        self._dots = columns * DOTS_PER_COLUMN
        self._has = _has(printer.magic.encoder)

    def line(self, line: ReceiptLine) -> None:
        match line:
            case Text(text, bold, double, align):
                parts = wrap(printable(text, self._has), self._room(double))
                self._text([part.strip() if align is not Align.LEFT else part for part in parts], bold, double, align)
            case Pair(left, right, bold, double):
                self._text(pair(printable(left, self._has), printable(right, self._has), self._room(double)), bold, double)
            case Rule():
                self._text(["-" * self._columns])
            case QrCode(data):
                self._qr(data)
            case Barcode():
                self._barcode(line)
            case Feed(lines):
                self._printer.print_and_feed(lines)
            case Cut():
                self._printer.set(align="left", normal_textsize=True, bold=False)
                self._printer.cut(mode="PART")

    def _room(self, double: bool) -> int:
        return self._columns // 2 if double else self._columns

    def _text(self, lines: list[str], bold: bool = False, double: bool = False, align: Align = Align.LEFT) -> None:
        self._printer.set(align=align.value, normal_textsize=not double, double_width=double, double_height=double, bold=bold)
        for line in lines:
            self._printer.text(line.replace("\u00a0", " ") + "\n")

    def _qr(self, data: str) -> None:
        code = segno.make_qr(data.encode(), error="m", boost_error=False)
        modules = len(code.matrix)
        size = max(QR_MODULE_DOTS_MIN, min(QR_MODULE_DOTS_MAX, self._dots * 3 // 5 // modules))
        if self._printer.profile.supports("qrCode"):
            self._center()
            self._printer.qr(data, ec=1, size=size, native=True)  # 1 is level M
            self._printer.print_and_feed(1)
        elif self._printer.profile.supports("bitImageRaster"):
            self._image([[bool(dot) for dot in row] for row in code.matrix], size, size)
            self._printer.print_and_feed(1)
        else:
            self._text(wrap(printable(data, self._has), self._columns))

    def _barcode(self, barcode: Barcode) -> None:
        name, data, modules = _for_hardware(barcode)
        drawn_by_printer = self._printer.profile.supports("barcodeB")
        bars = [] if drawn_by_printer else _bars(barcode)
        dots = next((dots for dots in (3, 2) if (len(bars) or modules) * dots <= self._dots), 0)
        if not dots:
            self._qr(barcode.data)
        elif drawn_by_printer:
            self._center()
            # barcode() does the same after a print() to stdout, where a terminal may be drawing.
            self._printer._hw_barcode(data, name, height=BARCODE_HEIGHT_DOTS, width=dots, function_type="B", align_ct=False)
            self._printer.text("\n")
        else:
            if self._printer.profile.supports("bitImageRaster"):
                self._image([bars], dots, BARCODE_HEIGHT_DOTS)
            self._text([barcode.data], align=Align.CENTER)

    def _center(self) -> None:
        self._printer.set(align="center", normal_textsize=True, bold=False)

    def _image(self, rows: list[list[bool]], wide: int, high: int) -> None:
        """Dots (true is black), each ``wide`` by ``high``, centred, for printers that do not draw codes themselves."""
        picture = Image.new("1", (len(rows[0]), len(rows)), 1)
        picture.putdata([0 if dot else 1 for row in rows for dot in row])
        self._center()
        self._printer.image(picture.resize((len(rows[0]) * wide, len(rows) * high), Image.Resampling.NEAREST))


def _has(encoder: Any) -> Callable[[str], bool]:
    """Whether any code page of the printer holds a character. Han characters none: python-escpos would send them as GB 18030 to any printer."""

    @functools.cache
    def has(character: str) -> bool:
        return not "\u4e00" <= character <= "\u9fff" and any(encoder.can_encode(page, character) for page in encoder.codepages)

    return has


_FIXED = {Symbology.EAN13: ("EAN13", 13, 95), Symbology.EAN8: ("EAN8", 8, 67), Symbology.UPC_A: ("UPC-A", 12, 95)}
"""Name at python-escpos, digits, modules (GS1 General Specifications 5.2)."""


def _for_hardware(barcode: Barcode) -> tuple[str, str, int]:
    """Name and data as ``GS k`` wants them, and how many modules wide. What its symbology cannot hold becomes CODE128."""
    data = barcode.data
    digits = data.isdigit()
    fixed = _FIXED.get(barcode.symbology)
    if fixed and digits and len(data) == fixed[1]:
        return fixed[0], data, fixed[2]
    if barcode.symbology is Symbology.ITF and digits and len(data) % 2 == 0:
        return "ITF", data, 9 * len(data) + 9
    encoded, symbols = _code128(data)
    return "CODE128", encoded, 11 * (symbols + 2) + 13  # a start and a check symbol, and the stop of 13 modules


def _code128(data: str) -> tuple[str, int]:
    """``data`` with the printer's code set escapes, and how many symbols follow the start: digits in pairs (set C) where four or more stand together.

    >>> _code128("R-0001"), _code128("123456")
    (('{BR-{C\\x00\\x01', 5), ('{C\\x0c"8', 3))
    """
    parts: list[str] = []
    symbols = 0
    for run in re.findall(r"(?:\d\d){2,}|(?:(?!\d{4}).)+", data):
        pairs = len(run) >= 4 and run.isdigit()
        symbols += 1 if parts else 0
        parts.append("{C" + "".join(chr(int(run[at : at + 2])) for at in range(0, len(run), 2)) if pairs else "{B" + run.replace("{", "{{"))
        symbols += len(run) // 2 if pairs else len(run)
    encoded = "".join(parts)
    if _REAL_TIME.search(encoded):
        return "{B" + data.replace("{", "{{"), len(data)
    return encoded, symbols


_REAL_TIME = re.compile("\x10[\x04\x05\x14]")
"""Digit pairs that a printer would take for a real-time command, even in the middle of data."""


def _bars(barcode: Barcode) -> list[bool]:
    """One row of modules, drawn by python-barcode."""
    import barcode as python_barcode  # type: ignore[import-untyped]  # ships no types

    names = {Symbology.EAN13: "ean13", Symbology.EAN8: "ean8", Symbology.UPC_A: "upca", Symbology.ITF: "itf"}
    name, _, _ = _for_hardware(barcode)
    kind = "code128" if name == "CODE128" else names[barcode.symbology]
    return [module == "1" for module in python_barcode.get_barcode_class(kind)(barcode.data).build()[0]]
