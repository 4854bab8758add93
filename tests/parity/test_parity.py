"""One corpus of plans, both executors: what is left afterwards is the same, in the ledger and in the cloud."""

from __future__ import annotations

import pytest

from tests.parity.conftest import Arena
from tests.parity.corpus import SCENARIOS


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_scenario_when_executed_by_prefect_and_by_step_functions_then_the_same_is_left(arena: Arena, scenario: str) -> None:
    expected = arena.remains(scenario, arena.prefect)
    found = arena.remains(scenario, arena.machine)
    assert found == expected
    assert found["locks"] == []
    assert max(arena.world.effects.values(), default=1) == 1, "a step was done twice with the same token"
