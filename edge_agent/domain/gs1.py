"""GS1 element strings (GS1-128, DataBar, GS1 DataMatrix and QR) and GS1 Digital Link, through biip behind our own checks.

biip cuts a message into element strings and knows what each may hold. It accepts more than the GS1 General Specifications do, so this is
checked here: an open-ended element must be closed by GS (a scanner that drops it would otherwise glue elements together or cut them
apart unseen, wherever that can be told: a lot number that swallowed what follows it without exceeding 20 characters cannot), empty
values, check digits of every key, dates, repeated and excluding identifiers, GTINs and keys of a Digital Link.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Mapping
from datetime import date
from urllib.parse import parse_qsl, urlsplit

from edge_agent.domain.card_data import shown_text
from edge_agent.domain.code_refusal import refuse
from edge_agent.domain.gs1_library import library
from edge_agent.domain.gtin import GTIN_LENGTHS, GtinCode, gtin_shown, verify_check_digit
from edge_agent.domain.money import digits as minor_digits_of
from edge_agent.domain.money import divide_half_up
from edge_agent.domain.weighed import bounded_count, bounded_grams, minor_of

GS = "\x1d"
"""The group separator: what a scanner sends for FNC1 after an element string of open length."""

Elements = dict[str, str]
"""Values by application identifier, in the order they were read."""

# Keys with a check digit, and how many digits it closes (GS1 Barcode Syntax Dictionary, "csum").
_CHECKED = {"00": 18, "01": 14, "02": 14, "03": 14, "253": 13, "255": 13, "402": 17, "8003": 14, "8006": 14, "8017": 18, "8018": 18, "8026": 14}
_CHECKED |= {f"41{digit}": 13 for digit in range(8)}

# Dates as (offset, whether day 00 may stand for the end of the month) ("yymmd0" and "yymmdd" there).
_DATES: dict[str, tuple[tuple[int, bool], ...]] = dict.fromkeys(("11", "12", "13", "15", "16", "17", "4324", "4325"), ((0, True),))
_DATES |= dict.fromkeys(("4326", "7003", "7006", "7011", "8008"), ((0, False),)) | {"7007": ((0, False), (6, False))}

# What must not stand beside an article's GTIN ("ex"): it would say that the symbol is on something else.
_NOT_WITH_GTIN = ("02", "255", "37", "8006")

# Net weight in grams of one unit, as a fraction: kilograms; avoirdupois pounds and troy ounces by their definitions.
_GRAMS = {"310": (1000, 1), "320": (45_359_237, 100_000), "356": (311_034_768, 10_000_000)}

# ISO 4217 numeric codes, as AI 393n writes them.
_CURRENCY_NUMBERS = {
    "AED": "784", "AUD": "036", "BGN": "975", "BRL": "986", "CAD": "124", "CHF": "756", "CNY": "156", "CZK": "203", "DKK": "208", "EUR": "978",
    "GBP": "826", "HKD": "344", "HUF": "348", "ILS": "376", "INR": "356", "ISK": "352", "JPY": "392", "KRW": "410", "KWD": "414", "MXN": "484",
    "MYR": "458", "NOK": "578", "NZD": "554", "PLN": "985", "RON": "946", "RSD": "941", "SAR": "682", "SEK": "752", "SGD": "702", "THB": "764",
    "TRY": "949", "TWD": "901", "UAH": "980", "USD": "840", "ZAR": "710",
}  # fmt: skip

_CHARACTERS = re.compile(r"[!\"%-?A-Z_a-z#\x1d]*")  # GS1 character sets 82 and 39, General Specifications 7.11
_BRACKETED = re.compile(r"(?:\([0-9]{2,4}\)[^()]+)+")
_BRACKETED_ELEMENT = re.compile(r"\(([0-9]{2,4})\)([^()]+)")
_LINK_GTIN = re.compile(r"(https?://[^/?#]+)(?:/[^?#]*?)??/01/([0-9]{8,})(?=[/?#]|$)", re.IGNORECASE)
_MS_PER_YEAR = 31_556_952_000


def looks_like_elements(text: str) -> bool:
    """Whether a text that came without an AIM identifier is an element string: it holds GS, brackets, or begins with 01 and a right GTIN.

    An EAN-13 never does: a 13-digit number may begin with any identifier's digits and mean none.
    """
    if GS in text or _BRACKETED.fullmatch(text):
        return True
    gtin = text[2:16]
    return text.startswith("01") and len(gtin) == 14 and gtin.isascii() and gtin.isdigit() and library().check_digit(gtin[:-1]) == int(gtin[-1])


def elements_of(text: str) -> Elements:
    """The element strings of ``text``, as scanned (with GS) or as printed below the symbol (in brackets). Raises CodeInvalid."""
    if _BRACKETED.fullmatch(text):
        pairs = [(ai, _only(f"{ai}{value}", ai)) for ai, value in _BRACKETED_ELEMENT.findall(text)]
        return _verified(pairs)
    if not _CHARACTERS.fullmatch(text):
        raise refuse("characters", "Invalid GS1 element string: expected GS1 characters and GS only, got another.")
    pairs = []
    rest = text.removeprefix(GS)
    if not rest:
        raise refuse("empty", "Invalid GS1 element string: expected an identifier with its data, got none.")
    while rest:
        try:
            element = library().element.extract(rest, config=library().config)
        except library().refusals:
            raise _broken(pairs, rest) from None
        pairs.append((element.ai.ai, element.value))
        rest = rest[len(element) :]
        if rest.startswith(GS):
            rest = rest[1:]
        elif rest and element.ai.separator_required:
            raise refuse("separator_lost", f"Invalid GS1 element string: expected GS after ({element.ai.ai}), got {shown_text(rest)!r}.", ai=element.ai.ai)
    return _verified(pairs)


def digital_link_elements(url: str) -> Elements | None:
    """The element strings of a GS1 Digital Link to an article on any domain; None for any other link. Raises CodeInvalid.

    The standard wants 14 digits since version 1.2; links printed before with 8, 12 or 13 are still about and are read, others not.
    """
    found = _LINK_GTIN.match(url)
    if not found:
        return None
    gtin = found[2]
    if len(gtin) not in GTIN_LENGTHS:
        raise refuse("digital_link", f"Invalid GS1 Digital Link: expected a GTIN of 14 digits, got {len(gtin)}.", expected=14, got=len(gtin))
    verify_check_digit(gtin, f"GTIN-{len(gtin)}")
    try:
        link = library().link.parse(f"{found[1]}/01/{gtin.zfill(14)}{url[found.end() :]}", config=library().config)
        query = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    except library().refusals:
        raise refuse("digital_link", "Invalid GS1 Digital Link: expected batch, serial and other keys as the standard has them, got others.") from None
    path = [(element.ai.ai, element.value) for element in link.element_strings]
    return _verified([*path, *((key, _query_value(key, value)) for key, value in query if key.isascii() and key.isdigit())])


def bracketed(elements: Mapping[str, str]) -> str:
    """The elements as they are printed below a symbol: ``(01)04006381333931(10)A1``."""
    return "".join(f"({ai}){value}" for ai, value in elements.items())


def article(elements: Elements, currency: str, at_ms: int) -> GtinCode | None:
    """The article of ``elements`` with what they say about this piece; None when they name no GTIN. Raises CodeInvalid.

    ``currency`` is the register's (ISO 4217); ``at_ms`` (when it was read) gives two-digit years their century.
    """
    for ai, places in _DATES.items():
        value = elements.get(ai, "")
        for offset, end_of_month in places:
            if len(value) > offset:
                _date(ai, value[offset : offset + 6], end_of_month, at_ms)
    gtin = elements.get("01")
    if gtin is None:
        return None
    for ai in _NOT_WITH_GTIN:
        if ai in elements:
            raise refuse("conflict", f"Invalid GS1 element string: expected ({ai}) not to stand beside (01).", ai=ai)
    expiry = elements.get("17") or elements.get("7003", "")[:6]
    return GtinCode(
        gtin,
        gtin_shown(gtin),
        batch=elements.get("10", ""),
        expiry=_date("17", expiry, True, at_ms).isoformat() if expiry else "",
        serial=elements.get("21", ""),
        grams=_grams(elements),
        price_minor=_price_minor(elements, currency),
        count=bounded_count(int(elements.get("30", "0"))),
    )


def _only(element: str, ai: str) -> str:
    """The value of exactly one element string that must be of ``ai``."""
    try:
        parsed = library().element.parse(element, config=library().config)
    except library().refusals:
        raise refuse("element_string", f"Invalid GS1 element string: expected data of ({ai}), got another form.", ai=ai) from None
    if parsed.ai.ai != ai:
        raise refuse("element_string", f"Invalid GS1 element string: expected a known identifier, got ({ai}).", ai=ai)
    return parsed.value


def _query_value(key: str, value: str) -> str:
    try:
        known = library().identifier.extract(key).ai == key
    except library().refusals:
        known = False
    if not known:
        raise refuse("digital_link", f"Invalid GS1 Digital Link: expected keys of GS1, got {shown_text(key)!r}.", ai=shown_text(key))
    return _only(f"{key}{value}", key)


def _broken(pairs: list[tuple[str, str]], rest: str) -> Exception:
    after = f" after ({pairs[-1][0]})" if pairs else ""
    got = shown_text(rest.split(GS, 1)[0])
    return refuse("element_string", f"Invalid GS1 element string{after}: expected an identifier with its data, got {got!r}.", after=after, got=got)


def _verified(pairs: Iterable[tuple[str, str]]) -> Elements:
    """The pairs as a mapping, when none is empty, none contradicts another and every check digit is right."""
    elements: Elements = {}
    for ai, value in pairs:
        if not value:
            raise refuse("element_string", f"Invalid GS1 element string: expected data of ({ai}), got none.", ai=ai)
        if elements.setdefault(ai, value) != value:
            raise refuse("conflict", f"Invalid GS1 element string: expected one value of ({ai}), got two.", ai=ai)
        if ai in _CHECKED:
            verify_check_digit(value[: _CHECKED[ai]], "GTIN-14" if ai == "01" else f"({ai})")
    return elements


def _date(ai: str, yymmdd: str, end_of_month: bool, at_ms: int) -> date:
    """The day of six digits; its century by General Specifications 7.12, 49 years back to 50 ahead of the year of ``at_ms``."""
    this_year = 1970 + at_ms // _MS_PER_YEAR
    ahead = int(yymmdd[:2]) - this_year % 100
    year = this_year + ahead + (-100 if ahead > 50 else 100 if ahead < -49 else 0)
    month, day = int(yymmdd[2:4]), int(yymmdd[4:])
    try:
        return date(year, month, monthrange(year, month)[1] if day == 0 and end_of_month else day)
    except ValueError:  # also of monthrange
        raise refuse("date", f"Invalid date in ({ai}): expected a day of the calendar as YYMMDD, got {yymmdd!r}.", ai=ai, got=yymmdd) from None


def _one(elements: Elements, family: str) -> tuple[int, str] | None:
    """The number of decimals and the value of the one element of ``family`` (three digits; the fourth tells the decimals), if any."""
    found = [(int(ai[3]), value) for ai, value in elements.items() if len(ai) == 4 and ai.startswith(family)]
    if len(found) > 1:
        raise refuse("conflict", f"Invalid GS1 element string: expected one value of ({family}n), got {len(found)}.", ai=f"{family}n")
    return found[0] if found else None


def _grams(elements: Elements) -> int | None:
    """Net weight; kilograms before pounds where a label has both. Halves of a gram are rounded up."""
    found = [(_one(elements, family), fraction) for family, fraction in _GRAMS.items()]
    for weight, (grams, units) in found:
        if weight is not None:
            decimals, value = weight
            return bounded_grams(divide_half_up(int(value) * grams, units * 10**decimals))
    return None


def _price_minor(elements: Elements, currency: str) -> int | None:
    """The price of this piece: 392n in the local currency, 393n with the currency's number before it."""
    local, named = _one(elements, "392"), _one(elements, "393")
    if local and named:
        raise refuse("conflict", "Invalid GS1 element string: expected one price, got two.", ai="393n")
    if named:
        decimals, value = named
        if value[:3] != _CURRENCY_NUMBERS.get(currency):
            raise refuse("currency", f"Invalid price in the code: expected {currency}, got currency number {value[:3]}.", expected=currency, got=value[:3])
        local = decimals, value[3:]
    return None if local is None else minor_of(int(local[1]), local[0], minor_digits_of(currency))
