"""What may be on paper after a fault is unclear, each job is answered, and nothing is printed twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from drivers.contract import DeviceState
from drivers.devices._escpos_session import unclear
from drivers.devices.receipt_printer import JOB_BYTES_MAX, PENDING_JOBS_MAX, REMEMBERED_JOBS_MAX
from drivers.simulators._escpos_machine import Switches
from drivers.simulators.receipt_printer import ReceiptPrinterSimulator
from edge_agent.domain.receipt import Cut, NotPrinted, Printed, Receipt, Text, Unclear
from tests.support_printer import TIMEOUT_SECONDS, at_work, driver_for, fixture_printer, job, make_idle  # noqa: F401 - a fixture

STATUS_BYTES = 4 * 3


# --- a fault in the middle of a job ----------------------------------------------------------------------------------------------


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


# --- what confirms a job ---------------------------------------------------------------------------------------------------------


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


# --- once, and answered ----------------------------------------------------------------------------------------------------------


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
