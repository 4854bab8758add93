"""The teardown plan: the reverse of a deploy, and what others still use stays."""

from __future__ import annotations

from typing import Any

import pytest

from core_lib.component.model import Step, Wire
from core_lib.component.plans.teardown import teardown_actions
from core_lib.framework.models import PlanAction, Prn
from tests.builders.compiled import blueprint, compiled, facts_of, topic
from tests.unit.component.plans.test_deploy import needs

STAGES = {
    "security": topic("SecurityGroupId"), "rules-base": topic(), "logs": topic("Group"), "resources": topic("BucketName"),
    "rules": topic(), "pointers": topic("Build"), "release": topic("Build"),
}  # fmt: skip
EMPTY = Step("empty", "AWS::EmptyBucket", {"BucketName": "{{ outputs.resources.BucketName }}"}, before="resources")


def plan(*args: Any, **more: Any) -> dict[str, PlanAction]:
    return {action.name: action for action in teardown_actions(blueprint(*args, **more))}


def deleted(actions: dict[str, PlanAction]) -> dict[str, str]:
    return {name: each.spec["StackName"] for name, each in actions.items() if each.kind == "AWS::DeleteStack"}


def test_teardown_when_a_component_has_all_stages_then_each_is_deleted_after_those_that_came_after_it() -> None:
    actions = plan(compiled("web", STAGES))
    order = ["web.pointers", "web.rules", "web.resources", "web.logs", "web.rules-base", "web.security"]
    for position, later in enumerate(order[1:], start=1):
        assert set(order[:position]) <= needs(actions, later) | {"web.logs"}
    assert deleted(actions)["web.resources"] == "web-shop-main-7-web-resources"
    assert deleted(actions)["web.security"] == "web-shop-main-web-security"


def test_teardown_when_the_build_is_not_the_released_one_then_only_a_release_that_leads_to_it_goes() -> None:
    actions = plan(compiled("web", STAGES), released="8")
    look, release = actions["web.released"], actions["web.release"]
    assert look.spec == {"StackName": "web-shop-main-web-release", "Optional": True}
    assert release.condition == "{{ outputs['web.released'].Build | default('') == '7' }}"
    assert release.references == {"web.released": look.id}
    assert "web.release" in needs(actions, "web.pointers")


def test_teardown_when_it_is_the_released_build_then_the_release_goes_first() -> None:
    actions = plan(compiled("web", STAGES), released="7")
    assert deleted(actions)["web.release"] == "web-shop-main-web-release"
    assert "web.release" in needs(actions, "web.pointers")


@pytest.mark.parametrize(("branch", "stays"), [("main", {"web.security", "web.rules-base"}), ("other", set())])
def test_teardown_when_another_build_did_not_come_to_an_end_then_what_it_may_share_stays(branch: str, stays: set[str]) -> None:
    unfinished = (Prn("web", "shop", branch, "8"),)
    usual = plan(compiled("web", STAGES), kms=topic("KeyArn"))
    careful = plan(compiled("web", STAGES), kms=topic("KeyArn"), unfinished=unfinished)
    assert deleted(usual).keys() - deleted(careful).keys() == stays | {"_application.kms"}
    assert {"web.complete", "_build.complete"} <= careful.keys()


def test_teardown_when_a_component_depends_on_another_then_it_goes_before_it() -> None:
    shop = compiled("shop", {"resources": (topic(), {"Name": Wire("web", "resources", "BucketName")})})
    actions = plan(shop, compiled("web", STAGES))
    assert "shop.resources" in needs(actions, "web.resources") & needs(actions, "web.users")


def test_resources_when_somebody_else_imports_from_them_then_they_and_their_logs_stay() -> None:
    actions = plan(compiled("web", STAGES))
    look = actions["web.users"]
    assert (look.kind, look.spec) == (
        "AWS::GetStackReferences", {"StackName": "web-shop-main-7-web-resources", "Optional": True},
    )  # fmt: skip
    assert "web.pointers" in needs(actions, "web.users")
    for stage in ("resources", "logs"):
        assert actions[f"web.{stage}"].condition == "{{ not outputs['web.users'].HasReferences }}"
        assert actions[f"web.{stage}"].references == {"web.users": look.id}
    assert actions["web.rules"].condition is None


def test_security_when_other_builds_of_the_branch_use_it_then_it_stays() -> None:
    actions = plan(compiled("web", STAGES), compiled("db", STAGES))
    assert actions["web.security"].condition == "{{ not outputs['web.security-users'].HasReferences }}"
    assert {"db.resources", "db.rules", "db.rules-base"} <= needs(actions, "web.security-users")


