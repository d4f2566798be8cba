"""Where the bugs that can be planted into a simulated register are kept, by name.

Each is a mistake that a till could be shipped with. They show that the simulation bites; only tests switch them on. Each function puts one bug
into the running process for good: plant it in a child.
"""

from __future__ import annotations

from collections.abc import Callable

PLANTED: dict[str, Callable[[], None]] = {}


def planted(bug: Callable[[], None]) -> Callable[[], None]:
    """Keep ``bug`` under its name."""
    PLANTED[bug.__name__] = bug
    return bug
