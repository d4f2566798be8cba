"""The receipt printer's driver against its simulator, over real sockets."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import zxingcpp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from drivers.contract import DeviceState
from drivers.devices._escpos_job import DrawerPin, PrinterSetup, job_bytes, profile_columns
from drivers.devices._escpos_session import unclear
from drivers.devices._escpos_status import AnswerReader, PrinterStatus
from drivers.devices.receipt_printer import JOB_BYTES_MAX, PENDING_JOBS_MAX, REMEMBERED_JOBS_MAX, ReceiptPrinter, build
from drivers.load import DriverContext
from drivers.session import Pace
from drivers.simulators._escpos_machine import Switches
from drivers.simulators.receipt_printer import ReceiptPrinterSimulator
from drivers.supervisor import Supervisor
from edge_agent.clock import SystemClock
from edge_agent.domain.errors import ConfigError, DeviceAbsent, DeviceBusy
from edge_agent.domain.receipt import (
    Align,
    Barcode,
    Cut,
    Feed,
    NotPrinted,
    Pair,
    Printed,
    PrintJob,
    QrCode,
    Receipt,
    Rule,
    Symbology,
    Text,
    Unclear,
    as_copy,
    layout,
)
from tests.support import HalfRandom, Listener, wait_until

TIMEOUT_SECONDS = 0.8
QUICK = Pace(presence_seconds=0.02, backoff_first_seconds=0.02, backoff_seconds_max=0.05)
STATUS_BYTES = 4 * 3
CODE = "R-0001-02-000123"
LINES = (
    Text("Käserei Müller", bold=True, double=True, align=Align.CENTER),
    Text("Marktgasse 12", align=Align.CENTER),
    Rule(),
    Pair("Bergkäse am Stück, 12 Monate gereift, aus Rohmilch vom Hof", "8,75 A"),
    Text("  0,350 kg x 25,00 €/kg"),
    Pair("Milch 1 l", "1,19\u202f€ A"),
    Rule(),
    Pair("TOTAL €", "9,94", bold=True, double=True),
    Feed(),
    Text("Danke für Ihren Einkauf und bis bald in Ihrer Käserei am Markt", align=Align.CENTER),
    Text("Seite 1", align=Align.RIGHT),
)
RECEIPT = Receipt((*LINES, Cut()), copy=False, code=CODE)
CODES = Receipt((Barcode(CODE), Barcode("4006381333931", Symbology.EAN13), QrCode(f"https://shop.example/r/{CODE}"), Cut()), copy=False, code=CODE)


@pytest.fixture
def printer() -> Iterator[ReceiptPrinterSimulator]:
    with ReceiptPrinterSimulator(SystemClock()) as simulator:
        yield simulator


def driver_for(printer: ReceiptPrinterSimulator, **more: object) -> ReceiptPrinter:
    config = {"host": "127.0.0.1", "port": printer.port, "profile": "TM-T88V", "drawer": "pin2", "timeout_seconds": TIMEOUT_SECONDS, **more}
    return build(config, DriverContext(SystemClock(), HalfRandom(), "printer", "edge.toml [devices.printer]"))


@contextmanager
def at_work(printer: ReceiptPrinterSimulator, **more: object) -> Iterator[tuple[ReceiptPrinter, Listener]]:
    """A driver that the supervisor holds ready."""
    driver, heard = driver_for(printer, **more), Listener()
    supervisor = Supervisor([driver], SystemClock(), HalfRandom(), heard.reading, heard.report, pace=QUICK)
    supervisor.start()
    try:
        heard.wait_state("printer", DeviceState.READY)
        wait_until(lambda: driver._serving, "jobs are taken")
        yield driver, heard
    finally:
        assert supervisor.stop() == ()


def job(name: str = "job-1", receipt: Receipt = RECEIPT, **more: bool) -> PrintJob:
    return PrintJob(name, receipt, **more)


def make_idle(printer: ReceiptPrinterSimulator, driver: ReceiptPrinter, heard: Listener) -> None:
    """Print one receipt and wait for the status after it: then nothing is on the wire until the next look, seconds later."""
    printer.set(Switches(paper_low=True))
    heard.wait_state("printer", DeviceState.DEGRADED, reason="paper_low")
    printer.set(Switches())
    assert driver.submit(job("warm-up")).result(5) == Printed()
    heard.wait_state("printer", DeviceState.READY)


# --- what comes out ---


@pytest.mark.parametrize("columns", [32, 42, 48])
def test_the_paper_shows_what_the_screen_shows(columns: int) -> None:
    with ReceiptPrinterSimulator(SystemClock(), columns=columns) as printer, at_work(printer, columns=columns) as (driver, _):
        assert driver.submit(job()).result(5) == Printed()
        assert printer.receipts[0].splitlines() == [line.replace("\u202f", " ") for line in layout(RECEIPT, columns)]


def test_a_copy_is_printed_as_one(printer: ReceiptPrinterSimulator) -> None:
    with at_work(printer) as (driver, _):
        assert driver.submit(job(receipt=as_copy(RECEIPT, "KOPIE"), copy=True)).result(5) == Printed()
    assert printer.receipts[0].split().count("KOPIE") == 2
    assert not printer.drawer_open


@pytest.mark.parametrize(("columns", "profile"), [(42, "TM-T88V"), (48, "default"), (42, "NT-5890K")])
def test_codes_are_read_back_from_the_paper(columns: int, profile: str) -> None:
    """Drawn by the printer, and as pictures for a printer that draws none; read by a reader of other people's."""
    with ReceiptPrinterSimulator(SystemClock(), columns=columns) as printer, at_work(printer, columns=columns, profile=profile) as (driver, _):
        assert driver.submit(job(receipt=CODES)).result(5) == Printed()
        if not printer.receipts:  # a printer without a knife
            printer.tear()
        read = {code.text for code in zxingcpp.read_barcodes(printer.picture())}
    assert read == {CODE, "4006381333931", f"https://shop.example/r/{CODE}"}


