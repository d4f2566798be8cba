"""The simulated terminal as its own process: its controls by typed lines, and books that survive a ``kill -9``."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.simulators._card_ledger import read_ledger
from drivers.simulators._card_plan import Plan
from drivers.simulators.card_terminal import CardTerminal, obey
from edge_agent.clock import SystemClock
from tests.support import wait_until

HELLO = {"counterLink": 1, "do": "hello"}
REFS = [f"0000000{number:03}" for number in range(100)]


class Client:
    """A till of a few lines, written from the protocol's text."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> Client:
        assert self.ask(HELLO)["say"] == "hello"
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()

    def say(self, request: object) -> None:
        self._socket.sendall(json.dumps(request).encode() + b"\n")

    def hear(self) -> dict[str, object]:
        line = self._lines.readline()
        if not line:
            raise ConnectionResetError
        heard = json.loads(line)
        assert isinstance(heard, dict)
        return heard

    def ask(self, request: object) -> dict[str, object]:
        self.say(request)
        return self.hear()

    def result(self) -> dict[str, object]:
        while (heard := self.hear())["say"] == "step":
            pass
        return heard


def pay(port: int, ref: str, amount: int = 1000) -> dict[str, object]:
    with Client(port) as client:
        client.say({"do": "payment", "ref": ref, "amountMinor": amount, "currency": "EUR"})
        return client.result()


def status(port: int, ref: str) -> dict[str, object]:
    with Client(port) as client:
        return client.ask({"do": "status", "ref": ref})


