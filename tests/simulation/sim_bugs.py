"""Every bug that can be planted into a simulated register, by name."""

from __future__ import annotations

from tests.simulation import sim_bugs_central, sim_bugs_journal, sim_bugs_money
from tests.simulation.sim_planting import PLANTED

__all__ = ["PLANTED", "sim_bugs_central", "sim_bugs_journal", "sim_bugs_money"]
