"""Sizes, themes and terminals: nothing overflows, nothing is unreachable, and every colour is one that the terminal has."""

from __future__ import annotations

import msgspec
import pytest
from rich.color import ColorType

from edge_agent.views import AddArticle, Enter, PayCash
from tests.support_service import ScriptedService, article
from tests.support_snapshots import COAT, DEVICES, MARIA, PRALINES, READY, SALE, SCARF, SOCKS, TERMINAL_AWAY, UNKNOWN_CODE, line, selling
from tests.support_till import Till, till
from tui.screens.sale import SaleScreen
from tui.themes import NAMES

replace = msgspec.structs.replace
FULL = selling(COAT, SOCKS, PRALINES, SCARF, customer=MARIA, notice=UNKNOWN_CODE, devices=[*DEVICES[:3], TERMINAL_AWAY])


def colours(counter: Till) -> set[ColorType]:
    """The kinds of colours that are on the screen."""
    kinds: set[ColorType] = set()
    for strip in counter.app.screen._compositor.render_strips():
        for segment in strip:
            if segment.style is not None:
                kinds |= {colour.type for colour in (segment.style.color, segment.style.bgcolor) if colour is not None}
    return kinds


@pytest.mark.parametrize("theme", NAMES)
async def test_every_theme_draws_every_screen(theme: str) -> None:
    async with till(FULL, theme=theme, size=(100, 30)) as counter:
        assert counter.app.theme == f"counter-{theme}"
        for keys in ((), ("f2",), ("escape", "f4"), ("escape", "f9"), ("escape", "f1"), ("escape", "delete"), ("escape", "f8")):
            await counter.press(*keys)
            kinds = colours(counter)
            assert kinds == ({ColorType.STANDARD} if theme == "sixteen" else {ColorType.TRUECOLOR})


async def test_the_colours_key_goes_through_all_themes_while_one_looks() -> None:
    async with till(FULL) as counter:
        seen = []
        for _ in NAMES:
            seen.append(counter.app.theme)
            await counter.press("f9", "c")
            await counter.sees("Wool coat")
        assert sorted(seen) == sorted(f"counter-{name}" for name in NAMES)
        assert counter.app.theme == seen[0]


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (100, 30), (120, 40), (200, 60), (40, 15)])
async def test_at_every_size_the_total_and_the_newest_line_are_in_sight(size: tuple[int, int]) -> None:
    many = [line(n, f"Article {n}", 100 * n) for n in range(1, 31)]
    async with till(selling(*many), size=size) as counter:
        await counter.sees("Article 30", "F1 help", "F2 pay", "EUR")
        assert max(len(row) for row in counter.text().split("\n")) <= size[0]


async def test_a_terminal_that_is_resized_in_the_middle_of_a_sale_keeps_everything() -> None:
    async with till(FULL, size=(120, 40)) as counter:
        await counter.type("40")
        await counter.sees("Maria Fernandez", "Online cart", "█▀▀")
        await counter.pilot.resize_terminal(60, 20)
        await counter.sees("Basket · Maria Fernandez", "› 40")
        await counter.pilot.resize_terminal(60, 16)
        await counter.sees("200,64 EUR")
        await counter.pilot.resize_terminal(120, 40)
        await counter.sees("2.310 points", "█▀▀", "› 40")


async def test_on_the_smallest_screen_a_sale_is_made_from_the_first_code_to_the_change() -> None:
    service = ScriptedService(READY)
    service.articles = [article("SKU-1", "Wool coat", "navy, 38", "04006381333931", 19900, "199,00")]
    service.on(Enter, lambda snapshot, command: selling(SOCKS))
    service.on(AddArticle, lambda snapshot, command: selling(SOCKS, COAT))
    service.on(PayCash, lambda snapshot, command: replace(READY, last_sale=SALE))
    async with till(service, size=(60, 20)) as counter:
        await counter.type("40")
        await counter.press("enter")
        await counter.sees("Socks, merino")
        await counter.press("f4")
        await counter.type("coat")
        await counter.press("enter")
        await counter.sees("› Wool coat, navy, 38")
        await counter.press("f2")
        await counter.type("250")
        await counter.press("enter")
        await counter.sees("Change", "█ █ █▀█   ▀▀█ █▀▀")


async def test_tab_reaches_every_pane_and_typing_comes_back_to_the_line() -> None:
    async with till(FULL) as counter:
        topics = set()
        for _ in range(4):
            await counter.press("tab")
            screen = counter.app.screen
            assert isinstance(screen, SaleScreen)
            topics.add(screen.focus_topic)
        assert topics == {"sale", "basket", "customer", "status"}
        await counter.type("7")
        await counter.sees("› 7")


async def test_names_of_every_script_and_hostile_text_stay_within_their_columns() -> None:
    odd = [
        line(1, "مريم الحسن", 100),
        line(2, "प्रिया शर्मा", 200),
        line(3, "王小明的羊毛外套", 300),
        line(4, "Coat\x1b[2J\x07\u202etaoc", 400),
        line(5, "x" * 300, 500),
    ]
    async with till(selling(*odd, customer=replace(MARIA, name="Ayşe\x1b]0;owned\x07")), size=(80, 24)) as counter:
        await counter.sees("王小明的羊毛外套", "Coat·[2J··taoc")
        assert "\x1b" not in counter.text()
        assert "\x07" not in counter.text()
