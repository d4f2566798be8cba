"""The bytes that a receipt becomes on every printer, the bytes that a printer answers, and the simulator as a program."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from drivers.devices._escpos_job import DrawerPin, PrinterSetup, job_bytes, profile_columns
from drivers.devices._escpos_status import AnswerReader, PrinterStatus
from edge_agent.domain.receipt import Barcode, Cut, Pair, PrintJob, QrCode, Receipt, Text
from tests.support import wait_until
from tests.support_printer import CODES, job

# --- bytes -----------------------------------------------------------------------------------------------------------------------


def test_western_text_needs_one_code_page() -> None:
    """The one whose euro sign is in every firmware: page 16 of this printer, Windows-1252."""
    data = job_bytes(job(), PrinterSetup("TM-T88V", 42, DrawerPin.NONE))
    assert data.count(b"\x1bt") == data.count(b"\x1bt\x10") == 1
    assert "€/kg".encode("cp1252") in data


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


# --- the simulator as a program --------------------------------------------------------------------------------------------------


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
