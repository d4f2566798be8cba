"""The receipt printer's driver and its simulator for tests, with receipts to print."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from drivers.contract import DeviceState
from drivers.devices.receipt_printer import ReceiptPrinter, build
from drivers.load import DriverContext
from drivers.session import Pace
from drivers.simulators._escpos_machine import Switches
from drivers.simulators.receipt_printer import ReceiptPrinterSimulator
from drivers.supervisor import Supervisor
from edge_agent.clock import SystemClock
from edge_agent.domain.receipt import Align, Barcode, Cut, Feed, Pair, Printed, PrintJob, QrCode, Receipt, Rule, Symbology, Text
from tests.support import HalfRandom, Listener, wait_until

TIMEOUT_SECONDS = 0.8
QUICK = Pace(presence_seconds=0.02, backoff_first_seconds=0.02, backoff_seconds_max=0.05)
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


@pytest.fixture(name="printer")
def fixture_printer() -> Iterator[ReceiptPrinterSimulator]:
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
