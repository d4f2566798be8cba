"""The receipt printer's driver against its simulator, over real sockets: what comes out, when nothing is sent, and the connection."""

from __future__ import annotations

import socket

import pytest
import zxingcpp
from msgspec.structs import replace

from drivers.contract import DeviceState
from drivers.devices.receipt_printer import build
from drivers.load import DriverContext
from drivers.simulators._escpos_machine import Switches
from drivers.simulators.receipt_printer import ReceiptPrinterSimulator
from edge_agent.clock import SystemClock
from edge_agent.domain.errors import ConfigError, DeviceAbsent, DeviceBusy
from edge_agent.domain.receipt import Barcode, Cut, NotPrinted, Pair, Printed, QrCode, Receipt, Text, as_copy, layout
from tests.support import HalfRandom, wait_until
from tests.support_printer import CODE, CODES, RECEIPT, TIMEOUT_SECONDS, at_work, driver_for, fixture_printer, job  # noqa: F401 - a fixture

# --- what comes out --------------------------------------------------------------------------------------------------------------


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


# --- before: not ready, and nothing is sent --------------------------------------------------------------------------------------


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


# --- the connection --------------------------------------------------------------------------------------------------------------


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
