"""Facts through every bad network: ``python -m tests.simulation.network --facts 100000``.

A register's journal, push and connector in one network namespace, central behind TLS in another. What is wrong in between (``network_conditions``)
comes one after the other while facts flow. While nothing passes, the link has to say why in words that IT understands; at the end central has to
have every fact once, in order, byte for byte, with its chain intact. Prints one line of JSON; exit 1 on a violation.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edge_agent.clock import SystemRandom
from sync.journal_read import JournalReader
from sync.keys import Keys
from tests.simulation.kill_audit import central_facts, chain_problems, differences, streams_of
from tests.simulation.network_bench import READY_SECONDS_MAX, Bench, Program, opened, python
from tests.simulation.network_conditions import BROKEN, POOR, SMALL, Broken, Poor
from tests.simulation.network_lab import missing
from tests.simulation.network_till import BUGS

SKIPPED = 3
SAID_SECONDS_MAX = 45.0
PASSED_SECONDS_MAX = 20.0
"""The longest that a poor line is waited with; then the next one comes."""
DRAINED_SECONDS_MAX = 600.0
SOLD_MEANWHILE = 20
"""Facts that are made while nothing passes: a till goes on selling."""


@dataclass
class Report:
    """What was done, and what came of it."""

    conditions: Counter[str] = field(default_factory=Counter)
    said: dict[str, str] = field(default_factory=dict)
    passed: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    facts: int = 0
    reports: int = 0


class Proof:
    """One register's facts through all of it."""

    def __init__(self, bench: Bench, facts: int, bug: str) -> None:
        self.report = Report()
        self._bench = bench
        self._facts = facts
        self._bug = bug

    def run(self, broken: Sequence[Broken], poor: Sequence[Poor]) -> Report:
        """A broken network, a poor one, the next broken one ... until all facts are through."""
        bench = self._bench
        words = ("push", str(bench.folder / "register"), str(bench.folder / "authority.pem"), self._bug)
        bench.till = Program(python(bench.lab, bench.lab.till, "tests.simulation.network_till", *words), bench.folder / "till.log")
        try:
            share = self._facts // (len(poor) + 1)
            self._until(lambda: "waiting" in bench.last, READY_SECONDS_MAX, "the link to say something")
            for turn in range(max(len(broken), len(poor))):
                if turn < len(broken):
                    self._broken(broken[turn])
                if turn < len(poor):
                    self._poor(poor[turn], share)
            bench.become("good")
            self._until(lambda: bench.last.get("waiting") == 0 and bench.last["link"] == "in_step", DRAINED_SECONDS_MAX, "all facts to be through")
        except TimeoutError as late:
            self.report.violations.append(str(late))
        finally:
            bench.well()
            bench.till.end()
        self.report.reports = len(bench.said)
        self._compare()
        return self.report

    def _broken(self, condition: Broken) -> None:
        bench = self._bench
        bench.look()
        condition.begin(bench)
        self.report.conditions[condition.name] += 1
        assert bench.till is not None
        bench.till.say(str(SOLD_MEANWHILE))
        self._facts += SOLD_MEANWHILE

        def said() -> bool:
            return bench.last.get("link") == "offline" and re.search(condition.says, bench.last["detail"]) is not None

        _say(f"{condition.name} ...")
        try:
            self._until(said, SAID_SECONDS_MAX, "")
            self.report.said[condition.name] = bench.last["detail"]
        except TimeoutError:
            self.report.violations.append(f"{condition.name}: expected words like {condition.says!r}, the link says {bench.last}")
        bench.well()
        if bench.last.get("link") == "offline":
            bench.become("good")

    def _poor(self, condition: Poor, share: int) -> None:
        bench = self._bench
        bench.look()
        condition.begin(bench)
        self.report.conditions[condition.name] += 1
        _say(f"{condition.name} ..., {bench.last.get('waiting', self._facts)} wait")
        before, turn, end = bench.last.get("waiting", self._facts), 0, time.monotonic() + PASSED_SECONDS_MAX
        while before - (left := bench.last.get("waiting", self._facts)) < share and left and time.monotonic() < end:
            condition.again(bench, turn)
            turn += 1
            time.sleep(0.3)
            bench.look()
        self.report.passed[condition.name] = before - bench.last.get("waiting", self._facts)
        bench.well()

    def _until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        end = time.monotonic() + seconds
        while True:
            self._bench.look()
            if condition():
                return
            if time.monotonic() > end:
                raise TimeoutError(f"waited {seconds:g} s for {what}; the link says {self._bench.last}")
            time.sleep(0.02)

    def _compare(self) -> None:
        """Central's facts beside the register's."""
        folder = self._bench.folder
        reader = JournalReader.open(folder / "register", Keys(folder / "register", SystemRandom()).journal_key())
        try:
            mine = streams_of([line.strip() for line in reader.export() if line.startswith(b'{"specversion"')])
            found = reader.verify()
        finally:
            reader.close()
        self.report.facts = sum(len(wires) for wires in mine.values())
        if self.report.facts != self._facts:
            self.report.violations.append(f"the journal has {self.report.facts} facts, expected {self._facts}")
        self.report.violations += [f"journal: {problem}" for problem in found.problems]
        self.report.violations += [f"here: {problem}" for problem in chain_problems(mine)]
        self.report.violations += differences(mine, central_facts(folder / "central"))


def prove(folder: Path, facts: int, seed: int, *, bug: str = "", only: Sequence[str] = ()) -> Report:
    """All conditions, or ``only`` those named."""
    with opened(folder, facts, seed) as bench:
        broken = [one for one in BROKEN if not only or one.name in only]
        poor = [one for one in POOR if not only or one.name in only]
        return Proof(bench, facts, bug).run(broken, poor)


def _say(what: str) -> None:
    print(f"{time.monotonic():.1f} {what}", file=sys.stderr, flush=True)


def main(words: Sequence[str]) -> int:
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that nothing is left behind
    parser = argparse.ArgumentParser(prog="tests.simulation.network", description="Facts through every bad network.")
    parser.add_argument("--facts", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bug", choices=BUGS, default="", help="plant this bug: it has to be found")
    parser.add_argument("--small", action="store_true", help="only the share that runs with the tests")
    chosen = parser.parse_args(words)
    if why := missing():
        print(json.dumps({"skipped": why}))
        return SKIPPED
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="edge-network-") as folder:
        report = prove(Path(folder), chosen.facts, chosen.seed, bug=chosen.bug, only=SMALL if chosen.small else ())
    for violation in report.violations:
        print(f"VIOLATION: {violation}", file=sys.stderr)
    told = {
        "faults": sum(report.conditions.values()),
        "violations": len(report.violations),
        "facts": report.facts,
        "said": report.said,
        "passed": report.passed,
        "reports": report.reports,
        "seed": chosen.seed,
        "seconds": round(time.monotonic() - began, 1),
    }
    print(json.dumps(told))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
