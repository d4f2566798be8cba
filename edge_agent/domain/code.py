"""A reading understood: one resolver for everything that can be scanned, tapped or typed.

``understand`` tries in this order and takes the first that answers; there are no modes:

====  =====================================================  ===============================================================================
step  what came                                              becomes
====  =====================================================  ===============================================================================
1     a tag without usable text                              TagUid, or refused: ``random_uid``, ``bank_card``, ``unreadable``
2     nothing, too much, control characters                  refused: ``empty``, ``too_long``, ``characters``
3     a payment card's stripe (never from an EAN/UPC)        refused: ``card_data``
4     text that a template of the shop matches               LoyaltyCode, CartCode, OrderCode ... (a template that also takes digits: step 8)
5     an EAN/UPC symbol by its AIM identifier (``]E``)       step 8, with the lengths that symbol can have
6     a web link                                             GtinCode when it is a GS1 Digital Link to an article, else Unrecognised
7     an element string: a GS1 carrier by its AIM            GtinCode; without a GTIN in it, its bracketed form ``(8018)...`` is tried at
      identifier, or GS, brackets, 01 and a right GTIN       step 4; else Unrecognised (from digits alone: after 8.4)
      at its beginning
8     digits alone:
8.1   a template marked ``first``                            LoyaltyCode ...
8.2   a right check digit and a pattern of a scale           WeighedCode
8.3   a right check digit in 8, 12, 13 or 14 digits          GtinCode (8 digits: ``]E4`` EAN-8, ``]E0`` UPC-E, else whichever is right)
8.4   a template of digits not marked ``first``              LoyaltyCode ...
8.5   6 digits in a market of UPC (always from ``]E0``)      GtinCode of the expanded UPC-E
8.6   a payment card's number of 14 digits or more           refused: ``card_data``
8.7   8, 12, 13 or 14 digits                                 refused: ``check_digit``, with the digit that was expected
9     anything else                                          Unrecognised
====  =====================================================  ===============================================================================

A template without at least four digits of its own at its beginning never takes a payment card's number (steps 8.1 and 8.4). What a person
typed may hold spaces and hyphens anywhere. Sources: ISO/IEC 15424 (AIM identifiers), GS1 General Specifications 5.1.2 (which of them GS1
uses), the modules that do the work.
"""

from __future__ import annotations

import re

from msgspec import Struct

from edge_agent.domain.card_data import has_track, is_card_number, shown_text
from edge_agent.domain.code_refusal import refuse
from edge_agent.domain.code_rules import (
    DEFAULT_RULES,
    CartCode,
    CodeRules,
    CouponCode,
    GiftCardCode,
    LoyaltyCode,
    OrderCode,
    OwnCode,
    PrefixRule,
    ReceiptCode,
    StaffCode,
)
from edge_agent.domain.errors import CodeInvalid
from edge_agent.domain.gs1 import GS, article, bracketed, digital_link_elements, elements_of, looks_like_elements
from edge_agent.domain.gtin import GTIN_LENGTHS, GtinCode, gtin_code, is_gtin, is_upc_e, upc_e_code
from edge_agent.domain.money import digits as minor_digits_of
from edge_agent.domain.reading import Reading, Source, TagKind
from edge_agent.domain.weighed import WeighedCode, WeighedRule

__all__ = [
    "DEFAULT_RULES",
    "TEXT_CHARS_MAX",
    "CartCode",
    "Code",
    "CodeRules",
    "CouponCode",
    "GiftCardCode",
    "GtinCode",
    "LoyaltyCode",
    "OrderCode",
    "PrefixRule",
    "ReceiptCode",
    "StaffCode",
    "TagUid",
    "Unrecognised",
    "WeighedCode",
    "WeighedRule",
    "understand",
]

TEXT_CHARS_MAX = 2_048
"""A longer text is refused: no code of a shop and no link in use is as long."""


class TagUid(Struct, frozen=True):
    """The fixed identifier of a tag, upper-case hexadecimal: it identifies and never authenticates, since it can be copied."""

    uid: str


class Unrecognised(Struct, frozen=True):
    """Well-formed text that nothing here answers to; ``shown`` may be shown and logged (cut, and masked where it looks like a card)."""

    shown: str


Code = GtinCode | WeighedCode | OwnCode | TagUid | Unrecognised

