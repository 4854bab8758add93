"""Which processor handles a payload, and how far it goes."""

from __future__ import annotations

from typing import Any

import pytest

from core_lib.framework.errors import PayloadError
from core_lib.framework.models import DeploymentDetails, Options, Task, TaskPayload
from core_lib.invoker import Processor, route


def payload(task: Task, **fields: Any) -> TaskPayload:
    return TaskPayload(client="acme", task=task, deployment_details=DeploymentDetails(portfolio="payments"), **fields)


@pytest.mark.parametrize("task", [Task.PLAN, Task.APPLY, Task.DEPLOY, Task.TEARDOWN])
def test_route_when_the_task_changes_or_reviews_the_world_then_it_is_compiled_stored_and_run(task: Task) -> None:
    way = route(payload(task))
    assert (way.processor, way.task, way.stores, way.compiles, way.runs) == (Processor.DEPLOYSPEC, task, True, True, True)


@pytest.mark.parametrize("task", [Task.PLAN, Task.APPLY, Task.DEPLOY, Task.TEARDOWN, Task.COMPILE, Task.UPLOAD])
def test_route_when_it_is_a_dry_run_then_nothing_is_stored_or_run(task: Task) -> None:
    way = route(payload(task, options=Options(dry_run=True)))
    assert not way.stores
    assert not way.runs


def test_route_when_the_task_is_compile_then_plans_are_stored_but_not_run() -> None:
    way = route(payload(Task.COMPILE))
    assert (way.compiles, way.stores, way.runs) == (True, True, False)


def test_route_when_the_task_is_about_the_package_then_nothing_is_compiled() -> None:
    assert [(route(payload(task)).stores, route(payload(task)).compiles) for task in (Task.PACKAGE, Task.UPLOAD)] == [
        (False, False),
        (True, False),
    ]


@pytest.mark.parametrize("task", [Task.PLAN, Task.APPLY, Task.DEPLOY, Task.RELEASE, Task.TEARDOWN])
@pytest.mark.parametrize("kind", ["pipeline", "component"])
def test_route_when_the_package_holds_components_then_they_are_compiled_stored_and_run(kind: str, task: Task) -> None:
    way = route(payload(task, type=kind))
    assert (way.processor, way.task, way.stores, way.compiles, way.runs) == (Processor.COMPONENTS, task, True, True, True)
    assert not route(payload(Task.COMPILE, type=kind)).runs


@pytest.mark.parametrize("task", [Task.DRIFT, Task.MEDIC, Task.ROLLBACK])
def test_route_when_it_is_an_operation_then_its_plan_is_run_without_a_compile(task: Task) -> None:
    way = route(payload(task, type="operation"))
    assert (way.processor, way.stores, way.compiles, way.runs) == (Processor.OPERATION, False, False, True)
    assert not route(payload(task, type="operation", options=Options(dry_run=True))).runs


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        (payload(Task.DEPLOY, type="operation"), "deploy"),
        (payload(Task.DRIFT), "drift"),
        (payload(Task.RELEASE), "release"),
        (payload(Task.DRIFT, type="pipeline"), "component package"),
    ],
)
def test_route_when_nobody_handles_it_then_the_error_lists_what_is_handled(asked: TaskPayload, word: str) -> None:
    with pytest.raises(PayloadError, match=word) as caught:
        route(asked)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("handled: ")
