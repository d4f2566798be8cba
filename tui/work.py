"""Work that is done aside: what it finds comes back as a message, it never touches a widget."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from textual.dom import DOMNode


def aside(node: DOMNode, work: Callable[[], Coroutine[None, None, None]], group: str) -> None:
    """Run ``work`` for as long as ``node`` is there. It is handed over uncalled: a screen that closes at once leaves no coroutine behind."""
    node.run_worker(work, group=group)  # type: ignore[arg-type]  # mypy finds no result type in the union that Textual declares
