"""Whatever the network, AWS and the CMDB do, the run ends as one that nobody disturbed: no step lost, none repeated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.story import CALM, Grim, killed, picture, registered, story, work
from tests.integration.execute.conftest import Rehearsal

CFN = {"service": "cloudformation"}
FAULTS: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "throttling of every third call": [{"match": CFN, "every": 3, "error": {"code": "Throttling", "status": 400}}],
    "5xx": [{"match": CFN, "every": 3, "error": {"code": "ServiceUnavailable", "status": 503}}],
    "resets": [{"match": CFN, "every": 4, "reset": True}],
    "lost answers": [{"match": CFN, "every": 4, "drop_response": True}],
    "slow answers": [{"every": 3, "delay": 0.4}],
    "expired credentials": [{"match": CFN, "every": 6, "error": {"code": "ExpiredToken", "status": 403}}],
    "a role that cannot be assumed for a while": [
        {"match": {"service": "sts"}, "times": 3, "error": {"code": "ServiceUnavailable", "status": 503}}
    ],
    "a busy CMDB": [
        {"match": {"service": "dynamodb"}, "every": 4,
         "error": {"code": "ProvisionedThroughputExceededException", "status": 400}},
    ],
    "5xx of the CMDB": [
        {"match": {"service": "dynamodb"}, "every": 4, "error": {"code": "InternalServerError", "status": 500}}
    ],
    "lost answers of the CMDB": [{"match": {"service": "dynamodb"}, "every": 6, "drop_response": True}],
}  # fmt: skip
QUICK = ("none", "throttling of every third call", "lost answers", "expired credentials", "lost answers of the CMDB")
LAST_STEP = 26


@pytest.fixture(autouse=True)
def _calm_afterwards(rehearsal: Rehearsal) -> Iterator[None]:
    yield
    rehearsal.cloud.faults([])


@pytest.mark.parametrize("fault", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in FAULTS])
async def test_run_when_calls_go_wrong_then_it_ends_as_if_they_had_not(rehearsal: Rehearsal, fault: str) -> None:
    plan = story(rehearsal)
    run = registered(rehearsal, plan)
    rehearsal.cloud.faults(FAULTS[fault])
    await work(rehearsal, plan, run)
    fired = [rule["fired"] for rule in rehearsal.cloud.fault_statistics()]
    rehearsal.cloud.faults([])
    assert picture(rehearsal, run.run_id) == CALM
    assert all(fired), "nothing went wrong"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "at", [pytest.param(at, marks=() if at in (2, 5, 9) else pytest.mark.slow) for at in range(1, LAST_STEP + 1)]
)
async def test_run_when_its_worker_is_killed_at_a_step_then_the_next_one_ends_it_as_if_nothing_had_been(
    rehearsal: Rehearsal, at: int, after: bool
) -> None:
    plan = story(rehearsal)
    run = registered(rehearsal, plan)
    grim = Grim(at, after=after)
    await killed(rehearsal, plan, run, grim)
    assert grim.dead or grim.steps < at
    await work(rehearsal, plan, run)
    assert picture(rehearsal, run.run_id) == CALM


async def test_story_when_undisturbed_then_it_has_no_more_steps_than_are_tried(rehearsal: Rehearsal) -> None:
    plan = story(rehearsal)
    grim = Grim(10**6, after=False)
    await killed(rehearsal, plan, registered(rehearsal, plan), grim)
    assert 10 < grim.steps <= LAST_STEP
