"""The register that must not sell: why, in large letters of plain words, and what to do, which is another thing for each cause."""

from __future__ import annotations

from tui.drawing.line import BLANK, Line, centred, line, wrapped
from tui.shown import Shown


def stopped_panel(shown: Shown, cells: int) -> list[Line]:
    """Why selling stopped, what to do, and what is certain; nothing while the register sells."""
    if shown.snapshot.phase != "stopped":
        return []
    words, stopped = shown.words, shown.snapshot.stopped
    width = min(cells - 4, 72)
    text, hint = words.notice(stopped) if stopped else (words("stopped.unknown"), "")
    rows = [BLANK, *_banner(words("stopped.title"), width), BLANK]
    rows += wrapped(text, width, "strong")
    rows += wrapped(hint, width) if hint else []
    damaged = stopped is not None and stopped.key.partition(".")[0] == "journal_corrupt"
    certain = words("stopped.damaged") if damaged else words("stopped.kept")
    again = words("stopped.damaged_again") if damaged else words("stopped.again")
    rows += [BLANK, *wrapped(certain, width), *wrapped(again, width, "muted")]
    left = max(0, (cells - width) // 2)
    return [Line((*line(" " * left).pieces, *row.pieces), row.fill) for row in rows]


def _banner(text: str, cells: int) -> list[Line]:
    """The word that is seen from the door."""
    spaced = centred(line((f"■  {' '.join(text.upper())}  ■", "bad")), cells)
    if spaced.cells > cells or len(text) * 2 + 6 > cells:
        spaced = centred(line((f"■ {text.upper()} ■", "bad")), cells)
    return [spaced]
