"""The receipt printer's simulator, judged by itself: commands, paper, pictures, limits."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from PIL import Image, ImageChops

from drivers.devices._escpos_job import load_escpos
from drivers.simulators import _escpos_render
from drivers.simulators._escpos_commands import ARGUMENT_BYTES_MAX, Command, CommandParser
from drivers.simulators._escpos_machine import QUEUE_BYTES_MAX, Machine, Switches
from drivers.simulators._escpos_paper import PIECE_ELEMENTS_MAX, PIECE_PICTURE_BYTES_MAX, Paper, Picture, Piece, Pulse, Style
from drivers.simulators._escpos_render import PICTURE_HEIGHT_MAX_DOTS, as_picture, as_text
from drivers.simulators.receipt_printer import RECEIPTS_MAX, ReceiptPrinterSimulator
from edge_agent.clock import SystemClock

DOTS = 42 * 12
CUT = b"\x1dV\x00"

# Bytes as hosts and noise send them: whole commands, starts of commands, anything.
WORDS = (
    *(b"\x1b@", b"\x1b!\x38", b"\x1b*\x21\x05\x00", b"\x1bE\x01", b"\x1bt\x10", b"\x1d!\x77", b"\x1b", b"\n", CUT, b"\x10\x04\x01"),
    *(b"\x1dk\x49\x05{BAB1", b"\x1dk\x04ABC\x00", b"\x1d(k\x04\x00\x31P0A", b"\x1d(k\x03\x00\x31Q0", b"\x1dv0\x00\x02\x00\x03\x00"),
)
NOISE = st.lists(st.binary(max_size=40) | st.sampled_from(WORDS)).map(b"".join)


def pieces(data: bytes, columns: int = 42) -> list[Piece]:
    machine = Machine(columns)
    machine.feed(data)
    _, effects = machine.work(0.0)
    return [effect for effect in [*effects, *machine.paper.tear()] if isinstance(effect, Piece)]


def text(data: bytes) -> str:
    return "".join(as_text(piece, DOTS) for piece in pieces(data))


# --- any bytes at all ---


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=NOISE)
def test_any_bytes_are_printed_without_an_error(data: bytes) -> None:
    for piece in pieces(data):
        assert as_text(piece, DOTS).endswith("\n")
        assert as_picture(piece, DOTS).height > 0


@given(data=NOISE, cuts=st.lists(st.integers(1, 30), min_size=1, max_size=20))
def test_the_cuts_between_reads_change_nothing(data: bytes, cuts: list[int]) -> None:
    parser, at = CommandParser(), 0
    commands: list[Command] = []
    for length in itertools.cycle(cuts):
        commands += parser.feed(data[at : at + length])
        at += length
        if at >= len(data):
            break
    assert joined(commands) == joined(list(CommandParser().feed(data)))


def joined(commands: list[Command]) -> list[Command]:
    """With texts that a cut divided put together again."""
    whole: list[Command] = []
    for command in commands:
        if command.name == "TEXT" and whole and whole[-1].name == "TEXT":
            whole[-1] = Command("TEXT", whole[-1].arguments + command.arguments)
        else:
            whole.append(command)
    return whole


def test_a_picture_beyond_the_limit_is_skipped_and_what_follows_is_printed() -> None:
    declared = 255 + 256 * 7
    data = b"\x1dv0\x00" + bytes([255, 7, 255, 7]) + bytes(declared * declared) + b"after\n" + CUT
    assert declared * declared > ARGUMENT_BYTES_MAX
    assert text(data) == "after\n"


def test_a_command_that_never_ends_holds_no_more_than_its_limit() -> None:
    parser = CommandParser()
    assert list(parser.feed(b"\x1dk\x04" + b"A" * 300)) != [], "a barcode without an end is cut off"
    parser = CommandParser()
    for _ in range(1_000):
        assert list(parser.feed(b"\x1dv0\x00\xff\xff\xff\xff" + bytes(4_096))) == []
    assert len(parser._arguments) <= ARGUMENT_BYTES_MAX


def test_paper_that_is_never_cut_is_torn_off() -> None:
    printed = pieces(b"line\n" * (PIECE_ELEMENTS_MAX + 1))
    assert [len(piece.elements) for piece in printed] == [PIECE_ELEMENTS_MAX, 1]


def test_pictures_of_one_piece_are_limited() -> None:
    block = b"\x1dv0\x00\x40\x00\x00\x04" + bytes(64 * 1_024)
    (piece,) = pieces(block * 40)
    assert sum(len(element.bits.rows) for element in piece.elements if isinstance(element, Picture)) <= PIECE_PICTURE_BYTES_MAX
    assert as_picture(piece, DOTS).height <= PICTURE_HEIGHT_MAX_DOTS + 4 * _escpos_render.MARGIN_DOTS


def test_a_host_that_goes_on_without_paper_has_to_wait() -> None:
    with ReceiptPrinterSimulator(SystemClock()) as printer:
        printer.set(Switches(paper_out=True))
        with socket.create_connection(("127.0.0.1", printer.port)) as host:
            host.settimeout(0.5)
            sent = send_until_refused(host)
            assert QUEUE_BYTES_MAX <= printer.received_bytes < QUEUE_BYTES_MAX + 2 * 4_096
            printer.set(Switches())
            assert printer.wait_for(lambda: printer.received_bytes == sent, 30.0)


def send_until_refused(host: socket.socket) -> int:
    sent = 0
    try:
        while sent < 100_000_000:
            sent += host.send(b"x" * 4_095 + b"\n")
    except TimeoutError:
        return sent
    raise AssertionError("the printer takes bytes without end")


def test_receipts_in_memory_are_limited() -> None:
    with ReceiptPrinterSimulator(SystemClock()) as printer, socket.create_connection(("127.0.0.1", printer.port)) as host:
        host.sendall(b"".join(b"number %d\n" % number + CUT for number in range(RECEIPTS_MAX + 5)))
        assert printer.wait_for(lambda: printer.printed_count == RECEIPTS_MAX + 5, 10.0)
        assert len(printer.receipts) == RECEIPTS_MAX
        assert printer.receipts[-1] == f"number {RECEIPTS_MAX + 4}\n"


# --- what the commands do (Epson ESC/POS Command Reference) ---


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"\x1bt\x10\x80 \x1bt\x13\xd5 \x1bt\x02\x84\n", "€ € ä\n"),
        (b"\x1bt\x63\x80\n", "\ufffd\n"),
        (b"a" * 43 + b"\n", "a" * 42 + "\na\n"),
        (b"\x1d!\x10" + b"a" * 22 + b"\n", "a" * 21 + "\na\n"),
        (b"\x1ba\x01mid\n\x1ba\x02end\n\x1ba\x00", " " * 19 + "mid\n" + " " * 39 + "end\n"),
        (b"a\tb\n", "a       b\n"),
        (b"a\x1bd\x03b\n", "a\n\n\nb\n"),
        (b"\n\n\x1b@", ""),
        (b"gone\x1b@stays\n", "stays\n"),
        (b"\x1dw\x02\x1dk\x49\x08{BR-{C\x00\x01", "||| R-0001 |||\n"),
        (b"\x1dk\x024006381333931\x00", "||| 4006381333931 |||\n"),
        (b"\x1dk\x43\x0d4006381333931", "||| 4006381333931 |||\n"),
        (b"\x1dk\x02400638133393X\x00", "[no code: against the rules or too wide]\n"),
        (b"\x1d(k\x08\x00\x31P0hello\x1d(k\x03\x00\x31Q0", "[QR] hello\n"),
        (b"\x1dv0\x00\x02\x00\x03\x00" + bytes(6), "[picture 16 x 3]\n"),
        (b"\x1b*\x21\x05\x00" + bytes(15) + b"\n", "[picture]\n"),
        (b"\x1bt\x63\xff\x1b\x99unknown\n", "\ufffdunknown\n"),
    ],
)
def test_commands_show_as_text(data: bytes, shown: str) -> None:
    assert text(data) == shown


def test_bold_and_size_and_underline_are_told_apart() -> None:
    paper = Paper(42)
    for command in CommandParser().feed(b"\x1b!\xb8a\x1b!\x00b\x1bE\x01\x1d!\x21c\n"):
        paper.execute(command)
    (piece,) = paper.tear()
    assert isinstance(piece, Piece)
    styles = [item.style for item in piece.elements[0].items]  # type: ignore[union-attr]  # the one line of this paper
    assert styles == [Style(2, 2, bold=True, underline=True), Style(), Style(wide=3, high=2, bold=True)]


def test_the_drawer_opens_by_either_command_and_is_closed_by_hand() -> None:
    machine = Machine(42)
    machine.feed(b"\x1bp\x01\x32\x32")
    assert machine.work(0.0)[1] == [Pulse(5)]
    assert machine.drawer_open
    machine.drawer_open = False
    machine.switches = Switches(paper_out=True)
    machine.feed(b"\x10\x14\x01\x00\x02")
    assert (machine.drawer_open, machine.pulses) == (True, 2)


@pytest.mark.parametrize(
    ("switches", "answers"),
    [
        (Switches(), "16121212"),
        (Switches(paper_low=True), "1612121e"),
        (Switches(paper_out=True), "1e32127e"),
        (Switches(cover_open=True), "1e161212"),
        (Switches(error=True), "1e521a12"),
        (Switches(offline=True), "1e121212"),
        (Switches(stuck=True), ""),
    ],
)
def test_the_status_bytes_are_the_manuals(switches: Switches, answers: str) -> None:
    machine = Machine(42)
    machine.switches = switches
    assert machine.feed(b"".join(bytes([0x10, 4, which]) for which in (1, 2, 3, 4))).hex() == answers


def test_a_waiting_printer_answers_in_real_time_and_the_mark_in_order() -> None:
    machine = Machine(42)
    machine.switches = Switches(paper_out=True)
    assert machine.feed(b"line\n\x1dr\x01\x10\x04\x04") == b"\x7e"
    assert machine.work(0.0) == (b"", [])
    machine.switches = Switches()
    assert machine.work(0.0) == (b"\x00", [])


# --- pictures ---


def test_a_raster_is_drawn_dot_by_dot() -> None:
    (piece,) = pieces(b"\x1dv0\x00\x01\x00\x02\x00\x80\x01")
    left = top = 2 * _escpos_render.MARGIN_DOTS
    picture = as_picture(piece, DOTS)
    ink = [(x - left, y - top) for y in range(picture.height) for x in range(picture.width) if picture.getpixel((x, y)) == _escpos_render.INK]
    assert ink == [(0, 0), (7, 1)]


def network(simulator: ReceiptPrinterSimulator) -> Any:
    """python-escpos' own driver of a network printer."""
    load_escpos()
    from escpos.printer import Network

    return Network("127.0.0.1", port=simulator.port, profile="TM-T88V")


