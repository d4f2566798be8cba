"""Whatever bytes stand in a register's configuration: a configuration, or a ConfigError with a hint."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given
from hypothesis import strategies as st

from edge_agent.config import Config, load_config
from edge_agent.domain.errors import ConfigError
from tests.support_bytes import (
    mutated_bytes,
    mutated_tree,
)

TOML = b"""state = "/var/lib/edge"
connector = "http"
[api]
port = 8080
[receipts]
header = ["Berlin Mitte"]
[[tenders]]
kind = "card_terminal"
terminal = "t1"
[devices.scanner]
kind = "serial_scanner"
baud = 9600
since = 2026-11-22T10:00:00Z
[codes]
separators = "@"
[codes.weighed]
weight = "21.....{NNDDD}"
[codes.prefixes]
loyalty = ["LOY{9:8-12}", "https://shop.example/l/{id}"]
[codes.first]
gift_card = "9999{9:12}"
"""
CONTENT: dict[str, object] = {
    "state": "", "connector": "http", "api": {"port": 1}, "receipts": {"header": ["x"]}, "tenders": [{"kind": "cash"}], "devices": {"s": {"kind": "x", "n": 1}},
    "codes": {
        "separators": "@", "expects_aim": True, "weighed": {"weight": "21.....{NNDDD}", "price": ["22.....{NNNDD}"]},
        "prefixes": {"loyalty": ["LOY{9:8-12}"], "cart": "https://shop.example/cart/{id}"},
    },
}  # fmt: skip
PATTERNS = st.text("#{}[]9AXBW:-0123.NDx/htps?é\x00²", max_size=16)


def read(body: bytes) -> None:
    """The configuration in a file of these bytes and what is made of it, or a ConfigError with a hint."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "edge.toml"
        path.write_bytes(body)
        try:
            found = load_config(path)
            found.code_rules()
        except ConfigError as error:
            assert error.hint
        else:
            assert isinstance(found, Config)


def as_toml(value: object) -> str:
    """A value as TOML writes it in one line; there is no null, so that a key without a value is left out."""
    match value:
        case dict():
            return "{" + ", ".join(f"{as_toml(str(key))} = {as_toml(inner)}" for key, inner in value.items() if inner is not None) + "}"
        case list():
            return "[" + ", ".join(as_toml(inner) for inner in value if inner is not None) + "]"
        case str():
            return json.dumps(value)
        case bool():
            return str(value).lower()
        case _:
            return repr(value)


@given(mutated_bytes(TOML) | st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@example(b"a = " + b"[" * 5_000)
@example(b"a = " + b"9" * 5_000)
@example(b"a = 0000-99-99")
def test_a_configuration_file_is_read_or_said_to_be_wrong(body: bytes) -> None:
    read(body)


@given(mutated_tree(CONTENT).filter(lambda made: isinstance(made, dict)))
def test_a_configuration_of_other_values_is_read_or_said_to_be_wrong(content: dict[str, object]) -> None:
    read("".join(f"{as_toml(key)} = {as_toml(value)}\n" for key, value in content.items() if value is not None).encode())


@given(st.sampled_from(["prefixes", "first", "weighed"]), st.sampled_from(["loyalty", "cart", "weight", "price", "count"]), PATTERNS)
def test_a_pattern_of_the_shop_is_read_or_said_to_be_wrong(table: str, kind: str, pattern: str) -> None:
    read(f"[codes.{table}]\n{kind} = {as_toml(pattern)}\n".encode())
