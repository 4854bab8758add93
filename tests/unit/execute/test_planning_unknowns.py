"""A plan executes nothing, so outputs of new stacks are missing in it: what needs them is put off, not failed."""

from __future__ import annotations

import pytest

from core_lib.execute import canonical_kind
from core_lib.execute.actions.create_change_set import CreateChangeSet
from core_lib.execute.actions.set_variables import SetVariables
from core_lib.execute.book import RunBook
from core_lib.execute.brake import Brake
from core_lib.execute.runtime import NotYetKnownError, RuntimeValues
from core_lib.execute.writer import GroupWriter
from core_lib.framework.errors import RenderError
from core_lib.framework.models import ActionStatus, PlanAction, Task
from tests.builders.memory_cmdb import MemoryCmdb
from tests.builders.plans import action, plan_of
from tests.unit.execute.engines import World, drive_all, states_of

CONDITION = "{{ outputs.hub.Mode == 'full' }}"


def values(one: PlanAction, *, planning: bool) -> RuntimeValues:
    """What an action sees whose upstream has no outputs."""

    async def nothing_is_written(states: object) -> list[object]:
        raise AssertionError(states)

    brake = Brake()
    book = RunBook(plan_of([action("hub"), one]), MemoryCmdb().runs.run, GroupWriter(nothing_is_written), brake, [])  # type: ignore[arg-type]
    return RuntimeValues(one, book, planning=planning)


def later(kind: str, **fields: object) -> PlanAction:
    return action("later", canonical_kind(kind), after=["hub"], references={"hub": "hub@111111111111/eu-west-1"}, **fields)


def test_variables_in_a_plan_when_they_need_a_missing_output_then_are_put_off() -> None:
    one = later("SetVariables", spec={"Variables": {"Mode": "{{ outputs.hub.Mode }}"}})
    with pytest.raises(NotYetKnownError, match="Mode"):
        values(one, planning=True).bind(SetVariables)


def test_variables_in_a_deploy_when_they_need_a_missing_output_then_are_an_error() -> None:
    one = later("SetVariables", spec={"Variables": {"Mode": "{{ outputs.hub.Mode }}"}})
    with pytest.raises(RenderError) as error:
        values(one, planning=False).bind(SetVariables)
    assert not isinstance(error.value, NotYetKnownError)


def test_change_set_in_a_plan_when_its_condition_needs_a_missing_output_then_is_put_off_for_the_condition() -> None:
    one = later("CreateChangeSet", condition=CONDITION, spec={"StackName": "s", "Template": "t.yaml"})
    seen = values(one, planning=True)
    assert seen.condition_holds(CreateChangeSet) is None
    assert seen.bind(CreateChangeSet).unresolved == ("its condition",)


def test_change_set_in_a_deploy_when_its_condition_needs_a_missing_output_then_is_an_error() -> None:
    one = later("CreateChangeSet", condition=CONDITION, spec={"StackName": "s", "Template": "t.yaml"})
    with pytest.raises(RenderError):
        values(one, planning=False).condition_holds(CreateChangeSet)


async def test_plan_run_when_variables_wait_for_an_output_then_the_rest_goes_on() -> None:
    waiting = later("SetVariables", spec={"Variables": {"Mode": "{{ outputs.hub.Mode }}"}})
    plan = plan_of([action("hub"), waiting, action("end", after=["later"])], task=Task.PLAN)
    cmdb = MemoryCmdb()
    await drive_all(plan, cmdb, World())
    states = states_of(cmdb)
    assert states["later"].status is ActionStatus.SKIPPED
    assert "known during apply" in str(states["later"].message)
    assert states["end"].status is ActionStatus.SUCCEEDED
