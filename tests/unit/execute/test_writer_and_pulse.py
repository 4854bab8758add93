"""Group commit and heartbeats: the two ways in which a worker talks to the CMDB by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from core_lib.execute.writer import LARGEST_GROUP, GroupWriter
from core_lib.framework.errors import ConflictError, FencedError
from core_lib.framework.models import ActionState, ActionStatus
from core_lib.framework.settings import CmdbSettings, Settings
from tests.builders.memory_cmdb import MemoryCmdb
from tests.builders.plans import action, plan_of
from tests.unit.execute.engines import World, drive_all


def row(name: str) -> ActionState:
    return ActionState(run_id="r", action_id=name, status=ActionStatus.RUNNING)


async def test_writer_when_rows_come_together_then_they_share_a_commit_and_each_gets_its_own_back() -> None:
    groups: list[int] = []

    async def commit(states: Sequence[ActionState]) -> Sequence[ActionState]:
        groups.append(len(states))
        await asyncio.sleep(0.005)
        return [state.model_copy(update={"version": 7}) for state in states]

    writer = GroupWriter(commit)
    written = await asyncio.gather(*(writer.write(row(str(number))) for number in range(250)))
    assert [state.action_id for state in written] == [str(number) for number in range(250)]
    assert groups == [LARGEST_GROUP, LARGEST_GROUP, 250 - 2 * LARGEST_GROUP]


async def test_writer_when_a_commit_fails_then_all_of_its_rows_fail_and_the_next_one_works() -> None:
    answers: list[Any] = [ConflictError("no"), None]

    async def commit(states: Sequence[ActionState]) -> Sequence[ActionState]:
        if (error := answers.pop(0)) is not None:
            raise error
        return states

    writer = GroupWriter(commit)
    failed = await asyncio.gather(writer.write(row("a")), writer.write(row("b")), return_exceptions=True)
    assert [type(error) for error in failed] == [ConflictError, ConflictError]
    assert (await writer.write(row("c"))).action_id == "c"


async def test_writer_when_closed_then_everything_handed_in_is_committed() -> None:
    done: list[str] = []

    async def commit(states: Sequence[ActionState]) -> Sequence[ActionState]:
        await asyncio.sleep(0.01)
        done.extend(state.action_id for state in states)
        return states

    writer = GroupWriter(commit)
    task = asyncio.create_task(writer.write(row("a")))
    await asyncio.sleep(0)
    await writer.close()
    assert done == ["a"]
    await task


ENDLESS = action("a", "TEST::Script", spec={"Endless": True})


def beating(seconds: float, lease: float = 60) -> Settings:
    return Settings(cmdb=CmdbSettings.model_construct(heartbeat_seconds=seconds, lock_lease_seconds=lease))


async def test_heartbeat_when_another_worker_took_the_run_then_this_one_stops_while_it_waits() -> None:
    cmdb = MemoryCmdb()
    asyncio.get_running_loop().call_later(0.05, cmdb.runs.take)
    with pytest.raises(FencedError):
        await drive_all(plan_of([ENDLESS]), cmdb, World(), settings=beating(0.02))


async def test_heartbeat_when_the_cmdb_stumbles_then_it_is_tried_again() -> None:
    cmdb = MemoryCmdb()
    beat, misses = cmdb.runs.heartbeat, [0]

    def stumbling(run_id: str, epoch: int, *told: Any) -> Any:
        misses[0] += 1
        if misses[0] in (2, 3):
            raise ConnectionResetError("gone for a moment")
        if misses[0] == 5:
            cmdb.runs.request_cancel()
        return beat(run_id, epoch, *told)

    cmdb.runs.heartbeat = stumbling  # type: ignore[method-assign]
    (result,) = await drive_all(plan_of([ENDLESS]), cmdb, World(), settings=beating(0.01))
    assert result.cancelled == 1


async def test_heartbeat_when_the_cmdb_stays_away_for_most_of_the_lease_then_the_worker_gives_up() -> None:
    cmdb = MemoryCmdb()
    beat, beats = cmdb.runs.heartbeat, [0]

    def lost(run_id: str, epoch: int, *told: Any) -> Any:
        beats[0] += 1
        if beats[0] > 1:
            raise ConnectionResetError("gone")
        return beat(run_id, epoch, *told)

    cmdb.runs.heartbeat = lost  # type: ignore[method-assign]
    with pytest.raises(FencedError, match="no contact with the CMDB"):
        await drive_all(plan_of([ENDLESS]), cmdb, World(), settings=beating(0.01, lease=0.1))
