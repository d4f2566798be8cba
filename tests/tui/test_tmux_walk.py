"""The counter walked by real keys in a real terminal: the ten things that an associate does most, on the demo's devices, and what stays behind."""

from __future__ import annotations

import re
import sys

import pytest

from tests.support import need_program
from tests.support_tmux import Terminal

DEMO = [sys.executable, "-m", "edge_agent", "demo", "--seed", "7"]
STARTS_SECONDS_MAX = 90.0
PANEL = {"en": "Demo: the customer and the world", "de": "Demo: der Kunde und die Umgebung"}

SOLD = r"^› .*\d,\d\d *$"
"""The marked line of the basket: the one that was scanned last."""

pytestmark = [pytest.mark.peer, pytest.mark.xdist_group("tmux"), pytest.mark.timeout(420)]


class Associate:
    """Somebody at the counter, and F12 to play everybody else."""

    def __init__(self, terminal: Terminal, language: str, *, wide: bool) -> None:
        self.terminal = terminal
        self._panel = PANEL[language]
        self._wide = wide

    def world(self, key: str) -> None:
        """Have something happen by the panel. Beside a wide counter the panel stays until it is closed; over a small one it closes by itself."""
        self.terminal.press("F12")
        self.terminal.sees(self._panel)
        self.terminal.press(key)
        if self._wide:
            self.terminal.press("F12")
        self.terminal.misses(self._panel)

    def scans(self) -> None:
        """The next customer's first article."""
        self.world("a")
        self.terminal.sees("1 article ·")

    def insists(self, key: str, seen: str) -> None:
        """Press a key again and again until something is seen: for a moment after a declined card the counter takes no money, so that nobody
        pays with a key that was meant for the terminal."""

        def done() -> bool:
            if seen not in self.terminal.running():
                self.terminal.press(key)
            return seen in self.terminal.running()

        self.terminal.until(done, f"{key} leading to {seen!r}")

    def row(self, pattern: str) -> str:
        """Wait for a row that matches, and give it."""
        self.terminal.until(lambda: self._found(pattern) is not None, f"a row like {pattern!r}")
        found = self._found(pattern)
        assert found is not None
        return found

    def _found(self, pattern: str) -> str | None:
        return next((row for row in self.terminal.text().split("\n") if re.search(pattern, row)), None)

    def due(self) -> int:
        """What the pay screen offers to be paid exactly in cash, in cents; the pay screen is left open."""
        self.terminal.press("F2")
        offered = re.search(r"([\d.]+,\d\d)\s*│?\s*$", self.row(r"Enter .*(cash, exact|bar, passend)"))
        assert offered is not None
        return int(re.sub(r"\D", "", offered[1]))

    def receipt(self) -> str:
        """The receipt that the screen names."""
        found = re.search(r"R-\d{4}-\d\d-\d{6}", self.row(r"R-\d{4}-\d\d-\d{6}"))
        assert found is not None
        return found[0]


def amount(minor: int) -> str:
    return f"{minor // 100},{minor % 100:02}"