def test_a_barcode_wider_than_the_paper_is_printed_as_a_qr_code() -> None:
    long = "ORDER-ABCDEFGHIJKLMNOPQRSTUVWXYZ-0123456789"
    with ReceiptPrinterSimulator(SystemClock(), columns=32) as printer, at_work(printer, columns=32) as (driver, _):
        assert driver.submit(job(receipt=Receipt((Barcode(long), Cut()), copy=False, code=""))).result(5) == Printed()
        (code,) = zxingcpp.read_barcodes(printer.picture())
    assert (code.text, code.format) == (long, zxingcpp.BarcodeFormat.QRCode)


def test_the_drawer_opens_before_the_paper_moves(printer: ReceiptPrinterSimulator) -> None:
    printer.set(Switches(slow_line_seconds=0.3))
    with at_work(printer) as (driver, _):
        printing = driver.submit(job(open_drawer=True))
        assert printer.wait_for(lambda: printer.drawer_open, 2.0)
        assert printer.printed_count == 0
        printer.set(Switches())
        assert printing.result(5) == Printed()
    assert printer.drawer_pulses == 1


def test_a_job_without_lines_only_opens_the_drawer(printer: ReceiptPrinterSimulator) -> None:
    with at_work(printer) as (driver, _):
        assert driver.submit(job(receipt=Receipt((), copy=False, code=""), open_drawer=True)).result(5) == Printed()
    assert printer.drawer_open
    printer.tear()
    assert printer.receipts == []


def test_a_printer_without_a_drawer_gets_no_pulse(printer: ReceiptPrinterSimulator) -> None:
    with at_work(printer, drawer="none") as (driver, _):
        assert driver.submit(job(open_drawer=True)).result(5) == Printed()
    assert printer.drawer_pulses == 0


def test_a_name_in_the_catalogue_commands_no_printer(printer: ReceiptPrinterSimulator) -> None:
    hostile = Receipt((Text("Tea\x1bp\x00\x19\xfa"), Pair("\x1dV\x00\x10\x14\x01\x00\x05", "1,00"), QrCode("\x1bp\x00\x19\xfa"), Cut()), copy=False, code="")
    with at_work(printer) as (driver, _):
        assert driver.submit(job(receipt=hostile)).result(5) == Printed()
    assert printer.drawer_pulses == 0
    assert len(printer.receipts) == 1


