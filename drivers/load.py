"""Finds a driver by the kind that the configuration names: a module of ours, or an entry point when somebody else wrote it."""

from __future__ import annotations

import importlib
import importlib.metadata
import pkgutil
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar, cast

from msgspec import Struct
from msgspec.structs import replace

import drivers.devices
from drivers.contract import Driver, Wired
from drivers.settings import Settings
from edge_agent.clock import Clock, Random
from edge_agent.domain.errors import ConfigError

ENTRY_POINTS = "edge_agent.drivers"
"""The entry point group of drivers from other packages; each names a ``build`` function under its kind."""

_PLACES = ("port", "usb", "host", "path")
"""Keys that say where a device is."""

_KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Named(Protocol):
    """A driver of a device or of a terminal."""

    @property
    def name(self) -> str: ...


D = TypeVar("D", bound=Named)


class DriverContext(Struct, frozen=True):
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

    Opens nothing. Raises ConfigError for all that does not fit.
    """
    context = DriverContext(clock=clock, random=random)
    return build_each(devices, f"{source} [devices.{{name}}]", load_driver, context)


def build_each(
    sections: Mapping[str, Mapping[str, object]], where: str, load: Callable[[str, Mapping[str, object], DriverContext], D], context: DriverContext
) -> tuple[D, ...]:
    """What ``load`` builds of each section, whose place in the file ``where`` tells with ``{name}`` in it. Raises ConfigError for all that does not fit."""
    made: list[D] = []
    placed: list[D] = []  # those with mistakes too, as far as what is right of them says where they are
    found: list[ConfigError] = []
    for name, section in sections.items():
        here = replace(context, name=name, where=where.replace("{name}", name))
        kind = section.get("kind")
        try:
            if not isinstance(kind, str):
                raise Settings(section, here.where).wrong("kind", "text", kind)
            made.append(load(kind, {key: value for key, value in section.items() if key != "kind"}, here))
            placed.append(made[-1])
        except ConfigError as error:
            found.append(error)
            placed += _without_mistakes(section, error, load, here)
    found += _shared(placed, where)
    if found:
        raise ConfigError.together(found)
    return tuple(made)


def _without_mistakes(
    section: Mapping[str, object], error: ConfigError, load: Callable[[str, Mapping[str, object], DriverContext], D], context: DriverContext
) -> list[D]:
    """The driver of ``section``, whose mistaken keys count as not written; none where the rest is no driver, or may be elsewhere."""
    kind, mistaken = section.get("kind"), {mistake.args_shown.get("setting", "kind") for mistake in error.each}
    if not isinstance(kind, str) or mistaken & {"kind", *_PLACES}:
        return []
    try:
        return [load(kind, {key: value for key, value in section.items() if key not in (*mistaken, "kind")}, context)]
    except ConfigError:
        return []


def _shared(made: Sequence[Named], where: str) -> list[ConfigError]:
    """A mistake for each driver that is to use the wire of one before it."""
    first: dict[str, str] = {}
    found = []
    for driver in made:
        if isinstance(driver, Wired) and first.setdefault(driver.wire.address, driver.name) != driver.name:
            wire = driver.wire
            settings = Settings({}, where.replace("{name}", driver.name))
            found.append(settings.wrong(wire.key, f"another one than {first[wire.address]!r} has", wire.address))
    return found


def _build_of(kind: str) -> Build:
    ours = any(module.name == kind for module in pkgutil.iter_modules(drivers.devices.__path__))
    if ours:
        return cast(Build, importlib.import_module(f"drivers.devices.{kind}").build)
    (point,) = importlib.metadata.entry_points(group=ENTRY_POINTS, name=kind)
    return cast(Build, point.load())
