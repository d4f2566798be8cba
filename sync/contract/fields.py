"""The small types that facts and feed rows are made of, each with its bounds; the JSON Schemas are made from them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

MINOR_MAX = 999_999_999_999
"""No amount on the wire is larger, in minor units: a hundred times the largest sale, and small enough that central can add up a million of them."""
TIME_MS_MAX = 253_402_300_799_999
"""The end of the year 9999, in milliseconds since 1970."""

NUMBER_MAX = 10**18 - 1
"""The largest number of a fact, to fit 63 bits; a register that sells a thousand times a second gets there in thirty million years."""
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for text that is not of its type; brackets in brackets without end are told by the last."""

Minor = Annotated[int, Meta(ge=-MINOR_MAX, le=MINOR_MAX, description="Integer minor units of the currency (cents, pence, yen).")]
TimeMs = Annotated[int, Meta(ge=0, le=TIME_MS_MAX, description="Milliseconds since 1970 (UTC).")]
Count = Annotated[int, Meta(ge=0, le=1_000_000_000)]
Number = Annotated[int, Meta(ge=1, le=NUMBER_MAX)]
Rate = Annotated[int, Meta(ge=0, le=1_000_000, description="Thousandths of a per cent: 19 % is 19000.")]
Id = Annotated[str, Meta(min_length=1, max_length=128)]
IdOrNone = Annotated[str, Meta(max_length=128, description="Empty when there is none.")]
Name = Annotated[str, Meta(max_length=128)]
Text = Annotated[str, Meta(max_length=500)]
Day = Annotated[str, Meta(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$", description="An ISO date, or empty.")]
Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2.")]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$", description="ISO 4217.")]
Gtin14 = Annotated[str, Meta(pattern=r"^[0-9]{14}$")]
LastFour = Annotated[str, Meta(pattern=r"^[0-9]{0,4}$", description="At most the last four digits of a card; no field for more exists.")]
Salt = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{22}$", description="16 random bytes, base64url without padding.")]
Epoch = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,9}$", description="Which enrolment of the register: 1 at the first, higher at each further one.")]
HexHash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$", description="A SHA-256 in lower-case hexadecimal.")]
SoldBy = Literal["piece", "kg"]
StoreNumber = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,32}$")]
