"""How long a notice stands where the associate looks: the one rule for every notice. All of them stay in the list (F9 N), but for those that name
a customer: these go when the customer does.

A refusal goes sooner: what was refused is past once the associate did something that was accepted, or once a device of the same kind read
something good.
"""

from __future__ import annotations

from msgspec import Struct

from edge_agent.domain.reading import Source
from edge_agent.ports import Notice

SAID_MS = 20_000
"""What only says that something happened is read within this, and goes by itself."""
ASKED_MS = 600_000
"""What asks for something stands until somebody acts; after this long nobody is going to, and it goes without a key."""

OF_A_CUSTOMER = frozenset({"notice.customer_attached", "not_now.customer_part_paid", "code_unknown.customer", "code_unknown.customer_offline"})
"""Notices that name a customer, or say by what one was looked for."""


def stands_until(level: str, hint: str, at_ms: int) -> int:
    """When the notice goes by itself. A warning, an error, and whatever says what to do ask for something.

    >>> stands_until("good", "", 0), stands_until("info", "F7 brings it back.", 0), stands_until("bad", "", 0)
    (20000, 600000, 600000)
    """
    return at_ms + (ASKED_MS if hint or level in ("warn", "bad") else SAID_MS)


class Refusal(Struct, frozen=True):
    """A notice that refuses a reading of this kind."""

    notice: Notice
    source: Source

    def is_past(self, standing: Notice | None, good: Source | None) -> bool:
        """Whether it is the one that stands, and a reading of the kind ``good`` (None: an act of the associate's) has taken its place."""
        return standing is self.notice and good in (None, self.source)
