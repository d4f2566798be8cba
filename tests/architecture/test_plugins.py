"""Every plug-in is found by its name and offers what its kind has to; a name that is none is told with the names that are."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pkgutil
from collections.abc import Callable

import pytest

import drivers.devices
import drivers.terminals
import edge_agent.payments
import sync.connectors
from drivers.load import DriverContext, kinds, load_driver
from drivers.terminals.load import kinds as terminal_kinds
from drivers.terminals.load import load_terminal
from edge_agent.bootstrap import connector_part
from edge_agent.clock import SystemClock, SystemRandom
from edge_agent.config import Config, Tender
from edge_agent.counter_devices import Devices
from edge_agent.domain.errors import ConfigError
from edge_agent.domain.tender import TenderKind
from edge_agent.tenders import tender_methods

CONTEXT = DriverContext(SystemClock(), SystemRandom(), "desk", "edge.toml [devices.desk]")
HELPERS = {"sync.connectors.contract": "what a connector is, not one", "drivers.terminals.contract": "what a terminal is, not one"}
"""Public modules beside the plug-ins that are none, and why."""


def found(package: object, *, packages: bool = False) -> list[str]:
    """The plug-ins in a package: its public modules (or packages)."""
    name, path = package.__name__, package.__path__  # type: ignore[attr-defined]  # a package is a module with a path
    return [
        module.name
        for module in pkgutil.iter_modules(path)
        if module.ispkg is packages and not module.name.startswith("_") and f"{name}.{module.name}" not in HELPERS
    ]


DEVICES = found(drivers.devices)
TERMINALS = found(drivers.terminals, packages=True)
PAYMENTS = found(edge_agent.payments)
CONNECTORS = found(sync.connectors)


def test_there_are_plug_ins_of_every_kind() -> None:
    assert {"serial_scanner", "nfc_reader", "receipt_printer"} <= set(DEVICES)
    assert {"counter_link"} <= set(TERMINALS)
    assert {"cash", "card_terminal"} <= set(PAYMENTS)
    assert {"http"} <= set(CONNECTORS)
    assert all(reason and importlib.import_module(name) for name, reason in HELPERS.items())


def offer(module: str, name: str, parameters: list[str]) -> Callable[..., object]:
    """The function called ``name`` of ``module``, with those parameters and a docstring."""
    build: Callable[..., object] = getattr(importlib.import_module(module), name)
    assert list(inspect.signature(build).parameters) == parameters
    assert build.__doc__
    return build


@pytest.mark.parametrize("kind", DEVICES)
def test_a_device_is_built_by_its_kind_and_says_what_it_lacks(kind: str) -> None:
    offer(f"drivers.devices.{kind}", "build", ["config", "context"])
    assert kind in kinds()
    with pytest.raises(ConfigError) as caught:
        load_driver(kind, {"no_such_key": 1}, CONTEXT)
    assert caught.value.message.startswith("edge.toml [devices.desk]: ")


@pytest.mark.parametrize("kind", TERMINALS)
def test_a_terminal_is_built_by_its_kind_and_says_what_it_lacks(kind: str) -> None:
    offer(f"drivers.terminals.{kind}", "build", ["config", "context"])
    assert kind in terminal_kinds()
    with pytest.raises(ConfigError) as caught:
        load_terminal(kind, {"no_such_key": 1}, CONTEXT)
    assert caught.value.message.startswith("edge.toml [devices.desk]: ")


@pytest.mark.parametrize("kind", PAYMENTS)
def test_a_way_of_paying_is_found_by_its_name(kind: str) -> None:
    offer(f"edge_agent.payments.{kind}", "build", ["config", "terminal", "unwell"])


@pytest.mark.parametrize("name", CONNECTORS)
def test_a_connector_is_found_by_its_name(name: str) -> None:
    offer(f"sync.connectors.{name}", "connect", ["settings"])
    assert connector_part(Config(connector=name), "connect") is importlib.import_module(f"sync.connectors.{name}").connect


UNKNOWN = ["telepathy", "", "os", "../cash", "cash.build", "_http_exchange", "contract", "x" * 200]


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_name_that_is_no_plug_in_is_refused_wherever_one_is_asked_for(name: str) -> None:
    for load, known in ((load_driver, "serial_scanner"), (load_terminal, "counter_link")):
        with pytest.raises(ConfigError) as caught:
            load(name, {}, CONTEXT)
        assert known in caught.value.message
        assert repr(name) in caught.value.message
    with pytest.raises(ConfigError, match=r"key 'connector': expected one of http, got ") as caught:
        connector_part(Config(connector=name), "connect")
    assert caught.value.hint


@pytest.mark.parametrize("name", UNKNOWN)
async def test_a_way_of_paying_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"number 2: key 'kind': expected one of card_terminal, cash, got ") as caught:
        tender_methods(Config(tenders=[Tender("cash"), Tender(name)]), {}, nothing())
    assert caught.value.hint


async def test_a_way_of_paying_that_is_none_is_refused_also_on_a_terminal_that_cannot_be_built() -> None:
    with pytest.raises(ConfigError, match=r"number 1: key 'kind': expected one of card_terminal, cash, got 'barter'"):
        tender_methods(Config(tenders=[Tender("barter", "desk")], terminals={"desk": {"kind": "telex"}}), {}, nothing())
    assert tender_methods(Config(tenders=[Tender("card_terminal", "desk")], terminals={"desk": {"kind": "telex"}}), {}, nothing()) == ()


async def test_cash_needs_nothing_and_a_card_needs_its_terminal() -> None:
    (cash,) = tender_methods(Config(tenders=[Tender("cash")]), {}, nothing())
    assert (cash.kind, cash.terminal, cash.availability()) == (TenderKind.CASH, None, "")
    with pytest.raises(ConfigError, match="terminal"):
        tender_methods(Config(tenders=[Tender("card_terminal")]), {}, nothing())
    with pytest.raises(ConfigError, match=r"key 'terminal': expected .* got 'desk'"):
        tender_methods(Config(tenders=[Tender("card_terminal", "desk")]), {}, nothing())
    terminal = load_terminal("counter_link", {"host": "192.0.2.20", "port": 20008}, CONTEXT)
    (card,) = tender_methods(Config(tenders=[Tender("card_terminal", "desk")]), {"desk": terminal}, nothing())
    assert (card.kind, card.terminal) == (TenderKind.CARD, terminal)


def nothing() -> Devices:
    return Devices(asyncio.get_running_loop(), lambda: None, lambda: None)
