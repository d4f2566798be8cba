"""What the simulated card terminal and the customer before it will do: one plan per payment, settable from code and by a typed line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

STEPS = ("present_card", "enter_pin", "contacting_bank", "remove_card")
ANSWERS = ("tell", "drop", "silent", "twice")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How one payment or void goes. The defaults approve it.

    The customer and the bank: ``decline`` with that reason (``insufficient_funds``); ``cancel`` by the customer; ``booked`` instead of
    the amount asked for, in minor units (less: partial); ``offline`` approval; ``slow`` seconds until the bank answers; ``hold`` at one of
    STEPS until released.

    The wire, before: ``take_up`` the request so many seconds late; below 0, never (the connection closes).
    The wire, after it is in the books: ``late`` seconds of silence; ``answer``: ``tell``, ``drop`` (the connection closes without it),
    ``silent`` (it stays open), ``twice``; the told amount, currency and reference instead of the true ones; ``lost_finds`` status
    requests are answered ``not_found`` first; ``abort_late``: an abort is accepted and comes too late; ``leak``: the card's data stands in
    the answer, as no terminal should.
    """

    decline: str = ""
    cancel: bool = False
    booked: int = -1
    offline: bool = False
    slow: float = 0.0
    hold: str = ""
    take_up: float = 0.0
    late: float = 0.0
    answer: str = "tell"
    told_amount: int = -1
    told_currency: str = ""
    told_ref: str = ""
    lost_finds: int = 0
    abort_late: bool = False
    leak: bool = False

    def __post_init__(self) -> None:
        if self.answer not in ANSWERS:
            raise ValueError(f"answer: expected one of {', '.join(ANSWERS)}, got {self.answer!r}")
        if self.hold not in ("", *STEPS):
            raise ValueError(f"hold: expected one of {', '.join(STEPS)}, got {self.hold!r}")


def parse_plan(words: Sequence[str]) -> Plan:
    """The plan of typed words ``name=value``; a name alone is true. Raises ValueError with what was expected.

    >>> parse_plan(["slow=2.5", "answer=drop", "offline"]) == Plan(slow=2.5, answer="drop", offline=True)
    True
    >>> parse_plan(["colour=red"])
    Traceback (most recent call last):
    ValueError: expected one of decline, cancel, booked, ..., got 'colour'
    """
    types: dict[str, type[bool | float | int | str]] = {field.name: type(getattr(Plan(), field.name)) for field in fields(Plan)}
    values: dict[str, object] = {}
    for word in words:
        name, _, text = word.partition("=")
        if name not in types:
            raise ValueError(f"expected one of {', '.join(types)}, got {name!r}")
        kind = types[name]
        values[name] = text not in ("no", "off", "false") if kind is bool else kind(text)
    return Plan(**values)  # type: ignore[arg-type]  # each value was made by its field's own type