# --- before: not ready, and nothing is sent ---


@pytest.mark.parametrize("reason", ["paper_out", "cover_open", "offline", "error"])
def test_a_printer_that_is_not_ready_gets_no_receipt_and_the_hint_says_what_to_do(printer: ReceiptPrinterSimulator, reason: str) -> None:
    with at_work(printer) as (driver, heard):
        printer.set(replace(Switches(), **{reason: True}))
        outcome = driver.submit(job()).result(5)
        assert isinstance(outcome, NotPrinted)
        assert outcome.reason == reason
        assert outcome.hint.endswith("the receipt is kept and can be reprinted.")
        report = heard.wait_state("printer", DeviceState.DEGRADED, reason=reason)
        assert report.detail
        printer.set(Switches())
        assert driver.submit(job("job-2")).result(5) == Printed()
        heard.wait_state("printer", DeviceState.READY)
    assert printer.printed_count == 1


def test_the_drawer_opens_for_cash_although_the_paper_is_out(printer: ReceiptPrinterSimulator) -> None:
    with at_work(printer) as (driver, _):
        printer.set(Switches(paper_out=True))
        assert isinstance(driver.submit(job(open_drawer=True)).result(5), NotPrinted)
        assert printer.wait_for(lambda: printer.drawer_open, 2.0)
        printer.set(Switches())
        assert driver.submit(job("job-2")).result(5) == Printed()
    assert (printer.drawer_pulses, printer.printed_count) == (1, 1)


def test_low_paper_is_said_and_prints(printer: ReceiptPrinterSimulator) -> None:
    printer.set(Switches(paper_low=True))
    with at_work(printer) as (driver, heard):
        heard.wait_state("printer", DeviceState.DEGRADED, reason="paper_low")
        assert driver.submit(job()).result(5) == Printed()


def test_an_idle_printer_is_looked_after(printer: ReceiptPrinterSimulator) -> None:
    with at_work(printer) as (_, heard):
        printer.set(Switches(cover_open=True))
        heard.wait_state("printer", DeviceState.DEGRADED, reason="cover_open")
        printer.set(Switches())
        heard.wait_state("printer", DeviceState.READY)


def test_a_printer_that_hangs_gets_nothing_and_is_lost(printer: ReceiptPrinterSimulator) -> None:
    with at_work(printer) as (driver, heard):
        printer.set(Switches(stuck=True))
        outcome = driver.submit(job()).result(5)
        assert isinstance(outcome, NotPrinted)
        assert outcome.reason == "no_answer"
        heard.wait_state("printer", DeviceState.LOST, reason="no_answer")
        printer.set(Switches())
        heard.wait_state("printer", DeviceState.READY, generation=2)
    assert printer.printed_count == 0


def test_without_a_connection_the_answer_comes_at_once(printer: ReceiptPrinterSimulator) -> None:
    driver = driver_for(printer)
    outcome = driver.submit(job()).result(0)
    assert isinstance(outcome, NotPrinted)
    assert outcome.reason == "absent"


# --- after: what may be on paper is unclear, and nothing is printed twice ---


@pytest.mark.parametrize("into_the_job", [1, 40, 300])
def test_a_connection_lost_in_the_middle_of_a_job_leaves_it_unclear(printer: ReceiptPrinterSimulator, into_the_job: int) -> None:
    with at_work(printer) as (driver, heard):
        make_idle(printer, driver, heard)
        printer.set(Switches(drop_after_bytes=STATUS_BYTES + into_the_job))
        outcome = driver.submit(job()).result(5)
        assert isinstance(outcome, Unclear)
        assert outcome.reason == "connection_lost"
        assert "Look at the paper" in outcome.hint
        heard.wait_state("printer", DeviceState.READY, generation=2)
        assert driver.submit(job()).result(5) == outcome
        assert driver.submit(job("job-2")).result(5) == Printed()
    assert printer.printed_count == 2