@contextlib.contextmanager
def process(ledger: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, "-m", "drivers.simulators.card_terminal", "--port", "0", "--ledger", str(ledger), "--step-seconds", "0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            found = re.search(r"127\.0\.0\.1:([0-9]+)", running.stdout.readline())
            assert found is not None
            yield running, int(found[1])
        finally:
            running.kill()


def type_line(running: subprocess.Popen[str], line: str) -> None:
    assert running.stdin is not None
    running.stdin.write(line + "\n")
    running.stdin.flush()


def typed(running: subprocess.Popen[str], *lines: str) -> str:
    """Type ``lines``, then a wrong one, whose answer shows that those before it were obeyed; what was printed first."""
    assert running.stdout is not None
    for line in (*lines, "?"):
        type_line(running, line)
    return running.stdout.readline()


def test_what_was_approved_is_in_the_books_after_a_kill_and_what_was_under_way_is_rolled_back(tmp_path: Path) -> None:
    ledger = tmp_path / "books.jsonl"
    with process(ledger) as (running, port):
        assert pay(port, REFS[1])["outcome"] == "approved"
        typed(running, "hold contacting_bank")
        with Client(port) as client:
            client.say({"do": "payment", "ref": REFS[2], "amountMinor": 500, "currency": "EUR"})
            while client.hear()["step"] != "contacting_bank":
                pass
            running.kill()
            running.wait(10)
            with pytest.raises(ConnectionError):
                client.result()
    with ledger.open("ab") as torn:
        torn.write(b'{"ref":"000000')
    with process(ledger) as (_, port):
        assert status(port, REFS[1]) | {"card": None} == {
            "say": "status", "ref": REFS[1], "state": "done", "outcome": "approved", "amountMinor": 1000, "currency": "EUR", "offline": False, "card": None,
        }  # fmt: skip
        assert status(port, REFS[2])["state"] == "not_found"
        assert pay(port, REFS[3])["outcome"] == "approved"
    assert [(entry.ref, entry.charged_minor) for entry in read_ledger(ledger)] == [(REFS[1], 1000), (REFS[2], 0), (REFS[3], 1000)]


def test_typed_controls_do_what_they_say(tmp_path: Path) -> None:
    with process(tmp_path / "books.jsonl") as (running, port):
        assert (
            typed(running, "always decline=insufficient_funds", "next booked=300")
            == "expected next, always, hold, release, cancel, dead, refuse, busy, reboot or books\n"
        )
        assert pay(port, REFS[1])["amountMinor"] == 300
        assert pay(port, REFS[2])["reason"] == "insufficient_funds"
        typed(running, "always", "busy on")
        assert pay(port, REFS[3])["reason"] == "busy"
        typed(running, "busy off", "refuse on")
        with pytest.raises(ConnectionRefusedError):
            Client(port)
        typed(running, "refuse off", "hold present_card")
        with Client(port) as client:
            assert client.ask({"do": "payment", "ref": REFS[4], "amountMinor": 700, "currency": "EUR"})["step"] == "present_card"
            type_line(running, "cancel")
            assert client.result()["by"] == "customer"
        assert running.stdout is not None
        assert running.stdout.readline() == "cancelled\n"
        typed(running, "next take_up=-1")
        with pytest.raises(ConnectionError):
            pay(port, REFS[5])
        assert typed(running, "next colour=red").startswith("expected one of decline, ")


def test_every_control_is_understood_or_refused_with_what_was_expected(tmp_path: Path) -> None:
    with CardTerminal(tmp_path / "books.jsonl", SystemClock()) as terminal:
        for line in ("", "release", "dead on", "dead off", "reboot booked", "reboot rolled_back", "books", "next hold=enter_pin answer=twice leak"):
            assert obey(terminal, line) == ""
        assert obey(terminal, "cancel") == "too late"
        for line in ("dead", "dead maybe", "reboot", "next answer=never", "hold the_door", "next slow=soon"):
            with pytest.raises(ValueError, match=r"expected|could not convert"):
                obey(terminal, line)


@pytest.mark.parametrize(("language", "told"), [("en", ("contactless", "Approval ", "Payment")), ("de", ("kontaktlos", "Genehmigungs-Nr. ", "Zahlung"))])
def test_its_lines_for_the_receipt_are_in_the_language_that_it_is_set_to(tmp_path: Path, language: str, told: tuple[str, str, str]) -> None:
    with CardTerminal(tmp_path / "books.jsonl", SystemClock(), language=language) as terminal:
        first = pay(terminal.port, REFS[1])["card"]
        assert isinstance(first, dict)
        assert first["receiptLines"] == [first["brand"], f"************{first['lastFour']}", told[0], f"{told[1]}{first['approval']}", told[2]]
        with Client(terminal.port) as client:  # asked again it says the same
            assert client.ask({"do": "status", "ref": REFS[1]})["card"] == first


def test_one_who_sends_nonsense_or_nothing_does_not_disturb_the_next_one(tmp_path: Path) -> None:
    with CardTerminal(tmp_path / "books.jsonl", SystemClock()) as terminal:
        for nonsense in (
            b"\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"\xff" * 70_000,
            b"[" * 60_000 + b"\n",
            b'{"do":"payment"}\n',
            b'{"do":"hello"}\n{"do":"payment","ref":7}\n',
        ):
            with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", terminal.port), timeout=10) as connection:
                connection.sendall(nonsense)
                while connection.recv(4096):
                    pass
        silent = [socket.create_connection(("127.0.0.1", terminal.port), timeout=10) for _ in range(10)]
        assert pay(terminal.port, REFS[1])["outcome"] == "approved"
        with Client(terminal.port) as client:
            assert client.ask({"do": "payment", "ref": REFS[2], "amountMinor": "10", "currency": "EUR"}) == {
                "say": "result", "ref": REFS[2], "outcome": "refused", "reason": "malformed",
            }  # fmt: skip
        for connection in silent:
            connection.close()


def test_the_books_add_up_in_totals_by_currency(tmp_path: Path) -> None:
    with CardTerminal(tmp_path / "books.jsonl", SystemClock()) as terminal:
        for number in range(3):
            pay(terminal.port, REFS[number], 1000 + number)
        with Client(terminal.port) as client:
            client.say({"do": "void", "ref": REFS[9], "original": REFS[1], "amountMinor": 1001, "currency": "EUR"})
            assert client.result()["outcome"] == "approved"
        with Client(terminal.port) as client:
            assert client.ask({"do": "totals"})["totals"] == [{"currency": "EUR", "payments": 3, "paymentsMinor": 3003, "voids": 1, "voidsMinor": 1001}]
        assert terminal.ledger.charged_minor("EUR") == 2002


def test_a_customer_who_takes_a_while_is_said_again_and_again(tmp_path: Path) -> None:
    with CardTerminal(tmp_path / "books.jsonl", SystemClock()) as terminal, Client(terminal.port) as client:
        terminal.plan(Plan(hold="present_card"))
        client.say({"do": "payment", "ref": REFS[1], "amountMinor": 1000, "currency": "EUR"})
        assert [client.hear()["step"] for _ in range(2)] == ["present_card"] * 2
        assert terminal.wait(lambda there: there.payment is not None and there.payment.step == "present_card")
        terminal.release()
        assert client.result()["outcome"] == "approved"
        wait_until(lambda: terminal.payment is None, "idle")
