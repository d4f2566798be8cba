"""The world around one register: simulated devices on real ptys and sockets, the network to central, and the configuration that finds them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from drivers.simulators.card_terminal import CardTerminal
from drivers.simulators.pn532 import PtyPn532
from drivers.simulators.receipt_printer import ReceiptPrinterSimulator
from drivers.simulators.serial_scanner import PtyScanner
from edge_agent.clock import Clock
from edge_agent.demo.network import Network

LOOPBACK = "127.0.0.1"


class World:
    """Everything outside the service. Plugged, listening and configured on entering the context; gone without a trace after it.

    ``folder`` keeps what a shop would keep: the register's state, the terminal's books, the receipts. Ports' names and the API's socket
    are in a short-lived folder of their own, as under ``/run``. ``central`` is where the network leads. ``language`` is what the
    terminal prints in, ``step_seconds`` how long it takes for each step; with ``pictures`` every receipt is also written to the folder as text
    and picture.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        central: tuple[str, int],
        *,
        network_port: int = 0,
        language: str = "en",
        step_seconds: float = 0.0,
        pictures: bool = False,
    ) -> None:
        self.folder = folder
        self._exits = ExitStack()
        self._run = Path(self._exits.enter_context(tempfile.TemporaryDirectory(prefix="edge-")))
        self.scanner = PtyScanner(self._run / "scanner")
        self.reader = PtyPn532(self._run / "nfc")
        self.printer = ReceiptPrinterSimulator(clock, folder=folder / "receipts" if pictures else None)
        self.terminal = CardTerminal(folder / "terminal.jsonl", clock, language=language, step_seconds=step_seconds)
        self.network = Network(central, port=network_port)

    def __enter__(self) -> Self:
        try:
            for part in (self.scanner, self.reader, self.printer, self.terminal, self.network):
                self._exits.enter_context(part)
            self.config_path.write_text(self.config_text(), encoding="utf-8")
        except BaseException:
            self._exits.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._exits.close()

    @property
    def config_path(self) -> Path:
        """The register's configuration file."""
        return self.folder / "register.toml"

    @property
    def socket(self) -> Path:
        """The local API's Unix socket."""
        return self._run / "api.sock"

    def config_text(self) -> str:
        """The register's configuration: two device files, two network devices, two ways of paying.

        The terminal's times fit a simulator on this computer, which takes a request up at once or never.
        """
        sections: dict[str, Mapping[str, object]] = {
            "api": {"socket": str(self.socket)},
            "devices.scanner": {"kind": "serial_scanner", "port": self.scanner.path, "host_commands": "honeywell"},
            "devices.nfc": {"kind": "nfc_reader", "path": f"port:{self.reader.path}"},
            "devices.printer": {"kind": "receipt_printer", "host": LOOPBACK, "port": self.printer.port, "columns": 42, "drawer": "pin2"},
            "terminals.terminal-1": {"kind": "counter_link", "host": LOOPBACK, "port": self.terminal.port, "answer_seconds": 6.0, "settle_seconds": 2.0},
        }
        lines = [f"state = {json.dumps(str(self.folder / 'register'))}", 'tenders = [{kind = "cash"}, {kind = "card_terminal", terminal = "terminal-1"}]']
        for name, keys in sections.items():
            lines += ["", f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items())]
        return "\n".join(lines) + "\n"
