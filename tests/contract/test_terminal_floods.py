"""A card terminal that says steps as fast as the line takes them: the till stays as quick as ever, and the payment ends as the terminal says."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

from drivers.terminals.counter_link import CounterLinkTerminal
from tests.support_counter import COAT, eventually, opened, scan
from tests.support_shop import register

STEP_LINES_MIN = 12_000
AT_ONCE = 300


class Flood(threading.Thread):
    """A terminal that says steps without end until ``enough`` is set, at least STEP_LINES_MIN of them, and then approves."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.listening.settimeout(30.0)
        self.enough = threading.Event()
        self.said = 0

    def run(self) -> None:
        with contextlib.suppress(ConnectionResetError):  # the driver closes so that nothing of it can arrive late
            self._serve()

    def _serve(self) -> None:
        line, _ = self.listening.accept()
        with line, line.makefile("rb") as heard:
            heard.readline()
            line.sendall(b'{"say":"hello","counterLink":1,"terminal":"SIM-0001","busy":false}\n')
            asked = json.loads(heard.readline())
            steps = [json.dumps({"say": "step", "ref": asked["ref"], "step": f"step_{'x' * (at % 30)}"}) for at in range(AT_ONCE)]
            many = "".join(f"{step}\n" for step in steps).encode()
            while not self.enough.is_set() or self.said < STEP_LINES_MIN:
                line.sendall(many)
                self.said += AT_ONCE
            result = {"say": "result", "ref": asked["ref"], "outcome": "approved", "amountMinor": asked["amountMinor"], "currency": "EUR", "offline": False}
            line.sendall(json.dumps(result).encode() + b"\n")
            heard.read()


@contextlib.contextmanager
def flooding() -> Iterator[Flood]:
    flood = Flood()
    flood.start()
    try:
        yield flood
    finally:
        flood.enough.set()
        flood.join(30.0)
        flood.listening.close()


async def test_a_terminal_that_floods_neither_slows_the_till_nor_loses_the_payment(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    with flooding() as flood:
        terminal = CounterLinkTerminal("T1", "127.0.0.1", flood.listening.getsockname()[1])
        async with register(tmp_path, terminal=terminal) as rig:
            await opened(rig)
            await scan(rig, COAT)
            await rig.till.paying.card(None, "")
            await eventually(lambda: flood.said >= AT_ONCE)
            views, began, turns = rig.core.view, loop.time(), 0
            while loop.time() - began < 1.0:
                await asyncio.sleep(0.001)
                rig.presenter.snapshot()
                turns += 1
            assert rig.core.view - views <= 15
            assert turns > 50, "the flood leaves no room for anything else"
            flood.enough.set()
            await eventually(lambda: rig.core.desk.last_sale, seconds=90.0)
            assert flood.said >= STEP_LINES_MIN
            await eventually(lambda: rig.core.desk.steps == {})