def cents(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def nothing_left(terminal: Terminal) -> None:
    assert terminal.processes() == []
    assert terminal.left_behind() == []


def test_the_walk_at_80_by_24() -> None:
    need_program("tmux", "tmux")
    with Terminal(DEMO, (80, 24)) as terminal:
        associate = Associate(terminal, "en", wide=False)
        terminal.sees("Setting up the sample shop")
        terminal.sees("Scan an article", "in step with central", "● scanner", "● NFC", "● printer", "● card terminal", seconds=STARTS_SECONDS_MAX)
        goods(associate)
        customer_and_cart(associate)
        cash(associate)
        card(associate)
        unclear_card(associate)
        aside_void_and_past(associate)
        refusals(associate)
        cables(associate)
        burst(associate)
        terminal.press("F9", "x")
        assert terminal.ended() == 0
        assert terminal.text().split() == []  # the demo's own screen is gone, and nothing was said after it
        nothing_left(terminal)


def goods(associate: Associate) -> None:
    """Scan, scan again, type a code with a quantity, find by typing, ask a price."""
    terminal = associate.terminal
    associate.world("a")
    price = cents(associate.row(SOLD)[-12:])
    associate.world("s")
    assert cents(associate.row(r"2 × ")[-12:]) == 2 * price

    terminal.press("F4")
    terminal.sees("Find an article")
    terminal.type("coat navy 38")
    found = associate.row(r"Wool coat, navy, 38 +\d{13} ")
    code = re.search(r"\d{13}", found)
    assert code is not None
    coat = cents(found[-12:])
    terminal.press("Escape")
    terminal.misses("Find an article")
    terminal.type(f"3*{code[0]}")
    terminal.press("Enter")
    assert cents(associate.row(r"Wool coat, navy, 38 +3 × ")[-12:]) == 3 * coat
    terminal.press("-")
    assert cents(associate.row(r"Wool coat, navy, 38 +2 × ")[-12:]) == 2 * coat

    terminal.press("F10")
    terminal.sees("How much is this?", "Esc: sell again")
    associate.world("s")
    terminal.sees("not sold")
    terminal.press("Escape")
    terminal.misses("not sold")
    associate.row(r" 2 × ")
    associate.row(r"Wool coat, navy, 38 +2 × ")  # a price that was asked for changed nothing

    terminal.press("F4")
    terminal.sees("Find an article")
    terminal.type("panettone 500")
    associate.row(r"Panettone, 500 g +\d{13}")
    terminal.press("Enter")
    terminal.misses("Find an article")
    associate.row(r"Panettone, 500 g +\d")


def customer_and_cart(associate: Associate) -> None:
    """A tag brings the customer and their prices; their online cart comes in to be picked, and picking does not double it."""
    terminal = associate.terminal
    associate.world("1")
    terminal.sees("Maria Fernandez", "Gold", "F5 Online cart", "prices changed the total")
    before, after = re.findall(r"[\d.]+,\d\d", associate.row(r"prices changed the total.*→"))
    assert cents(after) < cents(before)
    terminal.sees("member price, else 199,00")

    terminal.press("F5")
    associate.row(r"still to pick: (\d+)")
    to_pick = picking(associate)
    terminal.sees("The online cart is loaded")
    associate.world("5")  # a third coat: the cart's own is among those that lay there already
    terminal.sees("6 articles ·")
    assert picking(associate) == to_pick
    associate.world("5")
    terminal.until(lambda: picking(associate) < to_pick, "one article less to pick")
    terminal.press("F8")
    terminal.sees("Discount", "A percentage (20%) or an amount")
    terminal.type("10%")
    terminal.press("Enter")
    terminal.sees("Why? Choose a reason")
    terminal.press("Down")
    terminal.press("Enter")
    terminal.sees("price promise −10")


def picking(associate: Associate) -> int:
    found = re.search(r"still to pick: (\d+)", associate.terminal.text())
    return int(found[1]) if found else 0


def cash(associate: Associate) -> None:
    """Cash with change, which stays large until the next scan."""
    terminal = associate.terminal
    due = associate.due()
    given = (due // 5000 + 1) * 5000
    terminal.type(amount(given))
    terminal.sees(f"gives {amount(given - due)} change")
    terminal.press("Enter")
    terminal.sees("Change", "R-0001-01-000001 · printed")
    terminal.sees_large(amount(given - due))
    associate.scans()
    terminal.misses("Change")


def card(associate: Associate) -> None:
    """Approved, step by step; declined, with the reason."""
    terminal = associate.terminal
    due = associate.due()
    terminal.press("c")
    terminal.sees("Card payment", "hold, insert or swipe")
    terminal.press("F4")  # no other screen hides a payment
    terminal.sees("A card payment is under way")
    terminal.resize(60, 20)
    terminal.sees("Card payment")
    terminal.resize(80, 24)
    terminal.sees("Card payment: paid.", "Sold for", "R-0001-01-000002 · printed")
    terminal.sees_large(amount(due))

    associate.world("d")
    associate.scans()
    due = associate.due()
    terminal.press("c", "c", "Enter")  # the keys of somebody in a hurry start one payment
    terminal.sees("Card payment: declined, not enough money", "card not paid")
    assert terminal.text().count("card not paid") == 1
    associate.insists("Enter", "R-0001-01-000003")
    terminal.sees_large(amount(due))


def unclear_card(associate: Associate) -> None:
    """The answer is lost and the terminal goes away: said, explained, parked; the next customer is served, and the change stays on the screen."""
    terminal = associate.terminal
    associate.world("l")
    associate.scans()
    associate.due()
    terminal.press("c")
    terminal.sees("hold, insert or swipe")
    associate.world("k")
    terminal.sees("Outcome not known yet", "Do not take the card or cash for it again", "P park it", seconds=40)
    terminal.press("F1")
    terminal.sees("An outcome that is not known")
    terminal.press("Escape")
    terminal.misses("An outcome that is not known")
    terminal.press("p")
    terminal.sees("The sale is parked", "F7 recall 1", "1 payment is being clarified")
    terminal.misses("Paid")  # the sale before is past

    associate.scans()
    due = associate.due()
    given = (due // 5000 + 1) * 5000
    terminal.type(amount(given))
    terminal.press("Enter")
    terminal.sees("Change", "R-0001-01-000004 · printed")
    associate.world("k")
    terminal.sees("The parked sale is paid, receipt R-0001-01-000005.", seconds=40)
    terminal.sees_large(amount(given - due))  # still to be handed out
    terminal.misses("F7 recall 1")


def aside_void_and_past(associate: Associate) -> None:
    """Set aside and brought back; given up with a reason; a past sale, and a copy of its receipt."""
    terminal = associate.terminal
    associate.scans()
    name = associate.row(SOLD)[2:20]
    terminal.type("3*")
    terminal.sees("3 ×")
    terminal.press("F6")
    terminal.sees("Suspend this basket")
    terminal.type("red umbrella")
    terminal.press("Enter")
    terminal.sees("The basket is suspended", "F7 recall 1")
    terminal.misses("3 ×")  # it was meant for the customer who stepped aside
    terminal.press("F7")
    associate.row(r"red umbrella.*suspended")
    terminal.press("Enter")
    terminal.sees(name)
    terminal.press("F9", "v")
    terminal.sees("Void this basket", "customer changed their mind")
    terminal.press("Enter")
    terminal.sees("The basket is void", "Scan an article")

    terminal.press("F9", "s")
    terminal.sees("Past sales", "5 ")
    terminal.type("000002")
    associate.row(r"› .*R-0001-01-000002")
    terminal.press("Enter")
    terminal.sees("P print a copy")
    terminal.press("p")
    terminal.sees("A copy of R-0001-01-000002 was printed.")
    terminal.press("Escape")
    terminal.sees("Past sales")
    terminal.press("Escape")
    terminal.misses("Past sales")


def refusals(associate: Associate) -> None:
    """What is no article: each is said in one line with what to do, and changes nothing."""
    terminal = associate.terminal
    associate.world("x")
    terminal.sees("the check digit is wrong", "type the digits under the bars")
    associate.world("8")
    terminal.sees("That is a payment card, not a customer card.")
    associate.world("u")
    terminal.sees("is not in the catalogue.", "F9 T sells it by department.", "Scan an article")
    terminal.press("F9", "t")
    terminal.sees("Sell by department", "for the unknown code 29")
    terminal.type("4,50")
    terminal.press("Enter")
    terminal.sees("Which department?", "Accessories")
    terminal.press("Enter")
    terminal.sees("typed price")
    terminal.sees_large("4,50")

    associate.world("1")
    terminal.sees("Maria Fernandez · Gold")
    associate.world("7")
    terminal.sees("Now Anneliese Krüger stands there.")
    associate.world("3")
    terminal.sees("This basket is Maria Fernandez's.", "no, keep the customer")
    terminal.press("Escape")
    terminal.misses("This basket is")
    terminal.sees("Maria Fernandez · Gold")


def cables(associate: Associate) -> None:
    """What goes away is said at the bottom, with what works without it; it comes back by itself."""
    terminal = associate.terminal
    associate.world("c")
    terminal.sees("scanner: not plugged in", "typing works")
    associate.world("c")
    terminal.sees("● scanner")
    associate.world("y")
    terminal.sees("central not reachable since", seconds=40)
    associate.due()
    terminal.press("Enter")
    terminal.sees("R-0001-01-000006 · printed", "safely on disk")
    associate.world("y")
    terminal.sees("in step with central", seconds=60)


def burst(associate: Associate) -> None:
    """Keys that come faster than screens open go where slow ones would."""
    terminal = associate.terminal
    associate.scans()
    due = associate.due()
    terminal.press("Escape")
    terminal.misses("How does the customer pay?")
    given = (due // 10000 + 1) * 10000
    terminal.press("F2", *amount(given), "Enter")
    terminal.sees_large(amount(given - due))
    terminal.press("F9", "F9", "d")
    terminal.sees("Devices", "card terminal (terminal-1)")
    terminal.press("F9", "n")
    terminal.sees("Messages")
    terminal.press("Escape")
    terminal.misses("Messages")


def test_a_german_walk_at_120_by_40_in_sixteen_colours_that_ends_with_its_window() -> None:
    need_program("tmux", "tmux")
    exported = {"COLUMNS": "70", "LINES": "20"}  # as some shells do; the window is the truth
    with Terminal([*DEMO, "--language", "de"], (120, 40), term="screen", environment=exported) as terminal:
        associate = Associate(terminal, "de", wide=True)
        terminal.sees("Artikel, Kundenkarte", "mit der Zentrale abgeglichen", "● Kartenterminal", seconds=STARTS_SECONDS_MAX)
        associate.world("a")
        terminal.sees("1 Artikel ·")
        associate.world("1")
        terminal.sees("Maria Fernandez", "2.310 Punkte", "Onlinekorb", "etwas wurde versprochen")
        terminal.press("F5")
        terminal.sees("Der Onlinekorb ist geladen", "Aus dem Onlinekorb noch zu holen", "noch zu holen, nicht in der Summe")
        associate.world("5")
        terminal.sees("2 Artikel ·")
        associate.world("x")
        terminal.sees("Prüfziffer")
        associate.world("8")
        terminal.sees("Das ist eine Zahlungskarte, keine Kundenkarte.")
        assert not re.search(r"\x1b\[[\d;]*[34]8[;:]", terminal.text(colours=True))  # nothing beyond sixteen colours

        due = associate.due()
        terminal.press("c")
        terminal.sees("Kartenzahlung", "Bitte Karte")
        terminal.resize(60, 20)
        terminal.sees("Kartenzahlung", "Summe")
        terminal.resize(120, 40)
        terminal.sees("Kartenzahlung: bezahlt.", "R-0001-01-000001 · gedruckt")
        terminal.sees_large(amount(due))

        associate.world("y")
        terminal.sees("nicht erreichbar, der Verkauf läuft weiter", seconds=40)
        associate.world("a")
        terminal.sees("1 Artikel ·")
        terminal.press("F6")
        terminal.sees("Diesen Korb parken")
        terminal.press("Enter")
        terminal.sees("Der Korb ist geparkt.", "F7 abrufen 1")
        terminal.press("C-c")  # ends nothing by accident
        terminal.sees("F9 X oder Strg+Q verlässt den Bildschirm.")
        terminal.press("F7")
        terminal.sees(" Geparkt")
        terminal.press("Enter")
        terminal.sees("1 Artikel ·")
        terminal.close_window()
        nothing_left(terminal)
