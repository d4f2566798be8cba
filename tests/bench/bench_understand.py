"""How long understanding a symbol takes, as a ratio to biip's own reading of it, measured in one run.

``python -m tests.bench.bench_understand [rounds]`` prints one line for each symbol that biip handles: both medians and their ratio.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import biip

from edge_agent.domain.code import GtinCode, WeighedCode, understand
from edge_agent.domain.reading import Reading
from tests.support_symbols import CORPUS, READ_AT_MS

CALLS_PER_ROUND = 50


def microseconds(call: Callable[[], object], rounds: int) -> float:
    """The median over ``rounds`` of the mean time of one ``call``."""
    means = []
    for _ in range(rounds):
        start = time.perf_counter_ns()
        for _ in range(CALLS_PER_ROUND):
            call()
        means.append((time.perf_counter_ns() - start) / CALLS_PER_ROUND / 1000)
    return statistics.median(means)


def main(rounds: int) -> None:
    ratios = []
    for symbol in CORPUS:
        if not isinstance(symbol.code, GtinCode | WeighedCode):
            continue
        reading = Reading(symbol.payload, "scanner", READ_AT_MS, aim=symbol.aim)
        text = symbol.payload.decode()
        value = text if text.lower().startswith("http") else symbol.aim + text
        if symbol.aim in ("]C0", "]Q1"):
            value = text  # biip knows nothing to try for these by their identifier
        ours = microseconds(lambda reading=reading: understand(reading), rounds)
        biips = microseconds(lambda value=value: biip.parse(value), rounds)
        ratios.append(ours / biips)
        print(f"{symbol.name:40} ours {ours:7.1f} us   biip {biips:7.1f} us   ratio {ours / biips:5.2f}")
    print(f"{'worst ratio':40} {max(ratios):.2f}   median {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
