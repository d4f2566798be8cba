"""Finds a driver by the kind that the configuration names: a module of ours, or an entry point when somebody else wrote it."""

from __future__ import annotations

import importlib
import importlib.metadata
import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import drivers.devices
from drivers.contract import Driver
from drivers.settings import REQUIRED, Settings
from edge_agent.clock import Clock, Random

ENTRY_POINTS = "edge_agent.drivers"
"""The entry point group of drivers from other packages; each names a ``build`` function under its kind."""

_KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class DriverContext:
    """What a driver is built with besides its own keys.

    ``name`` is the configured name of the device (it stands on every reading); ``where`` names the file and section of its
    configuration for messages, for example ``edge.toml [devices.scanner]``.
    """

    clock: Clock
    random: Random
    name: str = "device"
    where: str = "configuration"


Build = Callable[[Mapping[str, object], DriverContext], Driver]
"""``build(config, context)``: what each ``drivers.devices.<kind>`` module and each entry point offers. Opens nothing; raises ConfigError."""


def kinds() -> tuple[str, ...]:
    """Every kind that can be configured here, sorted: our modules (without a leading underscore) and entry points."""
    ours = {module.name for module in pkgutil.iter_modules(drivers.devices.__path__) if not module.name.startswith("_")}
    return tuple(sorted(ours | {point.name for point in importlib.metadata.entry_points(group=ENTRY_POINTS)}))


def load_driver(kind: str, config: Mapping[str, object], context: DriverContext) -> Driver:
    """Build the driver of ``kind`` from its own keys (without ``kind``). Raises ConfigError: where, key, expected, got."""
    known = kinds()
    if not _KIND.fullmatch(kind) or kind not in known:
        raise Settings(config, context.where).wrong("kind", f"one of {', '.join(known)}", kind)
    return _build_of(kind)(config, context)


def load_drivers(devices: Mapping[str, Mapping[str, object]], clock: Clock, random: Random, source: str) -> tuple[Driver, ...]:
    """Build every device of a configuration: ``{name: {"kind": kind, key: value ...}}``, read from the file ``source``.

    Opens nothing. Raises ConfigError for the first key that does not fit.
    """
    made = []
    for name, section in devices.items():
        context = DriverContext(clock=clock, random=random, name=name, where=f"{source} [devices.{name}]")
        kind = Settings(section, context.where).text("kind", REQUIRED)
        made.append(load_driver(kind, {key: value for key, value in section.items() if key != "kind"}, context))
    return tuple(made)


def _build_of(kind: str) -> Build:
    ours = any(module.name == kind for module in pkgutil.iter_modules(drivers.devices.__path__))
    if ours:
        return cast(Build, importlib.import_module(f"drivers.devices.{kind}").build)
    (point,) = importlib.metadata.entry_points(group=ENTRY_POINTS, name=kind)
    return cast(Build, point.load())
