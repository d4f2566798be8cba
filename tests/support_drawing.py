"""Drawn lines for tests: a snapshot made ready to be drawn, and what came of it as text and roles."""

from __future__ import annotations

from edge_agent.views import Snapshot
from tui.drawing.line import Line
from tui.messages import Words
from tui.shown import Shown

EN, DE = Words("en"), Words("de")


def shown(snapshot: Snapshot, words: Words = EN, **more: object) -> Shown:
    return Shown(**{"snapshot": snapshot, "words": words, "now_ms": snapshot.at_ms, "rows": 40, **more})


def texts(lines: list[Line]) -> list[str]:
    return [row.text.rstrip() for row in lines]


def joined(lines: list[Line]) -> str:
    return "\n".join(texts(lines))


def roles(lines: list[Line], text: str) -> set[str]:
    return {piece.role for row in lines for piece in row.pieces if text in piece.text}
