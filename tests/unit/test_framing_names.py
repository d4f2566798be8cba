"""Bytes by name and AIM identifiers: the small parsers around framing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.framing.aim import AimRule, split_aim
from drivers.framing.named_bytes import BYTES_MAX, parse_bytes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cr", b"\r"),
        ("LF", b"\n"),
        ("CrLf", b"\r\n"),
        ("etx", b"\x03"),
        ("stx", b"\x02"),
        ("tab", b"\t"),
        ("gs", b"\x1d"),
        ("us", b"\x1f"),
        (r"\x0d\x0a", b"\r\n"),
        ("*", b"*"),
        (r"A\x42C", b"ABC"),
        (r"\x63\x72", b"cr"),
        ("", b""),
    ],
)
def test_bytes_are_named_as_a_configuration_writes_them(text: str, expected: bytes) -> None:
    assert parse_bytes(text) == expected


@pytest.mark.parametrize("text", ["\r", "é", "\\", r"\x1", r"\n", "x" * (BYTES_MAX + 1)])
def test_what_names_no_bytes_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"bytes|character's name"):
        parse_bytes(text)


@given(data=st.binary(max_size=BYTES_MAX))
def test_any_bytes_can_be_named(data: bytes) -> None:
    assert parse_bytes("".join(f"\\x{value:02x}" for value in data)) == data


@pytest.mark.parametrize("aim", ["]E0", "]E4", "]C1", "]e0", "]d2", "]Q3", "]A0", "]L2", "]z0", "]Z6", "]X0", "]J1"])
def test_assigned_identifiers_are_found_by_themselves(aim: str) -> None:
    assert split_aim(aim.encode() + b"4006381333931", AimRule.AUTO) == (aim, b"4006381333931")


@pytest.mark.parametrize("data", [b"]", b"]E", b"]a0x", b"]E-4006", b"E04006381333931", b"x]E0", b"]\xff0", b""])
def test_what_only_looks_like_one_stays_content(data: bytes) -> None:
    assert split_aim(data, AimRule.AUTO) == ("", data)


def test_always_splits_unassigned_letters_too_and_never_splits_nothing() -> None:
    assert split_aim(b"]y0abc", AimRule.ALWAYS) == ("]y0", b"abc")
    assert split_aim(b"]E0abc", AimRule.NEVER) == ("", b"]E0abc")


@given(data=st.binary(max_size=50), rule=st.sampled_from(AimRule))
def test_nothing_is_lost_and_nothing_raises(data: bytes, rule: AimRule) -> None:
    aim, rest = split_aim(data, rule)
    assert aim.encode() + rest == data
