"""What may be kept of a terminal's word about a card: an allow-list of eight members, bounded and masked; nothing else is ever read.

Source: PCI DSS 3.3 and 3.4: no full number, track, CVV or PIN in any form; last four digits for
people. A number that looks like a card's inside a text that may be kept is masked as well: it means the first line failed. A
provider's reference is left alone when it has a letter, as the protocol promises: one of ten references of digits looks like a card.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from edge_agent.domain.card_data import masked_text
from edge_agent.domain.tender import CardResult

TEXT_CHARS_MAX = 64
"""Of a longer text the rest is dropped."""
RECEIPT_LINES_MAX = 60
"""Of more receipt lines the rest is dropped."""

_LAST_FOUR = re.compile(r"[0-9]{4}")
_REFERENCE = re.compile(r"(?=[^A-Za-z]*[A-Za-z])[0-9A-Za-z._-]{1,64}")
_TEXTS = {
    "approval": "approval",
    "brand": "brand",
    "entry_mode": "entryMode",
    "verification": "verification",
    "merchant_account": "merchantAccount",
}


def card_result(card: object) -> CardResult:
    """The part of a ``card`` member that may be kept; empty where it is missing or of another type.

    >>> kept = card_result({"brand": "girocard", "lastFour": "4711", "pan": "4111111111111111", "providerRef": "P0000123456"})
    >>> kept == CardResult(provider_ref="P0000123456", brand="girocard", last_four="4711")
    True
    >>> kept = card_result({"lastFour": "4111111111111111", "brand": 7, "approval": "4111111111111111", "receiptLines": ["Karte 4111111111111111"]})
    >>> kept.last_four, kept.brand, kept.approval, kept.receipt_lines
    ('', '', '************1111', ('Karte ************1111',))
    """
    members: Mapping[str, object] = card if isinstance(card, dict) else {}
    last_four, lines = members.get("lastFour"), members.get("receiptLines")
    reference = members.get("providerRef")
    return CardResult(
        provider_ref=reference if isinstance(reference, str) and _REFERENCE.fullmatch(reference) else _text(reference),
        **{field: _text(members.get(member)) for field, member in _TEXTS.items()},
        last_four=last_four if isinstance(last_four, str) and _LAST_FOUR.fullmatch(last_four) else "",
        receipt_lines=tuple(_text(line) for line in lines[:RECEIPT_LINES_MAX]) if isinstance(lines, list) else (),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        return ""
    # Masked before it is cut: a number that the cut would divide is still seen whole, up to twice the limit.
    masked = masked_text(value[: 2 * TEXT_CHARS_MAX])[:TEXT_CHARS_MAX]
    return "".join(char if char.isprintable() else " " for char in masked)