def test_base_rules_when_other_builds_of_the_branch_have_them_then_they_stay() -> None:
    actions = plan(compiled("web", STAGES), compiled("db", STAGES))
    assert deleted(actions)["web.rules-base"] == "web-shop-main-web-rules-base"
    assert actions["web.rules-users"].spec == {"StackName": "web-shop-main-web-rules-base", "Optional": True}
    assert actions["web.rules-base"].condition == "{{ not outputs['web.rules-users'].HasReferences }}"
    assert "db.resources" in needs(actions, "web.rules-users")


def test_persisted_resources_when_a_build_that_uses_them_goes_then_the_last_user_deletes_them() -> None:
    stages = {name: body for name, body in STAGES.items() if name not in ("resources", "logs")}
    actions = plan(compiled("web", stages, persisted="web-shop-main-6-web-resources"))
    assert deleted(actions)["web.resources"] == "web-shop-main-6-web-resources"
    assert deleted(actions)["web.logs"] == "web-shop-main-6-web-logs"
    assert actions["web.users"].spec["StackName"] == "web-shop-main-6-web-resources"
    assert deleted(actions)["web.rules"] == "web-shop-main-7-web-rules"


def test_step_when_the_resources_stay_or_are_not_there_then_it_does_nothing() -> None:
    actions = plan(compiled("web", STAGES, steps={"teardown": [EMPTY]}))
    empty, read = actions["web.empty"], actions["web.resources-read-resources"]
    assert empty.condition == "{{ not outputs['web.users'].HasReferences and outputs.resources.BucketName is defined }}"
    assert empty.references == {"resources": read.id, "web.users": actions["web.users"].id}
    assert read.spec == {"StackName": "web-shop-main-7-web-resources", "Optional": True}
    assert "web.empty" in needs(actions, "web.resources")


def test_steps_when_they_are_about_the_logs_then_they_wait_until_nothing_writes_any_more() -> None:
    logs = Step("empty-logs", "AWS::EmptyBucket", {"BucketName": "{{ outputs.logs.Group }}"}, before="logs")
    image = Step("image", "SYSTEM::NoOp", {}, after="resources")
    tell = Step("tell", "SYSTEM::NoOp", {}, after="logs")
    actions = plan(compiled("web", STAGES, steps={"teardown": [tell, logs, image]}))
    assert "web.resources" in needs(actions, "web.empty-logs") & needs(actions, "web.image")
    assert {"web.empty-logs", "web.image"} <= needs(actions, "web.logs")
    assert "web.logs" in needs(actions, "web.tell")
    assert "web.tell" in needs(actions, "web.complete")


def test_step_when_it_is_about_the_security_stage_then_it_waits_for_the_last_build_of_the_branch() -> None:
    spec = {"SecurityGroupId": "{{ outputs.security.SecurityGroupId }}"}
    step = Step("enis", "AWS::DeleteSecurityGroupEnis", spec, before="security")
    actions = plan(compiled("web", STAGES, steps={"teardown": [step]}))
    condition = "{{ not outputs['web.security-users'].HasReferences and outputs.security.SecurityGroupId is defined }}"
    assert actions["web.enis"].condition == condition
    assert "web.enis" in needs(actions, "web.security")
    assert "web.resources" in needs(actions, "web.enis")


def test_key_when_the_last_build_goes_then_it_goes_too() -> None:
    actions = plan(compiled("web", STAGES), kms=topic("KeyArn"))
    assert deleted(actions)["_application.kms"] == "web-shop-prod-kms"
    assert actions["_application.kms"].condition == "{{ not outputs['_application.users'].HasReferences }}"
    assert "web.security" in needs(actions, "_application.kms")


@pytest.mark.parametrize("reason", ["kept", "retained", "elsewhere"])
def test_key_when_something_may_still_need_it_then_it_stays(reason: str) -> None:
    web = compiled("web", STAGES, retains=reason == "retained")
    facts = facts_of(Kms={"Keep": True}) if reason == "kept" else None
    actions = plan(web, kms=topic("KeyArn"), facts=facts, key_account="222222222222" if reason == "elsewhere" else None)
    assert "_application.kms" not in actions


def test_stages_when_the_definition_no_longer_has_them_then_their_stacks_are_deleted_all_the_same() -> None:
    assert {"web.logs", "web.bake", "web.rules-base", "web.rules"} <= deleted(plan(compiled("web", {"pointers": topic()}))).keys()
