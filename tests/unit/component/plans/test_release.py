"""The release plan: everything is looked at before anything is switched."""

from __future__ import annotations

from typing import Any

import pytest

from core_lib.component.model import Step, Wire
from core_lib.component.plans.release import release_actions
from core_lib.framework.errors import SchemaError
from core_lib.framework.models import PlanAction
from tests.builders.compiled import blueprint, compiled, topic
from tests.unit.component.plans.test_deploy import needs

RELEASE = (topic("Build"), {"Url": Wire("web", "resources", "Url")})
STAGES = {"resources": topic("Url"), "pointers": topic("Build", "BuildDnsName"), "release": RELEASE}


def plan(*args: Any, **more: Any) -> dict[str, PlanAction]:
    return {action.name: action for action in release_actions(blueprint(*args, **more))}


def db(**more: Any) -> Any:
    return compiled("db", {"resources": topic(), "pointers": topic("Build"), "release": topic("Build")}, **more)


def test_release_when_a_build_has_two_components_then_both_are_found_before_either_is_switched() -> None:
    actions = plan(compiled("web", STAGES), db())
    look = actions["web.pointers"]
    assert (look.kind, look.spec) == ("AWS::GetStackOutputs", {"StackName": "web-shop-main-7-web-pointers"})
    assert {"web.pointers", "db.pointers"} <= needs(actions, "web.release") & needs(actions, "db.release")


def test_release_when_it_uses_outputs_of_the_build_then_its_stacks_are_read() -> None:
    actions = plan(compiled("web", STAGES))
    assert actions["web.resources"].kind == "AWS::GetStackOutputs"
    assert actions["web.release"].spec["StackName"] == "web-shop-main-web-release"
    assert actions["web.release"].spec["Parameters"] == {"Url": "{{ outputs['web.resources'].Url }}"}


def test_release_when_the_resources_persist_then_it_points_to_the_stack_that_is_used() -> None:
    stages = {"pointers": topic("Build"), "release": RELEASE}
    actions = plan(compiled("web", stages, persisted="web-shop-main-6-web-resources"))
    assert actions["web.resources"].spec == {"StackName": "web-shop-main-6-web-resources"}


def test_release_when_a_component_depends_on_another_then_it_is_switched_after_it() -> None:
    actions = plan(compiled("web", STAGES, depends_on=["db"]), db())
    assert "db.release" in needs(actions, "web.release")


def test_check_when_it_names_a_path_then_the_builds_own_address_is_asked_before_the_switch() -> None:
    actions = plan(compiled("web", STAGES, options={"Check": {"Path": "/health", "Statuses": [200, 204]}}))
    check = actions["web.check"]
    assert check.kind == "SYSTEM::HttpRequest"
    assert check.spec["Url"] == "https://{{ outputs.pointers.BuildDnsName }}/health"
    assert check.spec["ExpectedStatuses"] == [200, 204]
    assert check.references == {"pointers": actions["web.pointers"].id}
    assert "web.check" in needs(actions, "web.release")


def test_check_when_it_names_a_function_then_it_is_told_the_build() -> None:
    actions = plan(compiled("web", STAGES, options={"Check": {"Lambda": "smoke"}}))
    assert actions["web.check"].kind == "AWS::InvokeLambda"
    assert actions["web.check"].spec == {"FunctionName": "smoke", "Payload": {"Build": "7"}}


@pytest.mark.parametrize("check", [{}, {"Url": "https://a.example", "Path": "/"}, "yes"])
def test_check_when_it_is_not_one_of_the_three_then_it_is_refused_with_its_place(check: Any) -> None:
    with pytest.raises(SchemaError, match="one of Path, Url and Lambda") as told:
        plan(compiled("web", STAGES, options={"Check": check}))
    assert told.value.where == "web.yaml:Options/Check"


def test_check_when_the_component_has_no_address_then_a_path_alone_is_refused() -> None:
    stages = {"pointers": topic("Build"), "release": topic("Build")}
    with pytest.raises(SchemaError, match="no address of its own"):
        plan(compiled("web", stages, options={"Check": {"Path": "/health"}}))


def test_steps_when_a_release_has_some_then_they_stand_before_or_after_the_switch() -> None:
    first = Step("warm", "SYSTEM::NoOp", {"Message": "{{ outputs.resources.Url }}"}, before="release")
    then = Step("invalidate", "SYSTEM::NoOp", {"Message": "{{ outputs.release.Build }}"})
    actions = plan(compiled("web", STAGES, steps={"release": [then, first]}))
    assert "web.warm" in needs(actions, "_build.checked")
    assert "web.release" in needs(actions, "web.invalidate")
    assert actions["web.warm"].references == {"resources": actions["web.resources"].id}
    assert actions["web.invalidate"].references == {"release": actions["web.release"].id}
    assert "web.invalidate" in needs(actions, "web.complete")
