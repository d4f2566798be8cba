"""``--help`` of what is run by hand lists everything that can be typed into it."""

from __future__ import annotations

import ast
import inspect
from types import ModuleType

import pytest

from drivers.simulators import _printer_lines, _tag_lines, card_terminal, nfc_udp, pn532, receipt_printer, serial_scanner
from drivers.simulators._tags_type2 import Type2Tag
from drivers.simulators.tags import tag_by_name
from edge_agent.clock import SystemClock, SystemRandom
from tests.bench import __main__ as bench


def typed(module: ModuleType) -> set[str]:
    """The fixed words that ``obey`` compares a typed line with."""
    (obey,) = (node for node in ast.parse(inspect.getsource(module)).body if isinstance(node, ast.FunctionDef) and node.name == "obey")
    patterns = [case.pattern for match in ast.walk(obey) if isinstance(match, ast.Match) for case in match.cases]
    values = (node.value for pattern in patterns for node in ast.walk(pattern) if isinstance(node, ast.MatchValue))
    return {value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)} - {""}


def helped(main: object, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])  # type: ignore[operator]  # each of them takes its arguments
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("module", "commands"),
    [
        (serial_scanner, serial_scanner),
        (card_terminal, card_terminal),
        (nfc_udp, _tag_lines),
        (pn532, _tag_lines),
        (receipt_printer, _printer_lines),
    ],
)
def test_the_help_of_a_simulator_lists_what_can_be_typed(module: ModuleType, commands: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    words = typed(commands)
    shown = helped(module.main, capsys)
    assert words
    assert {word for word in words if word not in shown} == set()


def test_the_benches_help_runs_none_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    shown = helped(bench.main, capsys)
    assert "hot_path" in shown
    assert "ratios" not in shown
    with pytest.raises(SystemExit):
        bench.main(["no-such-bench"])


def test_what_is_typed_to_a_printer_turns_its_switches() -> None:
    with receipt_printer.ReceiptPrinterSimulator(SystemClock()) as printer:
        for typed_line, is_so in (
            ("!paper out", lambda: printer.switches.paper_out),
            ("!paper low", lambda: printer.switches.paper_low and not printer.switches.paper_out),
            ("!paper in", lambda: not printer.switches.paper_low),
            ("!cover open", lambda: printer.switches.cover_open),
            ("!cover closed", lambda: not printer.switches.cover_open),
            ("!error", lambda: printer.switches.error),
            ("!repaired", lambda: not printer.switches.error),
            ("!stuck", lambda: printer.switches.stuck),
            ("!loose", lambda: not printer.switches.stuck),
            ("!offline", lambda: printer.switches.offline),
            ("!online", lambda: not printer.switches.offline),
        ):
            assert _printer_lines.obey(printer, typed_line) == f"done: {typed_line}"
            assert is_so(), typed_line
        assert _printer_lines.obey(printer, "paper") == _printer_lines.COMMANDS.rstrip()


def test_a_tag_with_a_fixed_number_is_held_to_a_reader_by_hand() -> None:
    tag = tag_by_name("uid 0479A062C776F6", SystemRandom())
    assert isinstance(tag, Type2Tag)
    assert [tag_by_name(words, SystemRandom()) for words in ("uid", "uid 0479", "uid 0479A062C776FX")] == [None] * 3
