"""What the CMDB knows of builds: what they use, what they may do, and how they got on."""

from __future__ import annotations

from typing import Any

import pytest

from core_lib.component import Released
from core_lib.component.lifecycle import begin, compiled, end, known_of, refuse_too_early
from core_lib.db import Items
from core_lib.framework.errors import ReleasedError
from core_lib.framework.models import (
    ActionState,
    ActionStatus,
    DeploymentDetails,
    ErrorInfo,
    Options,
    Plan,
    PlanComponent,
    Provenance,
    RunState,
    RunStatus,
    Task,
    TaskPayload,
)
from core_lib.helper import utc_now
from tests.builders.memory_dynamo import MemoryTables, memory_cmdb

AT = "@111111111111/eu-west-1"


@pytest.fixture
def items() -> Items:
    return memory_cmdb(MemoryTables())[0].items


def details(build: str) -> DeploymentDetails:
    return DeploymentDetails(portfolio="shop", app="web", branch="main", build=build)


def plan(task: Task, build: str, *names: str, stack: str | None = None) -> Plan:
    components = tuple(
        PlanComponent(name=name, type="AWS::DynamoDB", resources_stack=stack or f"shop-web-main-{build}-{name}-resources")
        for name in names or ("db",)
    )
    return Plan(
        client="acme", task=task, deployment=details(build), targets=(), actions=(), components=components,
        provenance=Provenance(compiler="component/1", package_sha256="0", facts_sha256="0"),
    )  # fmt: skip


def rows(**states: ActionState) -> dict[str, ActionState]:
    return {f"{name.replace('__', '.')}{AT}": state for name, state in states.items()}


def row(status: ActionStatus, **fields: Any) -> ActionState:
    return ActionState(run_id="r-1", action_id="x", status=status, **fields)


DONE, SKIPPED = row(ActionStatus.SUCCEEDED), row(ActionStatus.SKIPPED)


def run(status: RunStatus = RunStatus.SUCCEEDED) -> RunState:
    return RunState(
        run_id="r-1", client="acme", prn="prn:shop:web:main:1", task=Task.DEPLOY, status=status, plan_hash="", plan_key="",
        options=Options(), created_at=utc_now(),
    )  # fmt: skip


def deployed(items: Items, build: str, *names: str, stack: str | None = None) -> None:
    made = plan(Task.DEPLOY, build, *names, stack=stack)
    begin(items, made)
    end(items, made, run(), rows(**{f"{name}__complete": DONE for name in names or ("db",)}))


def released(items: Items, build: str) -> None:
    made = plan(Task.RELEASE, build)
    begin(items, made)
    end(items, made, run(), rows(db__complete=DONE))


def payload(task: Task, build: str, *, force: bool = False, by: str | None = None) -> TaskPayload:
    return TaskPayload(
        client="acme", task=task, deployment_details=details(build), options=Options(force=force), requested_by=by
    )  # fmt: skip


def test_known_when_nothing_was_ever_deployed_then_nothing_is_known(items: Items) -> None:
    assert known_of(items, details("1")) == Released()


def test_known_when_a_build_is_released_then_new_builds_use_its_stacks(items: Items) -> None:
    deployed(items, "1")
    assert known_of(items, details("2")) == Released()
    released(items, "1")
    assert known_of(items, details("2")) == Released("1", {"db": "shop-web-main-1-db-resources"})


def test_known_when_a_build_has_stacks_of_its_own_then_it_keeps_them_whatever_is_released(items: Items) -> None:
    deployed(items, "1")
    deployed(items, "2")
    released(items, "2")
    assert known_of(items, details("1")) == Released("2", {"db": "shop-web-main-1-db-resources"}, frozenset({"db"}))


def test_known_when_a_deploy_stopped_half_way_then_the_stacks_that_it_began_are_known(items: Items) -> None:
    begin(items, plan(Task.DEPLOY, "1"))
    assert known_of(items, details("1")).stacks == {"db": "shop-web-main-1-db-resources"}


def test_known_when_a_teardown_asks_then_other_builds_that_did_not_come_to_an_end_are_told(items: Items) -> None:
    deployed(items, "1")
    deployed(items, "2")
    begin(items, plan(Task.DEPLOY, "3"))
    end(items, plan(Task.DEPLOY, "3"), run(RunStatus.FAILED), {})
    assert known_of(items, details("1")).unfinished == ()
    assert known_of(items, details("1"), to_tear_down=True).unfinished == (details("3").prn,)
    assert known_of(items, details("3"), to_tear_down=True).unfinished == ()
    begin(items, plan(Task.TEARDOWN, "3"))
    assert known_of(items, details("1"), to_tear_down=True).unfinished == (details("3").prn,)
    end(items, plan(Task.TEARDOWN, "3"), run(), rows(db__complete=DONE))
    assert known_of(items, details("1"), to_tear_down=True).unfinished == ()


def test_release_when_the_build_was_never_deployed_or_not_to_the_end_then_it_is_refused(items: Items) -> None:
    with pytest.raises(ReleasedError, match="it was never deployed"):
        refuse_too_early(items, payload(Task.RELEASE, "1"), Released(), {})
    begin(items, plan(Task.DEPLOY, "1"))
    with pytest.raises(ReleasedError, match="it is DEPLOY_IN_PROGRESS"):
        refuse_too_early(items, payload(Task.RELEASE, "1"), Released(), {})
    end(items, plan(Task.DEPLOY, "1"), run(RunStatus.FAILED), {})
    with pytest.raises(ReleasedError, match="it is DEPLOY_FAILED"):
        refuse_too_early(items, payload(Task.RELEASE, "1"), Released(), {})


