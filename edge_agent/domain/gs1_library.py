"""The library for codes, biip, loaded when the first code has to be understood and not when the register starts.

Its tables of GS1 prefixes take a seventh of all that a register loads before it answers; ``library`` is called once the register does (``warm_up``),
so that the first customer's scan does not wait for it either.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from biip import ParseConfig
    from biip.gs1_application_identifiers import GS1ApplicationIdentifier
    from biip.gs1_digital_link_uris import GS1DigitalLinkURI
    from biip.gs1_element_strings import GS1ElementString
    from biip.upc import Upc


class CheckDigit(Protocol):
    """The check digit of digits that lack it."""

    def __call__(self, numeric_string: str, /) -> int: ...


class Library(Struct, frozen=True):
    """What of biip is used. ``config`` leaves dates to us: biip reads a range of dates (7007) as a date and an hour."""

    check_digit: CheckDigit
    upc: type[Upc]
    identifier: type[GS1ApplicationIdentifier]
    link: type[GS1DigitalLinkURI]
    element: type[GS1ElementString]
    config: ParseConfig
    refusals: tuple[type[Exception], ...]
    """What biip raises for what it cannot read; it lets some of Python's own errors through."""


@functools.cache
def library() -> Library:
    """biip itself."""
    from biip import ParseConfig, ParseError
    from biip.checksums import gs1_standard_check_digit
    from biip.gs1_application_identifiers import GS1ApplicationIdentifier
    from biip.gs1_digital_link_uris import GS1DigitalLinkURI
    from biip.gs1_element_strings import GS1ElementString
    from biip.upc import Upc

    return Library(
        gs1_standard_check_digit,
        Upc,
        GS1ApplicationIdentifier,
        GS1DigitalLinkURI,
        GS1ElementString,
        ParseConfig(gs1_element_strings_verify_date=False),
        (ParseError, ValueError, LookupError, ArithmeticError),
    )
