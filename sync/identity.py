"""Who a register is for central."""

from __future__ import annotations

from msgspec import Struct

from edge_agent.domain.receipt_code import receipt_codes


class Identity(Struct, frozen=True):
    """Who this register is on the wire: its CloudEvents source and the epoch that central gave it at enrolment."""

    source: str
    epoch: str

    @property
    def receipt_codes(self) -> str:
        """How the codes of its receipts begin.

        >>> Identity("/t/acme/s/0001/r/02", "1").receipt_codes
        'R-0001-02-'
        """
        _, _, _, _, store, _, register = self.source.split("/")
        return receipt_codes(store, register)


ALONE = Identity("/t/local/s/0/r/0", "0")
"""A register that was never enrolled. Its facts wait; enrolment issues them anew under the identity that central gives."""
