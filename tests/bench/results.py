"""``RESULTS.md``: what ``make proof`` and ``make bench`` found, each row with the day, the commit and the machine it was found on.

A run of a part replaces the rows of that part and leaves the others as they are, with the commit that they were measured at.
"""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).with_name("RESULTS.md")
HEAD = """# What was proven and measured

Written by `make proof` and `make bench`; every row says when, at which commit (`+` after it: with changes not yet committed;
none is named where the history does not reach back to it) and on which machine.
Ratios are of one run, beside a peer or a physical limit measured in turns with ours; absolute times are that machine's.
"""


@dataclass(frozen=True)
class Section:
    """A heading and the table under it; ``rows`` are replaced by their first cell."""

    title: str
    columns: tuple[str, ...]


PROOF = Section("Proof", ("promise", "faults tried", "violations", "seconds", "where"))
BENCH = Section("Bench", ("what", "ours", "beside", "theirs", "ratio", "aim", "where"))
SECTIONS = (PROOF, BENCH)


def where() -> str:
    """The day, the commit and the machine, in one cell."""
    return f"{datetime.now(UTC):%Y-%m-%d}, {commit()}, {machine()}"


def commit() -> str:
    """The commit's short name, with a plus when files differ from it; ``unknown`` outside a repository."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = [line for line in git("status", "--porcelain").splitlines() if not line.endswith(RESULTS.name)]
        return git("rev-parse", "--short=10", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def machine() -> str:
    """Cores, processor, memory, system and Python."""
    model, memory = platform.machine(), ""
    for path, key in (("/proc/cpuinfo", "model name"), ("/proc/meminfo", "MemTotal")):
        try:
            found = next(line.partition(":")[2].strip() for line in Path(path).read_text().splitlines() if line.startswith(key))
        except (OSError, StopIteration):
            continue
        if key == "MemTotal":
            memory = f", {round(int(found.split()[0]) / 2**20)} GB"
        else:
            model = found.replace("(R)", "").replace("(TM)", "")
    return f"{os.cpu_count()} x {model}{memory}, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines)


def rows_in(text: str, section: Section) -> list[list[str]]:
    """The rows that ``text`` has under the section's heading."""
    _, _, after = text.partition(f"\n## {section.title}\n")
    body = after.partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in body.splitlines() if line.startswith("| ")]
    return [row for row in rows[2:] if len(row) == len(section.columns)]


def keep(section: Section, fresh: Sequence[Sequence[str]], path: Path = RESULTS, *, whole: bool = False) -> None:
    """Put rows into the file: in place of those with the same first cell, else at the end; ``whole`` drops the section's other rows."""
    text = path.read_text() if path.exists() else HEAD
    kept = {held.title: rows_in(text, held) for held in SECTIONS}
    rows = [] if whole else kept[section.title]
    at = {row[0]: number for number, row in enumerate(rows)}
    for new in fresh:
        row = [cell.replace("|", "/") for cell in new]
        if row[0] in at:
            rows[at[row[0]]] = row
        else:
            rows.append(row)
    kept[section.title] = rows
    told = [f"## {held.title}\n\n{table(held.columns, kept[held.title])}\n" for held in SECTIONS if kept[held.title]]
    path.write_text("\n".join([HEAD, *told]))
