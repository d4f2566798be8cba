"""What the screen itself said on its message line: refusals of what was typed, and sentences of its own; the list shows them among the service's."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from edge_agent.views import NoticeView, Snapshot
from tui.messages import Words

SAID_KEPT = 100
OF_A_VOID = "notice.payment_of_a_void"
STANDING = ("notice.payment_to_give_back", "notice.payment_missing", "notice.payment_reported", "notice.payment_differs", OF_A_VOID)
"""What the service says of these stays until somebody saw to it."""
CART_LOST = ("notice.cart_gone", "notice.cart_taken", "notice.cart_run_out")
"""What the service says of these is so for as long as the basket is here, whoever saw it first."""


def _no_card(snapshot: Snapshot) -> bool:
    return snapshot.payment is not None and "card" not in snapshot.payment.methods


TRUE_WHILE: Mapping[str, Callable[[Snapshot], bool]] = {"refused.no_card": _no_card, "not_now.terminal_absent": _no_card}
"""Refusals that say how something stands, and go by themselves once it stands otherwise."""
DOUBLE_MS = 3_000
"""What the service put into its own list and answered a command with as well is within this one thing said once."""


OF_A_CUSTOMER = ("code_unknown.customer", "not_now.customer_part_paid")
"""The keys of what names a customer, or says by what one was looked for, begin so."""


class Said:
    """The newest sentences of one screen, newest first; one that is said again at once moves up."""

    def __init__(self) -> None:
        self._kept: deque[NoticeView] = deque(maxlen=SAID_KEPT)

    def keep(self, notice: NoticeView) -> None:
        """This was said, at its ``at_ms``."""
        if self._kept and _sentence(self._kept[0]) == _sentence(notice):
            self._kept.popleft()
        self._kept.appendleft(notice)

    def customer_left(self) -> None:
        """Whoever stood here is gone, and so is what was said of them."""
        self._kept = deque((notice for notice in self._kept if not notice.key.startswith(OF_A_CUSTOMER)), maxlen=SAID_KEPT)

    def among(self, told: Sequence[NoticeView], words: Words) -> list[NoticeView]:
        """What stands until somebody saw to it, and everything that was said, newest first: ``told`` by the service, and by the screen besides."""

        def is_told(notice: NoticeView) -> bool:
            said = words.notice(notice)
            return any(abs(one.at_ms - notice.at_ms) <= DOUBLE_MS and words.notice(one) == said for one in told)

        own = [notice for notice in self._kept if not is_told(notice)]
        return sorted([*told, *own], key=lambda notice: (stands(notice), notice.at_ms), reverse=True)


def stands(notice: NoticeView) -> bool:
    """Whether it stays until somebody saw to it; ``shown["attempt"]`` names the payment that it is about."""
    return notice.key in STANDING and not notice.until_ms


def gives_way(notice: NoticeView | None, held: Snapshot | None, came: Snapshot) -> bool:
    """Whether a sentence of the screen's own goes with the picture that ``came``: something newer is said, the basket is another, or what it refuses
    became possible."""
    if held is None or (came.notice is not None and came.notice != held.notice) or (came.basket != held.basket and held.boot == came.boot):
        return True
    holds = TRUE_WHILE.get(notice.key) if notice is not None else None
    return holds is not None and holds(held) and not holds(came)


def _sentence(notice: NoticeView) -> tuple[str, str, str, dict[str, str]]:
    return notice.key, notice.text, notice.hint, notice.shown
