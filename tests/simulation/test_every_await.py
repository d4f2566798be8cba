"""A register that dies at a step of its work goes on as if it had not: a share of the steps; ``make proof`` takes every one."""

from __future__ import annotations

import pytest

from tests.simulation.sim_every_await import deaths, undisturbed

EVERY = 30


@pytest.fixture(scope="module")
def history() -> tuple[int, list[int]]:
    """How many steps the history has, and what it sells."""
    return undisturbed()


def test_a_register_that_dies_goes_on_as_if_it_had_not(history: tuple[int, list[int]]) -> None:
    steps, books = history
    assert steps > 100
    assert len(books) == 2
    found = deaths(range(7, steps, EVERY), books)
    assert found["wrong"] == []
    assert found["faults"] >= found["lives"] >= steps // EVERY


def test_the_same_deaths_find_a_register_that_forgets_its_open_payments(history: tuple[int, list[int]]) -> None:
    steps, books = history
    found = deaths(range(0, steps, EVERY), books, "forgets_open_payments_at_a_restart", enough=1)
    assert any("never comes to its end" in wrong or "charged" in wrong for wrong in found["wrong"]), found
