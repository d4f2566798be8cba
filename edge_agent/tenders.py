"""The ways of paying that a configuration names, built on the terminals that it describes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import edge_agent.payments
from drivers.terminals.contract import TerminalDriver
from edge_agent import plugins
from edge_agent.config import Config, Tender
from edge_agent.config_mistakes import in_file
from edge_agent.counter_devices import Devices
from edge_agent.domain.errors import ConfigError
from edge_agent.ports import TenderMethod


def tender_methods(config: Config, terminals: Mapping[str, TerminalDriver], devices: Devices) -> tuple[TenderMethod, ...]:
    """The ways of paying that the configuration names, each a module of ``edge_agent.payments``. Raises ConfigError for all that do not fit.

    One on a terminal that is configured but not among ``terminals`` is left out: what is wrong with that terminal is told where it is built.
    """
    methods: list[TenderMethod] = []
    found: list[ConfigError] = []
    for at, tender in enumerate(config.tenders):
        where = f"{config.source} [[tenders]] number {config.tender_number(at)}"
        try:
            _require_new(config, at, where)
            build = _tender_kind(tender, where)
            if tender.terminal not in config.terminals or tender.terminal in terminals:
                methods.append(_tender_method(config, tender, build, where, terminals, devices))
        except ConfigError as problem:
            found.append(problem)
    if found:
        raise ConfigError.together(found)
    return tuple(methods)


def _require_new(config: Config, at: int, where: str) -> None:
    tender, before = config.tenders[at], config.tenders[:at]
    if tender in before:
        on, number = f" on {tender.terminal}" if tender.terminal else "", config.tender_number(before.index(tender))
        text = f"{where}: key 'kind': expected another way of paying, got {tender.kind}{on} again, which is number {number}."
        raise ConfigError(text, hint="Remove one of the two.", reason="tenders")


def _tender_kind(tender: Tender, where: str) -> Any:
    build = plugins.find(edge_agent.payments, plugins.PAYMENTS, tender.kind, "build")
    if build is None:
        names = ", ".join(name for name in plugins.known(edge_agent.payments, plugins.PAYMENTS) if name != "providers")
        raise ConfigError(f"{where}: key 'kind': expected one of {names}, got {tender.kind!r}.", hint="Correct the name.", reason="tenders")
    return build


def _tender_method(config: Config, tender: Tender, build: Any, where: str, terminals: Mapping[str, TerminalDriver], devices: Devices) -> TenderMethod:
    if tender.terminal and tender.terminal not in terminals:
        names = ", ".join(sorted(config.terminals)) or "there is none"
        text = f"{where}: key 'terminal': expected a [terminals.NAME] section ({names}), got {tender.terminal!r}."
        raise ConfigError(text, hint="Add the section, or mend the name.", reason="tenders")
    try:
        method: TenderMethod = build({}, terminals.get(tender.terminal), partial(devices.unwell, tender.terminal))
    except ConfigError as problem:
        raise in_file(where, problem) from problem
    return method
