"""The paper that came out of the printer, sorted by receipt: who prints twice, or not at all, is found out by counting it."""

from __future__ import annotations

import re
from collections import Counter

from drivers.simulators.receipt_printer import ReceiptPrinterSimulator

_CODE = re.compile(r"R-\d{4}-\d{2}-\d{6}")
_COPY = re.compile(r"\*\*\* \w+ \*\*\*")


class Paper:
    """Looks at each piece of paper once. Look after every sale: the printer remembers its newest pieces only."""

    def __init__(self, printer: ReceiptPrinterSimulator) -> None:
        self._printer = printer
        self._looked = 0
        self.originals: Counter[str] = Counter()
        self.copies: Counter[str] = Counter()
        self.strange = 0

    def look(self) -> None:
        """Sort what came out since the last look. Paper without a receipt's code is counted as strange."""
        count, receipts = self._printer.printed_count, self._printer.receipts
        fresh = receipts[len(receipts) - (count - self._looked) :] if count > self._looked else []
        self.strange += count - self._looked - len(fresh)
        self._looked = count
        for text in fresh:
            found = _CODE.search(text)
            if found is None:
                self.strange += 1
            else:
                (self.copies if _COPY.search(text) else self.originals)[found[0]] += 1
