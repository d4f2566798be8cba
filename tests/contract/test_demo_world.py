"""The world around the register and the panel that plays it, with a real service and a real central between them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from edge_agent import views as v
from edge_agent.clock import SystemClock
from edge_agent.config import load_config
from edge_agent.demo.counter import DemoCounter
from edge_agent.demo.panel import WorldPanel
from edge_agent.demo.shops import SHOPS
from edge_agent.demo.waiting import Screen
from edge_agent.demo.words import TEXTS, Words
from edge_agent.demo.world import World
from edge_agent.domain.errors import ConfigError
from edge_agent.hosting import check_config, in_process


def test_the_configuration_finds_every_device_and_nothing_stays_behind(tmp_path: Path) -> None:
    with World(tmp_path, SystemClock(), ("127.0.0.1", 9)) as world:
        told = check_config(load_config(world.config_path))
        assert [line.split()[1].rstrip(":") for line in told if line.startswith(("device", "terminal"))] == ["scanner", "nfc", "printer", "terminal-1"]
        ports = [world.printer.port, world.terminal.port, world.network.port]
        names = [Path(world.scanner.path), Path(world.reader.path)]
        assert all(name.exists() for name in names)
        run = names[0].parent
    assert not run.exists()
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 5.0)


def test_every_text_is_there_in_both_languages_with_the_same_values() -> None:
    for key, (english, german) in TEXTS.items():
        assert english, key
        assert german, key
        for value in ("{person}", "{what}"):
            assert (value in english) == (value in german), key
    assert english_and_german("tap.done") == ("Maria held the tag to the reader.", "Maria hat den Anhänger an den Leser gehalten.")


def english_and_german(key: str) -> tuple[str, str]:
    return Words("en")(key, person="Maria"), Words("de_DE")(key, person="Maria")


def changed(snapshot: v.Snapshot) -> str:
    """What was sold last, as a person calls it."""
    assert snapshot.basket is not None
    held = next(line for line in snapshot.basket.lines if line.id == snapshot.basket.changed)
    return ", ".join(part for part in (held.name, held.variant, held.batch) if part)


def alike(snapshot: v.Snapshot) -> int:
    """How many pieces of the batch that was sold last are in the basket."""
    assert snapshot.basket is not None
    last = snapshot.basket.lines[-1]
    return sum(line.pieces for line in snapshot.basket.lines if (line.sku, line.batch) == (last.sku, last.batch))


class Player:
    """Presses the panel's keys and waits for what the counter shows."""

    def __init__(self, panel: WorldPanel, screen: Screen) -> None:
        self.panel = panel
        self.screen = screen

    async def press(self, key: str, what: str, condition: Callable[[v.Snapshot], bool], seconds: float = 10.0) -> v.Snapshot:
        since = SystemClock().now_ms()
        said = await self.panel.perform(key)
        assert said, key
        return await self.screen.until(f"{what} ({said})", lambda snapshot: condition(snapshot) and snapshot.at_ms >= since, seconds)

    def text(self, key: str) -> str:
        return next(action.text for action in self.panel.actions() if action.key == key)

    async def notice(self, key: str, notice: str) -> None:
        await self.press(key, notice, lambda snapshot: snapshot.notice is not None and snapshot.notice.key == notice)

    async def device(self, key: str, name: str, *states: str) -> None:
        await self.press(key, name, lambda snapshot: any(device.name == name and device.state in states for device in snapshot.devices))


async def test_every_key_of_the_panel_does_what_it_says(tmp_path: Path) -> None:
    with ExitStack() as exits:
        demo = DemoCounter(tmp_path, 1, SHOPS["DE"], Words("en"), step_seconds=0.2)
        await asyncio.to_thread(demo.open, exits)
        async with demo.running() as (agent, panel), Screen(in_process(agent)) as screen:
            assert (await screen.until("open", lambda snapshot: snapshot.phase == "ready")).notice is not None
            for device in ("scanner", "nfc", "printer", "terminal-1"):
                await screen.until_device(device, "ready")
            keys = [action.key for action in panel.actions()]
            assert len(set(keys)) == len(keys)
            assert all(len(key) == 1 for key in keys)
            player = Player(panel, screen)
            for play in (play_goods, play_people, play_devices, play_payments, play_network):
                await play(player)


async def test_a_kept_demo_goes_on_where_it_was_left(tmp_path: Path) -> None:
    for sales in (1, 2):
        with ExitStack() as exits:
            demo = DemoCounter(tmp_path, sales, SHOPS["US"], Words("en"))
            await asyncio.to_thread(demo.open, exits)
            async with demo.running() as (agent, panel), Screen(in_process(agent)) as screen:
                await screen.until_device("scanner", "ready")
                await Player(panel, screen).press("a", "one article", lambda snapshot: snapshot.basket is not None and snapshot.basket.articles == 1)
                await screen.send(v.PayCash())
                assert len(await screen.client.sales()) == sales
    with ExitStack() as exits, pytest.raises(ConfigError, match="0002"):
        DemoCounter(tmp_path, 1, SHOPS["DE"], Words("en")).open(exits)


