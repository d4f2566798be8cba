"""The paper that came out of the printer, sorted by receipt: who prints twice, or not at all, is found out by counting it."""

from __future__ import annotations

import re
from collections import Counter

from drivers.simulators.receipt_printer import ReceiptPrinterSimulator

_CODE = re.compile(r"R-\d{4}-\d{2}-\d{6}")
_COPY = re.compile(r"\*\*\* \w+ \*\*\*")


class Paper:
    """Looks at each piece of paper once. Look after every sale: the printer remembers its newest pieces only.

    ``originals`` and ``copies`` count whole receipts by their code; ``torn`` is paper that was torn off in the middle of one, ``strange``
    whole paper without a code.
    """

    def __init__(self, printer: ReceiptPrinterSimulator) -> None:
        self._printer = printer
        self._looked = 0
        self.originals: Counter[str] = Counter()
        self.copies: Counter[str] = Counter()
        self.torn = 0
        self.strange = 0

    def look(self) -> None:
        """Sort what came out since the last look."""
        for text in self._fresh():
            found = _CODE.search(text)
            if found is None:
                self.strange += 1
            else:
                (self.copies if _COPY.search(text) else self.originals)[found[0]] += 1

    def tear(self) -> None:
        """Tear off what a power cut left half printed, so that it does not stand on the next receipt."""
        self.look()
        self._printer.tear()
        self.torn += len(self._fresh())

    def _fresh(self) -> list[str]:
        count, receipts = self._printer.printed_count, self._printer.receipts
        fresh = count - self._looked
        self._looked = count
        assert fresh <= len(receipts), "looked too seldom"
        return receipts[len(receipts) - fresh :]
