"""Finds a terminal protocol by the kind that the configuration names: a package of ours, or an entry point when somebody else wrote it."""

from __future__ import annotations

import importlib
import importlib.metadata
import pkgutil
from collections.abc import Mapping
from typing import cast

import drivers.terminals
from drivers.load import DriverContext, build_each
from drivers.settings import Settings
from drivers.terminals.contract import Build, TerminalDriver
from edge_agent.clock import Clock, Random

ENTRY_POINTS = "edge_agent.terminals"
"""The entry point group of terminal protocols from other packages; each names a ``build`` function under its kind."""


def kinds() -> tuple[str, ...]:
    """Every kind of terminal that can be configured here, sorted."""
    return tuple(sorted(_ours() | {point.name for point in importlib.metadata.entry_points(group=ENTRY_POINTS)}))


def load_terminal(kind: str, config: Mapping[str, object], context: DriverContext) -> TerminalDriver:
    """Build the terminal of ``kind`` from its own keys (without ``kind``). Raises ConfigError: where, key, expected, got."""
    if kind not in kinds():
        raise Settings(config, context.where).wrong("kind", f"one of {', '.join(kinds())}", kind)
    return _build_of(kind)(config, context)


def load_terminals(sections: Mapping[str, Mapping[str, object]], clock: Clock, random: Random, source: str) -> tuple[TerminalDriver, ...]:
    """Build every terminal of a configuration: ``{name: {"kind": kind, key: value ...}}``, read from the file ``source``.

    Opens nothing. Raises ConfigError for all that does not fit.
    """
    context = DriverContext(clock=clock, random=random)
    return build_each(sections, f"{source} [terminals.{{name}}]", load_terminal, context)


def _ours() -> set[str]:
    return {module.name for module in pkgutil.iter_modules(drivers.terminals.__path__) if module.ispkg}


def _build_of(kind: str) -> Build:
    if kind in _ours():
        return cast(Build, importlib.import_module(f"drivers.terminals.{kind}").build)
    (point,) = importlib.metadata.entry_points(group=ENTRY_POINTS, name=kind)
    return cast(Build, point.load())
