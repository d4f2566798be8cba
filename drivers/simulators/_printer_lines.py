"""What a person types to a simulated receipt printer."""

from __future__ import annotations

from typing import Protocol

from msgspec.structs import replace

from drivers.simulators._escpos_machine import Switches

COMMANDS = """type a line:
  !paper out, !paper low, !paper in    the roll is at its end; nearly; a new one
  !cover open, !cover closed
  !error, !repaired                    the knife is stuck; it goes again
  !stuck, !loose                       takes bytes and does nothing; works them off
  !offline, !online
  !unplug, !plug                       pull the network cable, put it in again
  !tear                                tear the paper off by hand
"""


class SimulatedPrinter(Protocol):
    """What the simulated printer can do."""

    @property
    def switches(self) -> Switches: ...

    def set(self, switches: Switches) -> None: ...

    def tear(self) -> None: ...

    def plug(self) -> None: ...

    def unplug(self) -> None: ...


def obey(printer: SimulatedPrinter, line: str) -> str:
    """Do what one typed line says; what to tell the person."""
    switches = printer.switches
    match line.strip():
        case "":
            return ""
        case "!unplug":
            printer.unplug()
        case "!plug":
            printer.plug()
        case "!tear":
            printer.tear()
        case "!paper out":
            printer.set(replace(switches, paper_out=True))
        case "!paper low":
            printer.set(replace(switches, paper_low=True, paper_out=False))
        case "!paper in":
            printer.set(replace(switches, paper_low=False, paper_out=False))
        case "!cover open":
            printer.set(replace(switches, cover_open=True))
        case "!cover closed":
            printer.set(replace(switches, cover_open=False))
        case "!error":
            printer.set(replace(switches, error=True))
        case "!repaired":
            printer.set(replace(switches, error=False))
        case "!stuck":
            printer.set(replace(switches, stuck=True))
        case "!loose":
            printer.set(replace(switches, stuck=False))
        case "!offline":
            printer.set(replace(switches, offline=True))
        case "!online":
            printer.set(replace(switches, offline=False))
        case _:
            return COMMANDS.rstrip()
    return f"done: {line.strip()}"
