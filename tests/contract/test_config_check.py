"""A configuration that is wrong is told on the command line: the file, the key, what was expected and what is there, every mistake at once."""

from __future__ import annotations

import pytest

from tests.support_command_line import configured, edge_agent


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("state = 5\n", "key 'state': expected a text, got 5."),
        (
            "bogus = 1\n",
            "key 'bogus': expected one of state, connector, central_ca, disk_warn_mb, api, receipts, till, tenders, devices, terminals, codes, "
            "got an unknown key.",
        ),
        ("[api]\nport = 99999\n", "key 'api.port': expected a whole number <= 65535, got 99999."),
        ("state = 'till'\n", "key 'state': expected the whole path of a folder, got 'till'."),
        ("state = ''\n", "key 'state': expected the whole path of a folder, got ''."),
        ("[api]\nsocket = 'api.sock'\n", "key 'api.socket': expected the whole path of a file, got 'api.sock'."),
        ("[api]\nsocket = ''\n", "key 'api.socket': expected the whole path of a file, got ''."),
        ("[api]\nport = 0\n", "key 'api.port': expected a whole number >= 1, got 0."),
        (
            "[[tenders]]\nkind = 'cash'\n[[tenders]]\nkind = 'cash'\n",
            "[[tenders]] number 2: key 'kind': expected another way of paying, got cash again, which is number 1.",
        ),
        ("[till]\ntheme = 'pink'\n", "key 'till.theme': expected one of auto, dark, light, contrast, sixteen, got 'pink'."),
        ("[devices.x]\nkind = 'teapot'\n", "teapot"),
        ("[devices.scanner]\nkind = 'serial_scanner'\nport = '/dev/x'\nbuad = 1\n", "buad"),
        ("[[tenders]]\nkind = 'barter'\n", "barter"),
        ("[[tenders]]\nkind = 'card_terminal'\nterminal = 'nowhere'\n", "nowhere"),
        (
            "[[tenders]]\nkind = 'cash'\n[[tenders]]\nkind = 'card_terminal'\n",
            "[[tenders]] number 2: key 'terminal': expected the name of a [terminals.NAME] section, got nothing.",
        ),
        (f"state = '/{'x' * 110}'\n", "[api] socket: expected a path of at most 107 bytes, got /xxx"),
        ("[[devices]]\nname = 'scanner'\n", "key 'devices': expected a table, got a list of tables ([[devices]])."),
        ("tenders = []\n", "key 'tenders': expected at least one way of paying, got an empty list."),
        ("till = {language = {de = 1}}\n", "key 'till.language': expected one of auto, en, de, got a table."),
        ("this is not toml\n", "expected TOML"),
        ("[codes.prefixes]\nloyalty = 7\n", "[codes.prefixes] loyalty: expected a text or a list of texts, got 7."),
        ("[codes]\ncurrency = 'EUR'\n", "[codes] currency: expected one of weighed, prefixes, first, expects_aim, upc_market, separators, got 'currency'."),
        (
            "[codes.weighed]\nweight = '22.....{NNDDD}'\nprice = '22.....{NNNDD}'\n",
            "[codes.weighed] price: expected codes of its own, none of those of [codes.weighed] weight = '22.....{NNDDD}', got '22.....{NNNDD}'.",
        ),
        (
            "[codes.prefixes]\nloyalty = 'LOY{9:8}'\ncart = 'LOY{9:8}'\n",
            "[codes.prefixes] cart: expected codes of its own, none of those of [codes.prefixes] loyalty = 'LOY{9:8}', got 'LOY{9:8}'.",
        ),
    ],
)
def test_a_wrong_configuration_names_file_key_expected_and_got(content, told, tmp_path):
    config = tmp_path / "edge.toml"
    config.write_text(content)
    done = edge_agent(config, "config", "check")
    assert done.returncode == 1
    assert told in done.stderr
    assert done.stderr.startswith(f"error: {config}")
    assert "Traceback" not in done.stderr


MANY_MISTAKES = """
state = 5
connector = "shopify"
bogus = 1
[api]
group = "no-such-group-here"
port = 7780
socket = "/tmp/api.sock"
[[tenders]]
kind = "barter"
[[tenders]]
kind = "card_terminal"
terminal = "nowhere"
[[tenders]]
terminal = "desk"
[devices]
broken = 7
[devices.left]
kind = "serial_scanner"
port = "/dev/ttyUSB7"
[devices.right]
kind = "serial_scanner"
port = "/dev/ttyUSB7"
[devices.both]
kind = "serial_scanner"
port = "/dev/ttyUSB8"
usb = "0c2e:0206"
terminator = "enter"
parity = "X"
[devices.printer]
kind = "receipt_printer"
host = "192.0.2.30"
socket = "/run/printer"
[codes]
currency = "euro"
[codes.prefixes]
loyalty = 7
cart = "{"
"""
"""Each of them once, and none of them hidden by another."""


