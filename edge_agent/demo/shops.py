"""The sample's two shops: where the demo's register stands, and who opens it."""

from __future__ import annotations

from msgspec import Struct

from edge_agent.demo.sums import RULES, Rules
from edge_agent.domain.market import MARKETS

FLOAT_MINOR = 15_000
"""What is in the drawer in the morning."""


class SampleShop(Struct, frozen=True):
    """One store's register, its market's rules, the badge of a colleague who may do everything, and others'."""

    store: str
    register: str
    badge: str
    colleagues: tuple[str, ...]
    rules: Rules

    @property
    def language(self) -> str:
        """What the shop's devices speak to its customers."""
        return MARKETS[self.rules.country].locale.partition("_")[0]


SHOPS = {
    "DE": SampleShop("0001", "01", "1001", ("1002", "1004", "1001"), RULES["DE"]),
    "US": SampleShop("0002", "01", "2001", ("2002", "2004", "2001"), RULES["US"]),
}
