"""A task that Step Functions gives to a second worker while the first one is still at it: nothing is done twice."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from core_lib.framework.errors import ConflictError, FencedError
from core_lib.framework.models import ActionStatus, RunState, RunStatus
from core_lib.runner.stepfunctions import Tools, handle
from tests.parity.conftest import Arena
from tests.parity.corpus import CHAIN, script
from tests.parity.site import Site, opened


def taken(site: Site, run: RunState) -> RunState:
    epoch = site.cmdb.runs.take(run.run_id).epoch
    return site.cmdb.runs.transition(run.run_id, RunStatus.RUNNING, epoch=epoch)


def opened_run(tools: Tools, run: RunState) -> dict[str, Any]:
    state = {"Client": run.client, "RunId": run.run_id, "Epoch": run.epoch, "Relays": 0}
    return handle({"Step": "open", "With": state}, tools, 0)


def leg_of(journey: dict[str, Any], batch: int) -> dict[str, Any]:
    return {name: journey[name] for name in ("Client", "RunId", "Epoch", "Size", "Share", "Until", "Since")} | {"Batch": batch}


def until_ended(tools: Tools, leg: dict[str, Any], troubles: list[BaseException]) -> None:
    """Passes over a batch, as the state machine makes them: what fails is tried again."""
    while leg.get("Next") != "end":
        try:
            leg = handle({"Step": "advance", "With": leg}, tools, 0.2)
        except ConflictError as error:
            troubles.append(error)


def test_advance_when_three_workers_have_the_same_batch_then_every_stack_is_made_once(arena: Arena) -> None:
    with opened(arena.backend, arena.cmdb, arena.settings, arena.sessions, 0) as site:
        run = taken(site, site.compiled(CHAIN % "one"))
        journey = opened_run(arena.tools, run)
        troubles: list[BaseException] = []
        zombies = [
            threading.Thread(target=until_ended, args=(arena.tools, leg_of(journey, batch), troubles))
            for batch in (1, 2, 3)
            for _ in range(3)
        ]
        for zombie in zombies:
            zombie.start()
        for zombie in zombies:
            zombie.join(100)
        rows = site.cmdb.ledger.load(run.run_id)
        assert {(row.status, row.attempt, row.changed) for row in rows.values()} == {(ActionStatus.SUCCEEDED, 1, True)}
        assert len(rows) == 6
        for account in site.accounts:
            cloudformation = site.backend.client("cloudformation", account.id)
            for stack in ("net", "app"):
                events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
                made = [(event["ResourceType"], event["ResourceStatus"]) for event in events]
                assert made.count(("AWS::SSM::Parameter", "CREATE_COMPLETE")) == 1
        assert not site.cmdb.lock_inventory.page().items


def test_close_and_broken_when_told_twice_then_the_run_ends_once(arena: Arena) -> None:
    with opened(arena.backend, arena.cmdb, arena.settings, arena.sessions, 0) as site:
        run = taken(site, site.written(script("app", site.target(0))))
        journey = opened_run(arena.tools, run)
        until_ended(arena.tools, leg_of(journey, 1), [])
        once = handle({"Step": "close", "With": journey}, arena.tools, 0)
        ended = site.cmdb.runs.get(run.run_id)
        assert handle({"Step": "close", "With": journey}, arena.tools, 0) == once
        problem = {"Error": "States.Timeout", "Cause": ""}
        handle({"Step": "broken", "With": journey | {"Problem": problem}}, arena.tools, 0)
        after = site.cmdb.runs.get(run.run_id)
        assert (after.status, after.ended_at) == (RunStatus.SUCCEEDED, ended.ended_at)
        assert len([event for event in site.cmdb.events.list(run.prn).items if event.run_id == run.run_id]) == 1


@pytest.mark.parametrize("step", ["open", "settle", "relay", "close"])
def test_step_when_the_run_was_taken_over_then_it_is_fenced_off(arena: Arena, step: str) -> None:
    with opened(arena.backend, arena.cmdb, arena.settings, arena.sessions, 0) as site:
        run = taken(site, site.written(script("app", site.target(0))))
        journey = opened_run(arena.tools, run)
        site.cmdb.runs.take(run.run_id)
        with pytest.raises(FencedError):
            handle({"Step": step, "With": journey}, arena.tools, 0)
        with pytest.raises(FencedError):
            handle({"Step": "advance", "With": leg_of(journey, 1)}, arena.tools, 0)
        handle({"Step": "broken", "With": journey | {"Problem": {"Error": "FencedError", "Cause": ""}}}, arena.tools, 0)
        assert site.cmdb.runs.get(run.run_id).status is RunStatus.RUNNING, "the run is somebody else's"