def test_a_connection_lost_before_the_first_byte_of_the_job_left_nothing(printer: ReceiptPrinterSimulator) -> None:
    with at_work(printer) as (driver, heard):
        make_idle(printer, driver, heard)
        printer.set(Switches(drop_after_bytes=4))
        outcome = driver.submit(job()).result(5)
        assert isinstance(outcome, NotPrinted)
        heard.wait_state("printer", DeviceState.READY, generation=2)
    assert printer.printed_count == 1


def test_a_printer_that_hangs_in_the_middle_of_a_job_leaves_it_unclear(printer: ReceiptPrinterSimulator) -> None:
    printer.set(Switches(slow_line_seconds=0.1))
    with at_work(printer) as (driver, heard):
        printing = driver.submit(job(open_drawer=True))
        assert printer.wait_for(lambda: printer.drawer_open, 2.0)
        printer.set(Switches(stuck=True))
        outcome = printing.result(5)
        assert isinstance(outcome, Unclear)
        assert outcome.reason == "no_answer"
        heard.wait_state("printer", DeviceState.LOST, reason="no_answer")


def test_paper_that_ends_in_the_middle_leaves_it_unclear_and_the_printer_may_go_on(printer: ReceiptPrinterSimulator) -> None:
    with at_work(printer) as (driver, heard):
        printer.set(Switches(lines_left=3))
        outcome = driver.submit(job()).result(5)
        assert isinstance(outcome, Unclear)
        assert outcome.reason == "paper_out"
        heard.wait_state("printer", DeviceState.DEGRADED, reason="paper_out")
        printer.set(Switches())  # a new roll: the printer goes on with what it holds
        assert printer.wait_for(lambda: printer.printed_count == 1, 2.0)
        assert driver.submit(job("job-2")).result(5) == Printed()
        assert printer.printed_count == 2


@pytest.mark.parametrize("stopped", [False, True])
def test_a_printer_that_takes_no_more_bytes_in_the_middle_of_a_job_leaves_it_unclear(printer: ReceiptPrinterSimulator, stopped: bool) -> None:
    long = Receipt((Text("x" * 300_000), Cut()), copy=False, code="")
    with at_work(printer, timeout_seconds=30 if stopped else TIMEOUT_SECONDS) as (driver, heard):
        make_idle(printer, driver, heard)
        printer.set(Switches(lines_left=3))
        printing = driver.submit(job(receipt=long))
        if not stopped:
            assert printing.result(5) == unclear("no_answer")
            heard.wait_state("printer", DeviceState.LOST, reason="no_answer")
        assert printer.wait_for(lambda: printer.received_bytes > 30_000, 5.0)
    if stopped:
        assert printing.result(0) == unclear("stopped")


def test_western_text_needs_one_code_page() -> None:
    """The one whose euro sign is in every firmware: page 16 of this printer, Windows-1252."""
    data = job_bytes(job(), PrinterSetup("TM-T88V", 42, DrawerPin.NONE))
    assert data.count(b"\x1bt") == data.count(b"\x1bt\x10") == 1
    assert "€/kg".encode("cp1252") in data


def test_a_job_that_the_printer_works_on_for_long_is_waited_for(printer: ReceiptPrinterSimulator) -> None:
    printer.set(Switches(slow_line_seconds=0.12))
    with at_work(printer) as (driver, _):
        assert driver.submit(job()).result(5) == Printed()
        assert printer.printed_count == 1, "Printed only when the paper is out"


def test_a_job_that_is_never_worked_off_is_unclear(printer: ReceiptPrinterSimulator) -> None:
    printer.set(Switches(slow_line_seconds=30))
    with at_work(printer, timeout_seconds=0.5) as (driver, _):
        outcome = driver.submit(job()).result(5)
        assert isinstance(outcome, Unclear)
        assert outcome.reason == "unconfirmed"


def test_a_late_answer_to_one_job_does_not_confirm_the_next(printer: ReceiptPrinterSimulator) -> None:
    printer.set(Switches(slow_line_seconds=30))
    with at_work(printer, timeout_seconds=0.5) as (driver, _):
        assert isinstance(driver.submit(job()).result(5), Unclear)
        printer.set(Switches(slow_line_seconds=0.02))
        assert driver.submit(job("job-2")).result(5) == Printed()
        assert printer.printed_count == 2, "Printed when the second receipt is out, not when the first one is"


