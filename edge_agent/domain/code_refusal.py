"""Why a reading cannot be used: each reason with what to do about it, and the one way to say so."""

from __future__ import annotations

from edge_agent.domain.errors import CodeInvalid

_AGAIN = "Scan it again, or type the digits that are printed under the bars."
_OTHER = "Scan another barcode of the article, or find it by name."

HINTS: dict[str, str] = {
    "empty": "Scan or tap again.",
    "unreadable": "Hold the card or tag still on the reader until it answers, or type its number.",
    "length": _AGAIN,
    "too_long": _OTHER,
    "characters": _OTHER,
    "check_digit": _AGAIN,
    "not_a_code": "Scan the main barcode of the article.",
    "element_string": _OTHER,
    "separator_lost": "Scan another barcode of the article. If all of this kind fail, let the scanner send the GS (FNC1) separator.",
    "conflict": _OTHER,
    "date": _OTHER,
    "amount": "Weigh the article again, or find it by name.",
    "currency": "Find the article by name; its label was printed for another market.",
    "digital_link": _OTHER,
    "card_data": "Take payment cards at the card terminal only; nothing of this was kept.",
    "bank_card": "This is a payment card: use it at the card terminal. For the customer, ask for the loyalty card, the phone number or the name.",
    "random_uid": "A phone shows a new number at each tap: open the loyalty card in the phone and scan its code, or ask for the phone number or the name.",
    "quantity": "Type a number of pieces (3) or a weight (0,412 kg or 412 g).",
}
"""Every ``reason`` that a ``CodeInvalid`` of this package carries, with its English hint; screens translate by the same keys."""


def refuse(reason: str, message: str, **shown: object) -> CodeInvalid:
    """The error to raise for ``reason`` (a key of HINTS); ``shown`` are the values of the message by name.

    >>> refuse("empty", "Nothing was read.").key
    'code_invalid.empty'
    """
    return CodeInvalid(message, hint=HINTS[reason], reason=reason, **shown)
