"""Two network namespaces: a till's and central's, joined by a cable (veth) and by a bad line (a TUN pair with a pump), and by whatever is made of them.

Both ways lead to the same addresses, so that a way can be taken from under a connection. Needs root, network namespaces and TUN;
``missing()`` says what is not there. Everything is gone after the context.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import heapq
import json
import os
import select
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self

TILL_AT, CENTRAL_AT = "10.214.0.1", "10.214.0.2"
PORT = 8443
NAME = "central.test"
COMMAND_SECONDS_MAX = 10.0
_CLONE_NEWNET = 0x40000000
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
PACKET_BYTES_MAX = 65_536
PROGRAMS = (("ip", "iproute2"), ("iptables", "iptables"))


def run(*words: str) -> str:
    """What a command printed. Raises CalledProcessError, TimeoutExpired."""
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=COMMAND_SECONDS_MAX).stdout


def missing() -> str:
    """Why there can be no lab here, or nothing."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for program, package in PROGRAMS:
        if shutil.which(program) is None:
            return f"{program} is not installed (Debian package {package})"
    name = f"edge-try-{os.getpid()}"
    try:
        run("ip", "netns", "add", name)
        try:
            run("ip", "netns", "exec", name, "iptables", "-A", "INPUT", "-p", "tcp", "--dport", "1", "-j", "REJECT", "--reject-with", "tcp-reset")
            run("ip", "-n", name, "tuntap", "add", "dev", "edge0", "mode", "tun")
        finally:
            run("ip", "netns", "del", name)
    except (subprocess.SubprocessError, OSError) as problem:
        told = problem.stderr.strip() if isinstance(problem, subprocess.CalledProcessError) else str(problem)
        return f"no network namespaces with iptables and TUN here: {told}"
    return ""


