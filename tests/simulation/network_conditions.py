"""What can be wrong between a till and central: networks on which nothing passes, and networks on which facts pass badly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.simulation.network_bench import Bench


@dataclass(frozen=True)
class Broken:
    """Nothing passes. ``says`` is what the link has to say meanwhile; ``slow`` ones wait for a timeout and are left out of the small share."""

    name: str
    begin: Callable[[Bench], None]
    says: str
    slow: bool = False


@dataclass(frozen=True)
class Poor:
    """Facts pass, badly. ``again`` is done every so often meanwhile."""

    name: str
    begin: Callable[[Bench], None]
    again: Callable[[Bench, int], None] = lambda bench, turn: None


def _reset_then(act: Callable[[Bench], None]) -> Callable[[Bench], None]:
    """``act``, and nobody is still connected from before."""

    def begin(bench: Bench) -> None:
        bench.become("good")
        act(bench)

    return begin


def _mode(mode: str) -> Callable[[Bench], None]:
    return lambda bench: bench.become(mode)


def _firewall(*rule: str) -> Callable[[Bench], None]:
    return _reset_then(lambda bench: bench.lab.firewall(*rule))


def _tun(**faults: float) -> Callable[[Bench], None]:
    def begin(bench: Bench) -> None:
        bench.lab.line(**faults)
        bench.lab.way("tun")

    return begin


def _flap(bench: Bench, turn: int) -> None:
    bench.lab.cable(plugged=turn % 2 == 1)


def _other_way(bench: Bench, turn: int) -> None:
    bench.lab.way("tun" if turn % 2 else "veth")


BROKEN = (
    Broken("name not known (DNS)", _reset_then(lambda bench: bench.lab.known("")), r"name is not known here \(DNS\)"),
    Broken("cable out", _reset_then(lambda bench: bench.lab.cable(plugged=False)), r"no way to its network"),
    Broken("connections reset (REJECT tcp-reset)", _firewall("-j", "REJECT", "--reject-with", "tcp-reset"), r"nothing listens at its address"),
    Broken("no way (REJECT host-unreachable)", _firewall("-j", "REJECT", "--reject-with", "icmp-host-unreachable"), r"no way to its network"),
    Broken("packets dropped", _firewall("-j", "DROP"), r"no connection in time", slow=True),
    Broken("taken and closed", _mode("closing"), r"does not speak TLS|connection .* (broke|was closed|is closed)|closes the connection"),
    Broken("taken and silent", _mode("silent"), r"no connection in time|does not answer in time", slow=True),
    Broken("captive portal (200 with a page)", _mode("portal"), r"captive portal"),
    Broken("captive portal (redirection)", _mode("redirect"), r"redirection \(302\).*captive portal"),
    Broken("captive portal without TLS", _mode("not_tls"), r"does not speak TLS"),
    Broken("bad gateway", _mode("gateway"), r"502"),
    Broken("certificate expired, or the till's clock fast", _mode("expired"), r"certificate has expired.*clock"),
    Broken("certificate not yet valid, or the till's clock slow", _mode("early"), r"certificate is not valid yet.*clock"),
    Broken("certificate of another name", _mode("other_name"), r"certificate is another name's"),
    Broken("certificate of a stranger", _mode("stranger"), r"certificate is from an authority that is not trusted here"),
)
POOR = (
    Poor("answers lost", _mode("lost_answers")),
    Poor("delay 40 ms with jitter", _tun(delay=0.04, jitter=0.02)),
    Poor("loss of 5 %", _tun(delay=0.005, loss=0.05)),
    Poor("reordering of 20 %", _tun(delay=0.005, reorder=0.2)),
    Poor("duplication of 20 %", _tun(delay=0.005, duplicate=0.2)),
    Poor("all of it on 4 Mbit/s", _tun(delay=0.02, jitter=0.01, loss=0.02, reorder=0.1, duplicate=0.1, bits=4_000_000)),
    Poor("resets in the middle", _mode("resets")),
    Poor("every tenth packet dropped", _firewall("-m", "statistic", "--mode", "random", "--probability", "0.1", "-j", "DROP")),
    Poor("cable out and in again", _mode("good"), _flap),
    Poor("one way and the other", _tun(delay=0.01), _other_way),
    Poor("central killed and started", _mode("good"), lambda bench, turn: bench.restart_central()),
)
SMALL = ("name not known (DNS)", "captive portal (200 with a page)", "certificate expired, or the till's clock fast", "answers lost",
         "all of it on 4 Mbit/s", "connections reset (REJECT tcp-reset)")  # fmt: skip
"""The share that runs with the tests."""