async def play_goods(player: Player) -> None:
    await player.press("a", "one article", lambda snapshot: snapshot.basket is not None and snapshot.basket.articles == 1)
    await player.press("s", "two of it", lambda snapshot: snapshot.basket is not None and snapshot.basket.lines[0].pieces == 2)
    await player.press("w", "a weighed line", lambda snapshot: snapshot.basket is not None and snapshot.basket.lines[-1].pieces == 0)
    batch = player.text("b")
    await player.press("b", "a line with a batch", lambda snapshot: snapshot.basket is not None and snapshot.basket.lines[-1].batch.startswith("B"))
    assert player.text("s") == "Scan again: " + batch.partition(": ")[2]
    label = batch.partition(": ")[2]
    await player.press("s", "another of that batch", lambda snapshot: snapshot.basket is not None and changed(snapshot) == label and alike(snapshot) == 2)
    wanted = player.text("a").removeprefix("Scan ")
    await player.press("a", "the article that was named", lambda snapshot: snapshot.basket is not None and changed(snapshot) == wanted)
    await player.notice("x", "code_invalid.check_digit")
    await player.notice("u", "code_unknown.article")
    await player.press("m", "a colleague signed in", lambda snapshot: snapshot.shift is not None and snapshot.shift.operator == "Jonas Brandt")


async def play_people(player: Player) -> None:
    await player.press("1", "Maria", lambda snapshot: snapshot.customer is not None and snapshot.customer.name == "Maria Fernandez")
    await player.press("4", "her cart", lambda snapshot: snapshot.basket is not None and snapshot.basket.to_pick == 3)
    await player.press("5", "the coat picked", lambda snapshot: snapshot.basket is not None and snapshot.basket.to_pick == 2)
    assert "Wool coat" in await player.panel.perform("6")
    await player.screen.until("the heading follows the change online", lambda snapshot: online(snapshot) == "changed")
    await player.notice("8", "code_invalid.bank_card")
    await player.notice("9", "code_invalid.random_uid")
    said = await player.panel.perform("7")
    assert "Maria" not in said
    asked = await player.press("3", "asked whose basket it is", lambda snapshot: snapshot.question is not None)
    assert asked.question is not None
    await player.screen.send(v.Answer(asked.question.id, "keep"))


def online(snapshot: v.Snapshot) -> str:
    """What became of the loaded cart online."""
    cart = snapshot.customer.cart if snapshot.customer else None
    return cart.online if cart else ""


async def play_devices(player: Player) -> None:
    for key, name in (("c", "scanner"), ("n", "nfc"), ("t", "printer")):
        before = {action.key: action.text for action in player.panel.actions()}[key]
        await player.device(key, name, "lost", "absent")
        if name == "scanner":
            wanted = player.text("5")
            for scans in "a5":
                assert await player.panel.perform(scans) == "The scanner is unplugged: C plugs it in."
            assert player.text("5") == wanted
        assert {action.key: action.text for action in player.panel.actions()}[key] != before
        await player.device(key, name, "ready")
    await player.panel.perform("p")
    await player.device("o", "printer", "degraded")
    await player.panel.perform("p")
    await player.device("o", "printer", "ready")


async def play_payments(player: Player) -> None:
    screen = player.screen
    await player.panel.perform("l")
    await player.panel.perform("d")  # in its place, not after it
    assert [key for key in "dhfl" if player.text(key).endswith("(set up)")] == ["d"]
    await screen.send(v.PayCard())
    await screen.until("declined", lambda snapshot: snapshot.notice is not None and snapshot.notice.key == "notice.payment_declined")
    assert not any(player.text(key).endswith("(set up)") for key in "dhfl")
    await player.panel.perform("h")
    await screen.send(v.PayCard())
    await screen.until("one unit paid", lambda snapshot: snapshot.payment is not None and snapshot.payment.paid.minor == 100)
    await player.panel.perform("f")
    await screen.send(v.PayCard())
    await screen.until("the card awaited", lambda snapshot: attempt_step(snapshot) == "present_card")
    await player.press("r", "cancelled", lambda snapshot: snapshot.notice is not None and snapshot.notice.key == "notice.payment_cancelled")
    await player.panel.perform("l")
    await screen.send(v.PayCard())
    await screen.until("paid, as the terminal says when asked", lambda snapshot: snapshot.phase == "ready" and snapshot.last_sale is not None, 20.0)
    await player.panel.perform("k")
    await player.panel.perform("k")


async def play_network(player: Player) -> None:
    await player.panel.perform("2")
    await player.panel.perform("y")
    await player.press("a", "an article offline", lambda snapshot: snapshot.basket is not None and snapshot.basket.articles == 1)
    await player.screen.send(v.PayCash())
    await player.screen.until("offline", lambda snapshot: snapshot.link.state == "offline" and snapshot.phase == "ready")
    await player.panel.perform("y")
    for key in ("z", "z", "v", "v"):
        assert await player.panel.perform(key)
    assert "restarted" in await player.panel.perform("q")
    await player.screen.until("in step again", lambda snapshot: snapshot.link.state == "in_step" and snapshot.link.waiting == 0, 60.0)


def attempt_step(snapshot: v.Snapshot) -> str:
    return snapshot.payment.attempt.step if snapshot.payment is not None and snapshot.payment.attempt is not None else ""
