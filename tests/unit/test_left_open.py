"""Whoever leaves the screen reads what lies open on it: how much is in the basket, what is still to pick, and what is paid."""

from __future__ import annotations

import pytest

from tests.support_drawing import DE, EN, shown
from tests.support_snapshots import COAT, GLOVES, SCARF, payment, selling
from tui.doing import left_open

STAYS = "It stays at the register as it is: open the screen again to go on with it."


@pytest.mark.parametrize(
    ("snapshot", "told"),
    [
        (selling(COAT), f"A basket with 1 article is open. {STAYS}"),
        (selling(COAT, SCARF, GLOVES), f"A basket with 1 article is open. 3 articles of the online cart are still to pick. {STAYS}"),
        (selling(COAT, payment=payment(10_000, paid=9_900)), f"A basket with 1 article is open. 99,00 of it is paid. {STAYS}"),
    ],
)
def test_what_is_open_is_told(snapshot, told):
    assert left_open(shown(snapshot, EN), None) == told


def test_it_is_told_in_german():
    said = left_open(shown(selling(COAT, SCARF, payment=payment(10_000, paid=9_900)), DE), None)
    assert said.startswith("Ein Korb mit 1 Artikel ist offen. Davon bezahlt: 99,00. Aus dem Onlinekorb ist noch 1 Artikel zu holen. Er bleibt")