_AIM = re.compile(r"\][A-Zc-eopsz][0-9A-Za-z]")
_CONTROLS = re.compile(r"[\x00-\x1c\x1e\x1f\x7f-\x9f]")  # GS is left to step 7
_BLANKS = " \t\r\n\ufeff"  # not GS, which str.strip() takes for white space
_UID = re.compile(r"(?:[0-9A-F]{2}){4,10}")
_ADD_ON = re.compile(r"\]E[12][0-9]{2,5}$")
_GS1_CARRIERS = frozenset({"]C1", "]e0", "]e1", "]e2", "]d2", "]Q3", "]J1"})
_SQUEEZE = str.maketrans("", "", " -\u00a0\t")


def understand(reading: Reading, rules: CodeRules = DEFAULT_RULES) -> Code:
    """What ``reading`` is, by the table above. Raises CodeInvalid and nothing else, whatever the bytes.

    >>> understand(Reading(b"4006381333931", "scanner", 0, aim="]E0"))
    GtinCode(gtin='04006381333931', shown='4006381333931', batch='', expiry='', serial='', grams=None, price_minor=None, count=None)
    >>> understand(Reading(b"loy 1234 5678", "keyboard", 0, Source.KEYED))
    LoyaltyCode(number='LOY12345678')
    """
    if reading.tag not in (None, TagKind.NDEF_TEXT, TagKind.NDEF_URI):
        return _tag(reading)
    aim, text = _text(reading, rules)
    keyed = reading.source is Source.KEYED
    is_retail = aim.startswith("]E")
    if not is_retail and has_track(text):
        raise _card_data()
    own = None if _is_digits(text) else _own(text, rules.text_rules, keyed=keyed)
    if own is not None:
        return own
    if is_retail:
        return _retail(aim, text, reading, rules)
    if text[:8].lower().startswith(("http://", "https://")):
        elements = digital_link_elements(text)
        return Unrecognised(shown_text(text)) if elements is None else _article(elements, reading, rules)
    digits = text.translate(_SQUEEZE) if keyed else text
    if aim not in _GS1_CARRIERS and _is_digits(digits):
        return _digits(digits, aim, reading, rules)
    message = _with_separators("".join(text.split(" ")) if keyed else text, aim, rules)
    if aim in _GS1_CARRIERS or looks_like_elements(message):
        return _article(elements_of(message), reading, rules)
    return _unrecognised(text)


def _text(reading: Reading, rules: CodeRules) -> tuple[str, str]:
    """The AIM identifier (or nothing) and the text of a reading, trimmed and free of control characters."""
    payload = reading.payload
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        text = payload.decode("latin-1")
    text = text.strip(_BLANKS)
    aim = reading.aim if _AIM.fullmatch(reading.aim) else ""
    if not aim and rules.expects_aim and reading.source is Source.BARCODE and (found := _AIM.match(text)):
        aim, text = found[0], text[3:].strip(_BLANKS)
    if not text.strip(GS):
        raise refuse("empty", "Invalid code: expected text, got none.")
    if len(text) > TEXT_CHARS_MAX:
        raise refuse("too_long", f"Invalid code: expected at most {TEXT_CHARS_MAX} characters, got {len(text)}.", limit=TEXT_CHARS_MAX, got=len(text))
    if found := _CONTROLS.search(text):
        raise refuse("characters", f"Invalid code: expected printable characters, got 0x{ord(found[0]):02X} at {found.start() + 1}.")
    return aim, text


def _tag(reading: Reading) -> TagUid:
    uid = reading.payload.decode("ascii", "replace")
    if reading.tag is TagKind.FIXED_UID and _UID.fullmatch(uid):
        if len(uid) != 8 or not uid.startswith("08"):  # ISO/IEC 14443-3: 08 begins a random identifier of four bytes
            return TagUid(uid)
        raise refuse("random_uid", "Invalid tag: expected a fixed number, got one that changes at each tap.")
    if reading.tag is TagKind.RANDOM_UID:
        raise refuse("random_uid", "Invalid tag: expected a fixed number, got one that changes at each tap.")
    if reading.tag is TagKind.BANK_CARD:
        raise refuse("bank_card", "Invalid tag: expected a card of the shop, got a payment card.")
    raise refuse("unreadable", "Invalid tag: expected a card of the shop, got one that could not be read.")


def _own(text: str, candidates: tuple[PrefixRule, ...], *, keyed: bool = False) -> OwnCode | None:
    found = (rule.read(text, keyed=keyed) for rule in candidates)
    return next((code for code in found if code is not None), None)


