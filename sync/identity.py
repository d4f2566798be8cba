"""Who a register is for central."""

from __future__ import annotations

from msgspec import Struct


class Identity(Struct, frozen=True):
    """Who this register is on the wire: its CloudEvents source and the epoch that central gave it at enrolment."""

    source: str
    epoch: str


ALONE = Identity("/t/local/s/0/r/0", "0")
"""A register that was never enrolled. Its facts wait; enrolment issues them anew under the identity that central gives."""
