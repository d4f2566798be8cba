"""Readings for tests: a scan, something typed, a tag, and what each is understood to be or refused as."""

from __future__ import annotations

import pytest

from edge_agent.domain import code_refusal
from edge_agent.domain.code import DEFAULT_RULES, Code, CodeRules, GtinCode, understand
from edge_agent.domain.errors import CodeInvalid
from edge_agent.domain.reading import Reading, Source, TagKind
from tests.support_symbols import READ_AT_MS

ARTICLE = GtinCode("04006381333931", "4006381333931")
US = CodeRules.parse({"upc_market": True, "weighed": {"price": "2.....*{NNDD}"}}, currency="USD")


def scanned(payload: bytes, aim: str = "", rules: CodeRules = DEFAULT_RULES) -> Code:
    return understand(Reading(payload, "scanner", READ_AT_MS, aim=aim), rules)


def keyed(text: str, rules: CodeRules = DEFAULT_RULES) -> Code:
    return understand(Reading(text.encode(), "keyboard", READ_AT_MS, Source.KEYED), rules)


def tapped(payload: bytes, tag: TagKind) -> Code:
    return understand(Reading(payload, "nfc", READ_AT_MS, Source.NFC, tag=tag))


def outcome(reading: Reading, rules: CodeRules) -> Code | CodeInvalid:
    try:
        return understand(reading, rules)
    except CodeInvalid as error:
        return error


def refused(payload: bytes, aim: str = "", rules: CodeRules = DEFAULT_RULES) -> CodeInvalid:
    with pytest.raises(CodeInvalid) as caught:
        scanned(payload, aim, rules)
    assert caught.value.hint == code_refusal.HINTS[caught.value.reason]
    return caught.value