def _article(elements: dict[str, str], reading: Reading, rules: CodeRules) -> Code:
    code = article(elements, rules.currency, reading.at_ms)
    if code is not None:
        return code
    printed = bracketed(elements)
    return _own(printed, rules.text_rules) or _unrecognised(printed)


def _retail(aim: str, text: str, reading: Reading, rules: CodeRules) -> Code:
    """An EAN or UPC symbol. ``]E0`` and ``]E3`` have 13 digits; scanners set up to do so send UPC-A as 12 and UPC-E as 8, 7 or 6."""
    main = _ADD_ON.sub("", text)  # an add-on that was sent as a symbol of its own, behind the main one
    if not _is_digits(main):
        raise refuse("characters", f"Invalid EAN/UPC {shown_text(main)!r}: expected digits only.", value=shown_text(main))
    if aim in ("]E1", "]E2"):
        raise refuse("not_a_code", f"Invalid EAN/UPC {main!r}: expected the main symbol, got an add-on.", what="EAN/UPC", value=main)
    if aim == "]E3":
        main = main[: {15: 13, 18: 13, 14: 12, 17: 12}.get(len(main), len(main))]
    lengths = (8,) if aim == "]E4" else (13, 12, 8, 7, 6)
    if len(main) not in lengths:
        raise refuse("length", f"Invalid EAN/UPC {shown_text(main)!r}: expected {lengths[0]} digits, got {len(main)}.", expected=lengths[0], got=len(main))
    return _digits(main, aim, reading, rules)


def _digits(digits: str, aim: str, reading: Reading, rules: CodeRules) -> Code:
    """Step 8 of the table."""
    is_card = not aim.startswith("]E") and len(digits) != 13 and is_card_number(digits)  # of 13 digits, all are articles by now
    code = _claimed(digits, rules.first_rules, is_card) or _sold(digits, aim, rules) or _claimed(digits, rules.digit_rules, is_card)
    if code is not None:
        return code
    if looks_like_elements(digits):
        return _article(elements_of(digits), reading, rules)
    if len(digits) in (6, 7) and (aim.startswith("]E") or (rules.upc_market and len(digits) == 6)):
        return upc_e_code(digits)
    if is_card:
        raise _card_data()
    if len(digits) == 8 and (_must_be_upc_e(aim) or (rules.upc_market and aim != "]E4" and digits[0] in "01")):
        return upc_e_code(digits)  # raises, with the digit that was expected; so does the next line
    return gtin_code(digits) if len(digits) in GTIN_LENGTHS else Unrecognised(shown_text(digits))


def _claimed(digits: str, candidates: tuple[PrefixRule, ...], is_card: bool) -> OwnCode | None:
    """What the templates of digits make of it. A UPC-A sent with a leading zero is tried in both forms."""
    allowed = tuple(rule for rule in candidates if rule.template.names_issuer or not is_card)
    own = _own(digits, allowed)
    return own or (_own(digits[1:], allowed) if len(digits) == 13 and digits[0] == "0" else None)


def _sold(digits: str, aim: str, rules: CodeRules) -> GtinCode | WeighedCode | None:
    """The article or the scale's label of ``digits`` when their check digit is right."""
    if len(digits) == 8:
        is_ean = is_gtin(digits) and not _must_be_upc_e(aim)
        if aim != "]E4" and is_upc_e(digits) and (rules.upc_market or not is_ean):
            return upc_e_code(digits)
        return gtin_code(digits) if is_ean else None
    if not is_gtin(digits):
        return None
    if len(digits) < 14:
        found = (rule.read(digits.zfill(13), minor_digits_of(rules.currency)) for rule in rules.weighed)
        if weighed := next((label for label in found if label is not None), None):
            return weighed
    return gtin_code(digits)


def _must_be_upc_e(aim: str) -> bool:
    """Whether 8 digits from this symbology are a UPC-E: an EAN-8 has an identifier of its own."""
    return aim.startswith("]E") and aim != "]E4"


def _with_separators(text: str, aim: str, rules: CodeRules) -> str:
    """``text`` with GS where this shop's scanners send something else for it."""
    if not rules.separators or not (aim in _GS1_CARRIERS or text.startswith("01")):
        return text
    return text.translate(dict.fromkeys(map(ord, rules.separators), GS))


def _unrecognised(text: str) -> Unrecognised:
    compact = text.translate(_SQUEEZE)
    if _is_digits(compact) and is_card_number(compact):
        raise _card_data()
    return Unrecognised(shown_text(text))


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _card_data() -> CodeInvalid:
    return refuse("card_data", "Invalid code: expected a code of the shop, got payment card data.")