class Lab:
    """The two namespaces. ``till`` and ``central`` are their names."""

    def __init__(self) -> None:
        self.till, self.central = f"edge-t{os.getpid()}", f"edge-c{os.getpid()}"
        self._exits = contextlib.ExitStack()

    def __enter__(self) -> Self:
        try:
            self._build()
        except BaseException:
            self._exits.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._exits.close()

    def inside(self, where: str, *words: str) -> list[str]:
        """The command that runs ``words`` in a namespace."""
        return ["ip", "netns", "exec", where, *words]

    # --- what can be wrong -----------------------------------------------------------------------------------------------------

    def way(self, name: str) -> None:
        """All packets go by ``veth`` or by ``tun`` from now on."""
        for where, to, via, source in self._ways(name):
            run("ip", "-n", where, "route", "replace", to, *via, "src", source)

    def cable(self, plugged: bool) -> None:
        """The till's end of the cable."""
        run("ip", "-n", self.till, "link", "set", "veth0", "up" if plugged else "down")
        if plugged:  # the system took the way out when the link went down
            self.way("veth")

    def firewall(self, *rule: str) -> None:
        """What happens to packets from the till to central's port; nothing in particular without a rule."""
        run(*self.inside(self.central, "iptables", "-F", "INPUT"))
        if rule:
            run(*self.inside(self.central, "iptables", "-A", "INPUT", "-p", "tcp", "--dport", str(PORT), *rule))

    def known(self, address: str) -> None:
        """What the till's resolver says of central's name; an empty address: nothing, and no name server answers."""
        hosts = f"127.0.0.1 localhost\n{address} {NAME}\n" if address else "127.0.0.1 localhost\n"
        with (self._etc / "hosts").open("r+") as file:  # in place: it is mounted over /etc/hosts
            file.truncate(0)
            file.write(hosts)

    def line(self, **faults: float) -> None:
        """How the bad line is: delay, jitter (seconds), loss, duplicate, reorder (shares), bits (a second; 0 for no limit)."""
        assert self._pump.stdin is not None
        self._pump.stdin.write(json.dumps(faults) + "\n")
        self._pump.stdin.flush()

    # --- building --------------------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        for where in (self.till, self.central):
            run("ip", "netns", "add", where)
            self._exits.callback(run, "ip", "netns", "del", where)
        self._etc = Path("/etc/netns") / self.till
        made = not self._etc.parent.exists()
        self._etc.mkdir(parents=True)
        self._exits.callback(self._forget_etc, made)
        (self._etc / "hosts").write_text(f"127.0.0.1 localhost\n{CENTRAL_AT} {NAME}\n")
        (self._etc / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        run("ip", "-n", self.till, "link", "add", "veth0", "type", "veth", "peer", "name", "veth0", "netns", self.central)
        for where, own, end, far in ((self.till, TILL_AT, "10.213.0.1", "10.213.1.1"), (self.central, CENTRAL_AT, "10.213.0.2", "10.213.1.2")):
            run("ip", "-n", where, "link", "set", "lo", "up")
            run("ip", "-n", where, "addr", "add", f"{own}/32", "dev", "lo")
            run("ip", "-n", where, "addr", "add", f"{end}/30", "dev", "veth0")
            run("ip", "-n", where, "link", "set", "veth0", "up")
            run("ip", "-n", where, "tuntap", "add", "dev", "edge0", "mode", "tun")
            run("ip", "-n", where, "addr", "add", f"{far}/30", "dev", "edge0")
            run("ip", "-n", where, "link", "set", "edge0", "up", "mtu", "1400")
        command = [sys.executable, "-m", "tests.simulation.network_lab", self.till, self.central]
        self._pump = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._exits.callback(_end, self._pump)
        assert self._pump.stdout is not None
        if self._pump.stdout.readline() != "ready\n":
            raise OSError("the pump between the namespaces does not start")
        self.way("veth")

    def _ways(self, name: str) -> Iterator[tuple[str, str, Sequence[str], str]]:
        for where, to, source, last in ((self.till, CENTRAL_AT, TILL_AT, 2), (self.central, TILL_AT, CENTRAL_AT, 1)):
            via = ("via", f"10.213.0.{last}", "dev", "veth0") if name == "veth" else ("dev", "edge0")
            yield where, f"{to}/32", via, source

    def _forget_etc(self, folder_too: bool) -> None:
        shutil.rmtree(self._etc, ignore_errors=True)
        if folder_too:
            with contextlib.suppress(OSError):
                self._etc.parent.rmdir()


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for end in (process.stdin, process.stdout):
        if end is not None:
            with contextlib.suppress(BrokenPipeError):
                end.close()


# --- the pump: a process between two namespaces ------------------------------------------------------------------------------------


def opened_tun(namespace: str) -> int:
    """The TUN interface ``edge0`` of a namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.open(f"/var/run/netns/{namespace}", os.O_RDONLY)
    try:
        if libc.setns(handle, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter the namespace {namespace}")
    finally:
        os.close(handle)
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH", b"edge0", _IFF_TUN | _IFF_NO_PI))
    return tun


class Pump:
    """Carries packets between two TUN interfaces, badly. The faults' shares are of packets, each way."""

    def __init__(self, ends: tuple[int, int], seed: int = 1) -> None:
        self._other = {ends[0]: ends[1], ends[1]: ends[0]}
        self._dice = Random(seed)
        self._waiting: list[tuple[float, int, int, bytes]] = []
        self._free_at = dict.fromkeys(ends, 0.0)
        self._count = 0
        self.faults: dict[str, float] = {}

    def run(self) -> None:
        """Until standard input ends; each line of it is how the line is from now on."""
        commands, told = sys.stdin.fileno(), b""
        while True:
            wait = max(0.0, self._waiting[0][0] - time.monotonic()) if self._waiting else None
            ready, _, _ = select.select([commands, *self._other], [], [], wait)
            for end in ready:
                if end == commands:
                    came = os.read(commands, PACKET_BYTES_MAX)
                    if not came:
                        return
                    *lines, told = (told + came).split(b"\n")
                    for line in lines:
                        self.faults = json.loads(line)
                else:
                    self._take(end)
            while self._waiting and self._waiting[0][0] <= time.monotonic():
                _, _, to, packet = heapq.heappop(self._waiting)
                with contextlib.suppress(OSError):
                    os.write(to, packet)

    def _take(self, end: int) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            packet = os.read(end, PACKET_BYTES_MAX)
            if self._dice.random() < self.faults.get("loss", 0.0):
                return
            for _ in range(2 if self._dice.random() < self.faults.get("duplicate", 0.0) else 1):
                self._send(self._other[end], packet)

    def _send(self, to: int, packet: bytes) -> None:
        now = time.monotonic()
        seconds = self.faults.get("delay", 0.0) + self._dice.uniform(-1, 1) * self.faults.get("jitter", 0.0)
        if self._dice.random() < self.faults.get("reorder", 0.0):
            seconds += 0.03
        if bits := self.faults.get("bits", 0.0):
            self._free_at[to] = max(now, self._free_at[to]) + len(packet) * 8 / bits
            seconds += self._free_at[to] - now
        self._count += 1
        heapq.heappush(self._waiting, (now + max(0.0, seconds), self._count, to, packet))


def main(words: Sequence[str]) -> None:
    ends = (opened_tun(words[0]), opened_tun(words[1]))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    Pump(ends).run()


if __name__ == "__main__":
    main(sys.argv[1:])