def test_every_mistake_is_told_at_once(tmp_path):
    config = tmp_path / "edge.toml"
    config.write_text(MANY_MISTAKES)
    done = edge_agent(config, "config", "check")
    assert (done.returncode, done.stdout) == (1, "")
    *lines, hint = done.stderr.splitlines()
    assert all(line.startswith(f"error: {config}") and ": expected " in line.replace(" group: expected", ": expected") for line in lines)
    told = [line.removeprefix(f"error: {config}").partition("expected")[0].strip(" :") for line in lines]
    assert told == [
        "key 'state'",
        "key 'bogus'",
        "[[tenders]] number 3: key 'kind'",
        "key 'devices.broken'",
        "key 'api.port'",
        "key 'connector'",
        "[devices.both]: port",
        "[devices.both]: parity",
        "[devices.both]: terminator",
        "[devices.printer]: socket",
        "[devices.right]: port",
        "[[tenders]] number 1: key 'kind'",
        "[[tenders]] number 2: key 'terminal'",
        "[codes] currency",
        "[codes.prefixes] loyalty",
        "[codes.prefixes] cart",
    ]
    assert hint == f"  {len(lines)} mistakes. The handbook's example has every key."
    for command in ("run", "status"):
        assert edge_agent(config, command).stderr.splitlines()[-1] == hint, command
    config.write_text(MANY_MISTAKES.replace("port = 7780", 'port = "7780"').replace('port = "/dev/ttyUSB7"', 'port = "/dev/ttyUSB7"\nbaud = "x"'))
    more = edge_agent(config, "config", "check").stderr  # mistaken besides, and still told
    assert "key 'api.port': expected either a port or a socket, got both." in more
    assert "key 'api.port': expected a whole number" in more
    assert "[devices.right]: port: expected another one than 'left' has, got " in more
    config.write_text(MANY_MISTAKES.replace("port = 7780", ""))
    assert "[api] group: expected a group of this computer, got 'no-such-group-here'." in edge_agent(config, "config", "check").stderr


ENTRIES = [
    ("[[tenders]]\nknd = 'cash'\n", ["[[tenders]] number 1: key 'knd': expected one of kind, terminal, got an unknown key."]),
    ("[[tenders]]\nterminal = 'desk'\n", ["[[tenders]] number 1: key 'kind': expected a value, got nothing."]),
    (
        "[[tenders]]\nknd = 'cash'\n[[tenders]]\nkind = 'cash'\nbogus = 1\n[[tenders]]\nkind = 5\n[[tenders]]\nkind = 'cash'\n",
        [
            "[[tenders]] number 1: key 'knd': expected one of kind, terminal, got an unknown key.",
            "[[tenders]] number 2: key 'bogus': expected one of kind, terminal, got an unknown key.",
            "[[tenders]] number 3: key 'kind': expected a text, got 5.",
            "[[tenders]] number 4: key 'kind': expected another way of paying, got cash again, which is number 2.",
        ],
    ),
    ("tenders = [7, {kind = 'barter'}]\n", ["[[tenders]] number 1: expected a table, got 7.", "[[tenders]] number 2: key 'kind': expected one of "]),
    ("[receipts]\nheader = [1, 'x', 2]\n", [f"key 'receipts.header' number {at}: expected a text, got {got}." for at, got in ((1, 1), (3, 2))]),
]


@pytest.mark.parametrize(("content", "told"), ENTRIES)
def test_an_entry_of_a_list_is_named_by_its_place_in_the_file_and_told_of_once(content, told, tmp_path):
    config = tmp_path / "edge.toml"
    config.write_text(content)
    lines = [line for line in edge_agent(config, "config", "check").stderr.splitlines() if line.startswith("error: ")]
    assert [line.removeprefix(f"error: {config}").lstrip(": ")[: len(wanted)] for line, wanted in zip(lines, told, strict=True)] == told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (bytes(range(256)), "expected TOML as text in UTF-8"),
        (b"#" * 300_000, "expected at most 262144 bytes, got 300000"),
        (None, "Is a directory"),
        (b"x = 1\ny = [\n1,\n\n", "(at line 3, the last)"),
        (b"x = 1\ny 2\n", "(at line 2, column 3)"),
    ],
)
def test_what_cannot_be_read_at_all_is_said_so(content, told, tmp_path):
    config = tmp_path / "edge.toml"
    if content is None:
        config.mkdir()
    else:
        config.write_bytes(content)
    done = edge_agent(config, "config", "check")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {config}: expected ")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [("run",), ("enrol", "http://127.0.0.1:9", "CODE"), ("config", "check"), ("till", "--standalone")])
def test_a_file_in_the_state_folder_s_place_is_told(command, tmp_path):
    (tmp_path / "a").touch()
    done = edge_agent(configured(tmp_path, "a"), *command)
    assert done.returncode == 1
    assert f"error: {tmp_path / 'a.toml'}: key 'state': expected a folder, got the file {tmp_path / 'a'}." in done.stderr