def test_release_when_an_older_build_is_released_again_then_it_may_be(items: Items) -> None:
    deployed(items, "1")
    deployed(items, "2")
    released(items, "1")
    released(items, "2")
    refuse_too_early(items, payload(Task.RELEASE, "1"), known_of(items, details("1")), {})
    released(items, "1")
    assert known_of(items, details("3")).build == "1"


def test_teardown_when_the_build_is_the_released_one_then_somebody_must_insist(items: Items) -> None:
    with pytest.raises(ReleasedError, match="released build of the branch") as told:
        refuse_too_early(items, payload(Task.TEARDOWN, "1"), Released("1"), {})
    assert "--force" in (told.value.hint or "")
    refuse_too_early(items, payload(Task.TEARDOWN, "1", force=True), Released("1"), {})
    refuse_too_early(items, payload(Task.TEARDOWN, "2"), Released("1"), {})


@pytest.mark.parametrize(("by", "allowed"), [("Ann", True), ("ben@acme.example", True), ("eve", False), (None, False)])
def test_teardown_when_the_portfolio_has_approvers_then_only_they_may_insist(items: Items, by: str | None, allowed: bool) -> None:
    facts = {"Approvers": [{"Name": "ann"}, {"email": "Ben@acme.example", "Role": "lead"}]}
    asked = payload(Task.TEARDOWN, "1", force=True, by=by)
    if allowed:
        refuse_too_early(items, asked, Released("1"), facts)
    else:
        with pytest.raises(ReleasedError, match="may not tear down"):
            refuse_too_early(items, asked, Released("1"), facts)


def test_deploy_when_it_ends_well_then_build_and_components_say_so(items: Items) -> None:
    made = plan(Task.DEPLOY, "1", "db", "web")
    begin(items, made)
    assert items.get("prn:shop:web:main:1:web").status == "DEPLOY_IN_PROGRESS"
    image = row(ActionStatus.SUCCEEDED, outputs={"ImageId": "ami-1"})
    end(items, made, run(), rows(db__complete=DONE, web__complete=DONE, web__image=image))
    web = items.get("prn:shop:web:main:1:web")
    assert (web.status, web.component_type, web.image_id) == ("DEPLOY_COMPLETE", "AWS::DynamoDB", "ami-1")
    assert items.get("prn:shop:web:main:1").status == "DEPLOY_COMPLETE"


def test_deploy_when_a_component_fails_then_it_and_the_build_tell_why(items: Items) -> None:
    made = plan(Task.DEPLOY, "1", "db", "web")
    begin(items, made)
    failed = row(ActionStatus.FAILED, error=ErrorInfo(code="CORE-4003", message="no room left"))
    end(items, made, run(RunStatus.FAILED), rows(db__complete=DONE, web__resources=failed))
    web = items.get("prn:shop:web:main:1:web")
    assert (web.status, web.message) == ("DEPLOY_FAILED", "web.resources: no room left")
    assert items.get("prn:shop:web:main:1:db").status == "DEPLOY_COMPLETE"
    build = items.get("prn:shop:web:main:1")
    assert (build.status, build.message) == ("DEPLOY_FAILED", "web.resources: no room left")


def test_release_when_it_fails_then_the_released_build_stays_what_it_was(items: Items) -> None:
    deployed(items, "1")
    released(items, "1")
    deployed(items, "2")
    made = plan(Task.RELEASE, "2")
    begin(items, made)
    end(items, made, run(RunStatus.FAILED), {})
    assert known_of(items, details("3")).build == "1"
    assert items.get("prn:shop:web:main:2").status == "RELEASE_FAILED"


def test_teardown_when_it_ends_then_the_build_uses_nothing_and_is_not_released(items: Items) -> None:
    deployed(items, "1")
    released(items, "1")
    made = plan(Task.TEARDOWN, "1")
    begin(items, made)
    outcome = end(items, made, run(), rows(_build__unreleased=DONE, db__complete=DONE, db__resources=DONE))
    assert (outcome.complete, outcome.kept) == (True, ())
    assert known_of(items, details("1")) == Released()
    assert items.get("prn:shop:web:main:1").status == "TEARDOWN_COMPLETE"
    with pytest.raises(ReleasedError, match="TEARDOWN_COMPLETE"):
        refuse_too_early(items, payload(Task.RELEASE, "1"), Released(), {})


def test_teardown_when_resources_are_kept_then_it_says_who_uses_them(items: Items) -> None:
    deployed(items, "1")
    made = plan(Task.TEARDOWN, "1")
    begin(items, made)
    users = row(ActionStatus.SUCCEEDED, message="1 stacks import from it: shop-web-main-2-db-pointers")
    outcome = end(items, made, run(), rows(db__complete=DONE, db__resources=SKIPPED, db__users=users))
    assert outcome.kept == ("db",)
    assert items.get("prn:shop:web:main:1:db").message == f"resources kept: {users.message}"


def test_compile_when_a_build_was_deployed_already_then_its_status_stays(items: Items) -> None:
    compiled(items, plan(Task.DEPLOY, "1"))
    assert items.get("prn:shop:web:main:1:db").status == "COMPILE_COMPLETE"
    deployed(items, "1")
    compiled(items, plan(Task.DEPLOY, "1"))
    assert items.get("prn:shop:web:main:1:db").status == "DEPLOY_COMPLETE"


def test_records_when_a_plan_only_looks_then_nothing_is_written(items: Items) -> None:
    begin(items, plan(Task.PLAN, "1"))
    end(items, plan(Task.PLAN, "1"), run(), {})
    assert known_of(items, details("1")) == Released()