def test_a_printer_that_answers_no_marks_is_asked_by_status_alone(printer: ReceiptPrinterSimulator) -> None:
    printer.set(Switches(answers_in_order=False))
    with at_work(printer) as (driver, _):
        assert driver.submit(job()).result(5) == Printed()
        assert printer.wait_for(lambda: printer.printed_count == 1, 2.0)
        printer.set(Switches(answers_in_order=False, lines_left=3))
        outcome = driver.submit(job("job-2")).result(5)
        assert isinstance(outcome, Unclear)
        assert outcome.reason == "paper_out"


def test_the_same_job_is_printed_once(printer: ReceiptPrinterSimulator) -> None:
    with at_work(printer) as (driver, _):
        with ThreadPoolExecutor(8) as clients:
            futures = list(clients.map(lambda number: driver.submit(job(f"job-{number % 5}")), range(40)))
        assert [future.result(5) for future in futures] == [Printed()] * 40
        assert len({id(future) for future in futures}) == 5
    assert printer.printed_count == 5


def test_the_memory_of_jobs_is_bounded(printer: ReceiptPrinterSimulator) -> None:
    driver = driver_for(printer)
    first = driver.submit(job("job-0"))
    for number in range(1, REMEMBERED_JOBS_MAX):
        driver.submit(job(f"job-{number}"))
    assert driver.submit(job("job-0")) is first
    driver.submit(job("one more"))
    assert driver.submit(job("job-0")) is not first
    assert len(driver._outcomes) == REMEMBERED_JOBS_MAX


def test_too_many_jobs_and_too_long_a_job_are_refused(printer: ReceiptPrinterSimulator) -> None:
    printer.set(Switches(slow_line_seconds=0.2))
    with at_work(printer) as (driver, _):
        futures = [driver.submit(job(f"job-{number}")) for number in range(PENDING_JOBS_MAX + 2)]
        last = futures[-1].result(0)
        assert isinstance(last, NotPrinted)
        assert last.reason == "queue_full"
        assert not futures[0].cancel(), "what was asked for is not taken back"
        printer.set(Switches())
        endless = Receipt((Text("x" * (JOB_BYTES_MAX + 1)),), copy=False, code="")
        assert {type(future.result(10)) for future in futures[:-2]} == {Printed}
        long = driver.submit(job("endless", endless)).result(10)
        assert isinstance(long, NotPrinted)
        assert long.reason == "too_long"


def test_a_stop_in_the_middle_of_a_job_answers_every_job(printer: ReceiptPrinterSimulator) -> None:
    printer.set(Switches(slow_line_seconds=1.0))
    with at_work(printer, timeout_seconds=5.0) as (driver, _):
        printing, waiting = driver.submit(job(open_drawer=True)), driver.submit(job("job-2"))
        assert printer.wait_for(lambda: printer.drawer_open, 2.0)
    first, second = printing.result(0), waiting.result(0)
    assert isinstance(first, Unclear)
    assert first.reason == "stopped"
    assert isinstance(second, NotPrinted)


# --- the connection ---


def test_a_printer_that_another_program_holds_is_busy(printer: ReceiptPrinterSimulator) -> None:
    with socket.create_connection(("127.0.0.1", printer.port)):
        assert printer.wait_for(lambda: printer.connected, 2.0)
        driver = driver_for(printer)
        with pytest.raises(DeviceBusy) as caught:
            driver.open()
        driver.close()
    assert "other program" in caught.value.hint


def test_an_unknown_host_is_absent_and_says_so() -> None:
    config = {"host": "printer.invalid", "timeout_seconds": TIMEOUT_SECONDS}
    driver = build(config, DriverContext(SystemClock(), HalfRandom(), "printer", "edge.toml"))
    with pytest.raises(DeviceAbsent) as caught:
        driver.open()
    assert caught.value.hint


