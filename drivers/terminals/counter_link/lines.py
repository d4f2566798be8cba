"""The lines of Counter Link, written and read: bytes in, values out. Strict about what it knows, lenient about what it does not."""

from __future__ import annotations

import json
import re

from msgspec import Struct

from drivers.terminals.counter_link.kept import card_result
from edge_agent.domain.errors import FrameRejected
from edge_agent.domain.tender import Attempt, AttemptKind, CardResult

PROTOCOL_VERSION = 1
LINE_BYTES_MAX = 65_536
"""A longer line, its line feed included, ends the conversation: nothing in it is believed."""
AMOUNT_MINOR_MAX = 99_999_999_999
"""An amount above this is not believed."""
CURRENCIES_MAX = 50

NO_CARD = CardResult()

_REF = re.compile(r"[0-9A-HJKMNP-TV-Z]{10}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_KEY = re.compile(r"[a-z][a-z_]{0,39}")  # no digits: a key can be shown and logged
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,31}")


class Hello(Struct, frozen=True):
    """The terminal's greeting: its own name, and whether it is at a payment."""

    terminal: str
    busy: bool


class StepLine(Struct, frozen=True):
    """What the terminal is doing for ``ref``."""

    ref: str
    step: str


class Result(Struct, frozen=True):
    """How ``ref`` ended. ``reason`` is that of a decline or refusal, ``by`` that of a cancellation; both are keys."""

    ref: str
    outcome: str
    amount_minor: int = 0
    currency: str = ""
    reason: str = ""
    by: str = ""
    offline: bool = False
    card: CardResult = NO_CARD


class Status(Struct, frozen=True):
    """What the terminal's books say about ``ref``: the result, or where it stands (``in_flight``, ``not_found``)."""

    ref: str
    state: str
    step: str = ""
    result: Result | None = None


class AbortAnswer(Struct, frozen=True):
    """Whether the terminal will try to stop ``ref``."""

    ref: str
    accepted: bool


class CurrencyTotals(Struct, frozen=True):
    """What the terminal's books add up to in one currency since its last settlement."""

    currency: str
    payments: int
    payments_minor: int
    voids: int
    voids_minor: int


class Totals(Struct, frozen=True):
    """The terminal's own sums, by currency."""

    totals: tuple[CurrencyTotals, ...]


Answer = Hello | StepLine | Result | Status | AbortAnswer | Totals


def hello() -> bytes:
    """The greeting that begins every connection."""
    return _line({"counterLink": PROTOCOL_VERSION, "do": "hello"})


def submission(attempt: Attempt, original_ref: str) -> bytes:
    """The request that runs ``attempt``; ``original_ref`` is the reference of the payment that a void undoes."""
    amount = {"amountMinor": attempt.amount_minor, "currency": attempt.currency}
    if attempt.kind is AttemptKind.VOID:
        return _line({"do": "void", "ref": attempt.wire_ref, "original": original_ref, **amount})
    return _line({"do": "payment", "ref": attempt.wire_ref, **amount})


def asking(do: str, ref: str = "") -> bytes:
    """A request that moves no money: ``status`` or ``abort`` of a reference, or ``totals``."""
    return _line({"do": do, "ref": ref} if ref else {"do": do})


def parse(line: bytes) -> Answer:
    """The answer in ``line`` (without its line feed, at most LINE_BYTES_MAX). Raises FrameRejected, whose message shows nothing of it.

    >>> parse(b'{"say":"step","ref":"7K3M9QX2AB","step":"enter_pin","since":3}')
    StepLine(ref='7K3M9QX2AB', step='enter_pin')
    >>> parse(b'{"say":"step","ref":"7K3M9QX2AB","step":4111111111111111}')
    Traceback (most recent call last):
    edge_agent.domain.errors.FrameRejected: Invalid line from the terminal: expected step as a key, got something else.
    """
    members = _Members.of(line)
    match members.key("say"):
        case "hello":
            if members.whole("counterLink") != PROTOCOL_VERSION:
                raise _rejected(f"Invalid greeting from the terminal: expected Counter Link {PROTOCOL_VERSION}, got another version.")
            return Hello(members.text("terminal", _NAME, "a name"), members.flag("busy"))
        case "step":
            return StepLine(members.ref(), members.key("step"))
        case "result":
            return _result(members)
        case "status":
            return _status(members)
        case "abort":
            return AbortAnswer(members.ref(), members.flag("accepted"))
        case "totals":
            return Totals(tuple(_totals(row) for row in members.rows("totals")))
        case _:
            raise _rejected("Invalid line from the terminal: expected an answer of Counter Link, got another one.")


