"""kill -9 of a worker at any moment: the next worker ends the run, and it ends as one that nobody disturbed.

A moment is "so many committed transitions into the run, and then so many milliseconds": it does not depend on how fast the
machine is, and together the moments cover the whole length of a run, many of them within the first 100 ms of a step.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from tests.e2e.children import Line, Worker, run_to_end
from tests.e2e.conftest import MakeFleet
from tests.e2e.fleet import Fleet, Picture, assert_agree, assert_executed_once, assert_made_once, fleet_spec, picture

SEED = 20261123


@dataclass(frozen=True)
class Moment:
    """When a worker is killed: after this share of the transitions that are left to it, and a delay in seconds."""

    share: float
    delay: float


def moments(count: int, seed: int) -> list[Moment]:
    """Random moments, one from each stretch of the run, so that they are spread over all of it."""
    dice = random.Random(seed)
    spread = [Moment((number + dice.random()) / count * 0.95, dice.choice((0.0, dice.random() * 0.1, dice.random() * 0.4)))
              for number in range(count)]  # fmt: skip
    dice.shuffle(spread)
    return spread


def transition(line: Line) -> bool:
    return "action" in line


def undisturbed(fleet: Fleet) -> Picture:
    """The picture after a run that nobody disturbs."""
    run = fleet.register(fleet_spec(fleet.accounts[0].id))
    worker = run_to_end("acme", run.run_id)
    assert worker.wait() == 0, worker.errors
    assert_executed_once(fleet)
    assert_made_once(fleet)
    assert_agree(fleet, run.run_id)
    return picture(fleet, run.run_id)


def disturbed(fleet: Fleet, kills: Sequence[Moment]) -> tuple[Picture, int]:
    """The picture after a run whose workers are killed at these moments, and how many of them had not ended the run yet."""
    run = fleet.register(fleet_spec(fleet.accounts[0].id))
    hits = 0
    runs = fleet.cmdb.runs
    for moment in kills:
        rows = fleet.cmdb.ledger.load(run.run_id).values()
        left = 2 * run.action_count - sum(1 + row.status.ended for row in rows)
        with Worker("acme", run.run_id) as worker:
            worker.until(lambda line: line == {"worker": "started"})
            worker.until(transition, count=int(moment.share * left))
            time.sleep(moment.delay)
            killed = worker.kill()
            assert worker.errors == ""
        hits += killed and not runs.get(run.run_id).status.ended
    if not runs.get(run.run_id).status.ended:
        last = run_to_end("acme", run.run_id)
        assert last.wait() == 0, (last.lines[-3:], last.errors)
    assert_executed_once(fleet)
    assert_made_once(fleet)
    assert_agree(fleet, run.run_id)
    return picture(fleet, run.run_id), hits


def test_run_when_its_workers_are_killed_one_after_the_other_then_it_ends_as_if_undisturbed(make_fleet: MakeFleet) -> None:
    calm = undisturbed(make_fleet(2))
    assert calm.status == "succeeded"
    assert calm.counts == {"succeeded": 13, "changed": 13}
    ended, hits = disturbed(make_fleet(2), [Moment(0.0, 0.3), Moment(0.3, 0.02), Moment(0.5, 0.0)])
    assert hits == 3
    assert ended == calm


@pytest.fixture(scope="module")
def calm_large() -> dict[str, Picture]:
    """The picture of the undisturbed large run, once it was taken."""
    return {}


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("kills", [
    *[[moment] for moment in moments(14, SEED)],
    moments(2, SEED + 1), moments(2, SEED + 2), moments(3, SEED + 3),
], ids=lambda kills: "+".join(f"{moment.share:.2f}" for moment in kills))  # fmt: skip
def test_large_run_when_killed_at_random_moments_then_it_ends_as_if_undisturbed(
    make_fleet: MakeFleet, calm_large: dict[str, Picture], kills: list[Moment]
) -> None:
    if not calm_large:
        calm_large["picture"] = undisturbed(make_fleet(6))
    ended, _ = disturbed(make_fleet(6), kills)
    assert ended == calm_large["picture"]