def test_column_pictures_and_rasters_of_the_same_dots_look_the_same(simulator: ReceiptPrinterSimulator) -> None:
    image = Image.linear_gradient("L").resize((96, 48))
    shown = []
    for impl in ("bitImageRaster", "bitImageColumn"):
        host = network(simulator)
        host.image(image, impl=impl)
        host.cut()
        assert simulator.wait_for(lambda: simulator.printed_count == len(shown) + 1, 5.0)
        host.close()
        shown.append(simulator.picture().crop((72, 72, 72 + 96, 72 + 48)))
    assert ImageChops.difference(*shown).getbbox() is None
    assert len(set(shown[0].tobytes())) == 2


@pytest.fixture
def no_font(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(_escpos_render, "_FONTS", {False: "no-such-font.ttf", True: "no-such-font.ttf"})
    for cache in (_escpos_render._font, _escpos_render._glyph):
        cache.cache_clear()
    yield
    for cache in (_escpos_render._font, _escpos_render._glyph):
        cache.cache_clear()


@pytest.mark.usefixtures("no_font")
def test_a_computer_without_the_font_draws_all_the_same() -> None:
    (piece,) = pieces("\x1bt\x10Käse 1,99 €\n".encode("cp1252") + b"\x1b!\x38bold\n")
    picture = as_picture(piece, DOTS)
    assert (picture.histogram()[_escpos_render.INK]) > 100


# --- a host that others wrote ---


@pytest.fixture
def simulator() -> Iterator[ReceiptPrinterSimulator]:
    with ReceiptPrinterSimulator(SystemClock()) as printer:
        yield printer


def test_python_escpos_reads_the_status_over_the_network(simulator: ReceiptPrinterSimulator) -> None:
    host = network(simulator)
    assert (host.is_online(), host.paper_status()) == (True, 2)
    simulator.set(replace(simulator.switches, paper_low=True))
    assert (host.is_online(), host.paper_status()) == (True, 1)
    simulator.set(Switches(paper_out=True))
    assert (host.is_online(), host.paper_status()) == (False, 0)
    host.close()