def _result(members: _Members) -> Result:
    ref = members.ref()
    match members.key("outcome"):
        case "approved":
            amount, currency = members.whole("amountMinor"), members.currency()
            offline = members.flag("offline") if members.has("offline") else False
            return Result(ref, "approved", amount, currency, offline=offline, card=card_result(members.any("card")))
        case "declined":
            return Result(ref, "declined", reason=members.key("reason"), card=card_result(members.any("card")))
        case "cancelled":
            return Result(ref, "cancelled", by=members.key("by"))
        case "refused":
            return Result(ref, "refused", reason=members.key("reason"))
        case _:
            raise _rejected("Invalid result from the terminal: expected a known outcome, got another one.")


def _status(members: _Members) -> Status:
    ref = members.ref()
    match members.key("state"):
        case "done":
            return Status(ref, "done", result=_result(members))
        case "in_flight":
            return Status(ref, "in_flight", step=members.key("step") if members.has("step") else "")
        case "not_found":
            return Status(ref, "not_found")
        case _:
            raise _rejected("Invalid status from the terminal: expected a known state, got another one.")


def _totals(row: object) -> CurrencyTotals:
    members = _Members.checked(row)
    return CurrencyTotals(members.currency(), *(members.whole(name) for name in ("payments", "paymentsMinor", "voids", "voidsMinor")))


class _Members:
    """The members of one JSON object; every getter checks the type and raises FrameRejected."""

    def __init__(self, members: dict[str, object]) -> None:
        self._members = members

    @classmethod
    def of(cls, line: bytes) -> _Members:
        try:
            return cls.checked(json.loads(line.decode("utf-8"), object_pairs_hook=_once_each, parse_constant=_no_constant))
        except (ValueError, RecursionError):
            raise _rejected("Invalid line from the terminal: expected one JSON object, got something else.") from None  # its text would quote the line

    @classmethod
    def checked(cls, value: object) -> _Members:
        if not isinstance(value, dict):
            raise _rejected("Invalid line from the terminal: expected a JSON object, got something else.")
        return cls(value)

    def any(self, name: str) -> object:
        return self._members.get(name)

    def has(self, name: str) -> bool:
        return self._members.get(name) is not None

    def ref(self) -> str:
        return self.text("ref", _REF, "a reference")

    def key(self, name: str) -> str:
        return self.text(name, _KEY, "a key")

    def currency(self) -> str:
        return self.text("currency", _CURRENCY, "a currency")

    def text(self, name: str, pattern: re.Pattern[str], what: str) -> str:
        value = self._members.get(name)
        if isinstance(value, str) and pattern.fullmatch(value):
            return value
        raise _rejected(f"Invalid line from the terminal: expected {name} as {what}, got something else.")

    def whole(self, name: str) -> int:
        value = self._members.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= AMOUNT_MINOR_MAX:
            return value
        raise _rejected(f"Invalid line from the terminal: expected {name} as a whole number, got something else.")

    def flag(self, name: str) -> bool:
        value = self._members.get(name)
        if isinstance(value, bool):
            return value
        raise _rejected(f"Invalid line from the terminal: expected {name} as true or false, got something else.")

    def rows(self, name: str) -> list[object]:
        value = self._members.get(name)
        if isinstance(value, list) and len(value) <= CURRENCIES_MAX:
            return value
        raise _rejected(f"Invalid line from the terminal: expected {name} as a short list, got something else.")


def _line(members: dict[str, object]) -> bytes:
    return json.dumps(members, separators=(",", ":")).encode() + b"\n"


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")
    return members


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _rejected(message: str) -> FrameRejected:
    return FrameRejected(message, hint="Check that the configured address is the card terminal's, and its software version.", reason="terminal_line")