def test_the_connection_is_held_and_taken_up_again(printer: ReceiptPrinterSimulator) -> None:
    with at_work(printer) as (driver, heard):
        assert printer.connected
        printer.unplug()
        heard.wait_state("printer", DeviceState.LOST)
        assert isinstance(driver.submit(job()).result(1), NotPrinted)
        printer.plug()
        heard.wait_state("printer", DeviceState.READY, generation=2)
        wait_until(lambda: driver._serving, "jobs are taken")
        assert driver.submit(job("job-2")).result(5) == Printed()


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"host": ""}, "host"),
        ({"profile": "TM-9000"}, "profile"),
        ({"columns": 8}, "columns"),
        ({"drawer": "pin7"}, "drawer"),
        ({"port": 0}, "port"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"timeout": 3}, "timeout"),
    ],
)
def test_a_wrong_configuration_says_where_and_what(wrong: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build({"host": "127.0.0.1", **wrong}, DriverContext(SystemClock(), HalfRandom(), "printer", "edge.toml [devices.printer]"))
    assert caught.value.message.startswith(f"edge.toml [devices.printer]: {key}: expected ")


# --- bytes ---


@pytest.mark.parametrize("profile", sorted(profile_columns()))
def test_every_profile_prints_a_receipt_with_a_euro_sign_or_its_letters(profile: str) -> None:
    setup = PrinterSetup(profile, 42, DrawerPin.PIN2)
    data = job_bytes(PrintJob("1", Receipt((Text("€"), *CODES.lines), copy=False, code=""), open_drawer=True), setup)
    assert data.startswith(b"\x1b@\x1bp\x00")
    assert b"EUR\n" in data or any(b"\n" in data.split(euro, 1)[1][:1] for euro in (b"\x80", b"\x88", b"\xa4", b"\xd5") if euro in data)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    text=st.text(max_size=60), profile=st.sampled_from(["TM-T88V", "simple", "TM-U220", "NT-5890K", "Sunmi-V2"]), columns=st.sampled_from([24, 32, 42, 48, 64])
)
def test_any_text_is_printable_on_any_printer(text: str, profile: str, columns: int) -> None:
    lines = (Text(text, double=True), Pair(text, text[:10]), QrCode("x" + text), Barcode("".join(c for c in text if " " <= c <= "~")[:48] or "0"), Cut())
    data = job_bytes(PrintJob("1", Receipt(lines, copy=False, code="")), PrinterSetup(profile, columns, DrawerPin.NONE))
    assert data.startswith(b"\x1b@")


@given(st.binary(max_size=300))
def test_any_answer_of_a_printer_is_sorted_without_an_error(data: bytes) -> None:
    reader = AnswerReader()
    statuses = reader.feed(data)
    assert len(statuses) + reader.marks <= len(data)
    for status in statuses:
        assert PrinterStatus.parse(status, status, status, status).condition is not None


def test_importing_leaves_nothing_behind(tmp_path: Path) -> None:
    """No log handler, no output, no file: python-escpos brings all three."""
    script = """
import logging, sys
from edge_agent.domain.receipt import Receipt
import drivers.devices.receipt_printer as module
assert not any(name.split(".")[0] == "escpos" for name in sys.modules), "imported before it is used"
from drivers.devices._escpos_job import *
module.load_escpos()
print_job = PrintJob("1", Receipt((Barcode("R-1"), QrCode("x"), Text("牛"), Cut()), False, ""))
for profile in profile_columns():
    job_bytes(print_job, PrinterSetup(profile, 42, DrawerPin.PIN2))
assert logging.getLogger().handlers == [], logging.getLogger().handlers
"""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ESCPOS")} | {"TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


# --- the simulator as a program ---


def test_the_simulator_runs_as_a_program_and_writes_text_and_pictures(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "drivers.simulators.receipt_printer", "--port", "0", "--folder", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            port = int(program.stdout.readline().split(";")[0].rsplit(":", 1)[1])
            with socket.create_connection(("127.0.0.1", port)) as wire:
                wire.sendall(job_bytes(job(), PrinterSetup("TM-T88V", 42, DrawerPin.NONE)))
                wait_until(lambda: (tmp_path / "receipt-0001.txt").exists(), "the text, written last")
        finally:
            program.terminate()
    with Image.open(tmp_path / "receipt-0001.png") as picture:
        picture.load()
        assert picture.width > 500
    assert (tmp_path / "receipt-0001.txt").read_text(encoding="utf-8").splitlines()[0].strip() == "Käserei Müller"
