"""The deploy plan: what waits for what, where values come from, what it tells."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest

from core_lib.component.model import APPLICATION, Step, Wire
from core_lib.component.plans.deploy import deploy_actions
from core_lib.framework.errors import CompileError, GraphError, ReferenceFault
from core_lib.framework.models import PlanAction
from tests.builders.compiled import blueprint, compiled, facts_of, topic, type_of

AT = "@111111111111/eu-west-1"
SECURITY = topic("SecurityGroupId", "RoleArn")
POINTERS = topic("Build")


def plan(*args: Any, **more: Any) -> dict[str, PlanAction]:
    return {action.name: action for action in deploy_actions(blueprint(*args, **more))}


def needs(actions: Mapping[str, PlanAction], name: str) -> set[str]:
    """Everything an action waits for, directly or not, by name."""
    found: set[str] = set()
    todo = [name]
    while todo:
        for identity in actions[todo.pop()].depends_on:
            upstream = identity.partition("@")[0]
            if upstream not in found:
                found.add(upstream)
                todo.append(upstream)
    return found


def web(**more: Any) -> Any:
    stages = {
        "security": SECURITY,
        "rules-base": topic(),
        "logs": topic("LogGroup"),
        "resources": (
            topic("Url"),
            {"Group": Wire("web", "security", "SecurityGroupId"), "Log": Wire("web", "logs", "LogGroup")},
        ),
        "rules": topic(),
        "pointers": (POINTERS, {"Url": Wire("web", "resources", "Url")}),
    }
    return compiled("web", stages, **more)


def db(**more: Any) -> Any:
    stages = {"security": SECURITY, "resources": topic("Host"), "rules": topic(), "pointers": POINTERS}
    return compiled("db", stages, **more)


def test_stages_when_all_are_there_then_each_waits_for_the_ones_before() -> None:
    actions = plan(web())
    order = ["web.security", "web.rules-base", "web.resources", "web.rules", "web.pointers", "web.complete", "_build.complete"]
    for earlier, later in pairwise(order):
        assert earlier in needs(actions, later)
    assert "web.logs" in needs(actions, "web.resources")
    assert "web.rules-base" not in needs(actions, "web.logs")


def test_resources_when_another_component_has_security_items_then_they_wait_for_them() -> None:
    actions = plan(web(), db())
    assert {"web.security", "db.security"} <= needs(actions, "web.resources") & needs(actions, "db.resources")
    assert "db.resources" not in needs(actions, "web.resources")


def test_resources_when_the_component_depends_on_another_then_they_wait_for_its_pointers() -> None:
    actions = plan(web(depends_on=["db"]), db())
    assert {"db.resources", "db.rules", "db.pointers"} <= needs(actions, "web.resources")


def test_resources_when_they_use_an_output_of_another_then_it_is_a_text_a_reference_and_a_dependency() -> None:
    shop = compiled("shop", {"resources": (topic(), {"Host": Wire("db", "resources", "Host")})})
    actions = plan(shop, db())
    found = actions["shop.resources"]
    assert found.spec["Parameters"] == {"Host": "{{ outputs['db.resources'].Host }}"}
    assert found.references == {"db.resources": f"db.resources{AT}"}
    assert f"db.resources{AT}" in found.depends_on
    assert "db.pointers" in needs(actions, "shop.resources")


def test_rules_when_they_use_resources_of_another_then_both_may_use_each_other() -> None:
    def rules(name: str, other: str) -> Any:
        return compiled(
            name, {"resources": topic("Arn"), "rules": (topic(), {"Arn": Wire(other, "resources", "Arn")}), "pointers": POINTERS}
        )

    actions = plan(rules("left", "right"), rules("right", "left"))
    assert {"left.resources", "right.resources"} <= needs(actions, "left.rules")


def test_components_when_they_wait_for_each_other_then_the_ring_is_told_in_their_names() -> None:
    one = compiled("one", {"resources": (topic("A"), {"B": Wire("two", "resources", "B")}), "pointers": POINTERS})
    two = compiled("two", {"resources": topic("B"), "pointers": POINTERS}, depends_on=["one"])
    with pytest.raises(GraphError, match=r"the components wait for each other: (one -> two -> one|two -> one -> two)") as told:
        plan(one, two)
    assert told.value.where in ("one.yaml:DependsOn", "two.yaml:DependsOn")


def test_component_when_it_depends_on_nobody_known_then_the_nearest_is_named() -> None:
    with pytest.raises(GraphError, match="'web' depends on 'dbs'") as told:
        plan(web(depends_on=["dbs"]), db())
    assert told.value.hint == "did you mean 'db'?"


def test_wire_when_the_output_is_not_there_then_it_says_what_is_near() -> None:
    shop = compiled("shop", {"resources": (topic(), {"Host": Wire("db", "resources", "Hosts")})})
    with pytest.raises(ReferenceFault, match=r"db\.resources has no output 'Hosts'") as told:
        plan(shop, db())
    assert told.value.hint == "did you mean 'Host'?"


def test_wire_when_the_stage_is_not_made_then_it_is_refused() -> None:
    shop = compiled("shop", {"resources": (topic(), {"Role": Wire("shop", "security", "RoleArn")})})
    with pytest.raises(ReferenceFault, match=r"'shop' uses shop\.security.RoleArn, and there is no such stage"):
        plan(shop)


def test_wire_when_its_owner_is_another_app_then_its_stack_is_read_once() -> None:
    owner = "prn:web:billing:main:*:api"
    one = compiled("one", {"resources": (topic(), {"Url": Wire(owner, "release", "Url"), "Arn": Wire(owner, "release", "Arn")})})
    two = compiled("two", {"resources": (topic(), {"Url": Wire(owner, "release", "Url")})})
    actions = plan(one, two)
    read = actions[f"{owner}.release"]
    assert (read.kind, read.spec) == ("AWS::GetStackOutputs", {"StackName": "web-billing-main-api-release"})
    assert actions["one.resources"].spec["Parameters"]["Url"] == f"{{{{ outputs['{owner}.release'].Url }}}}"
    assert actions["two.resources"].references == {f"{owner}.release": read.id}


def test_wire_when_it_means_a_build_of_another_app_then_it_is_refused() -> None:
    one = compiled("one", {"resources": (topic(), {"Url": Wire("prn:web:billing:main:3:api", "resources", "Url")})})
    with pytest.raises(ReferenceFault, match="cannot be used from here"):
        plan(one)


def test_persisted_component_when_deployed_then_its_resources_are_read_and_nothing_of_them_is_made() -> None:
    stages = {"security": SECURITY, "rules": (topic(), {"Host": Wire("db", "resources", "Host")}), "pointers": POINTERS}
    bake = Step("image", "SYSTEM::NoOp", {"Message": "{{ outputs.bake.InstanceId }}"}, after="bake")
    keep = compiled(
        "db",
        stages,
        persisted="web-shop-main-6-db-resources",
        steps={"deploy": [bake, Step("drop", "SYSTEM::NoOp", {}, after="image")]},
    )
    shop = compiled("shop", {"resources": (topic(), {"Host": Wire("db", "resources", "Host")})})
    actions = plan(keep, shop)
    read = actions["db.resources"]
    assert (read.kind, read.spec) == ("AWS::GetStackOutputs", {"StackName": "web-shop-main-6-db-resources"})
    assert "db.image" not in actions
    assert "db.drop" not in actions
    assert actions["shop.resources"].references == {"db.resources": read.id}


def test_key_when_it_lies_in_another_account_then_everything_that_uses_it_waits_for_that_target() -> None:
    secured = compiled("web", {"security": (SECURITY, {"KmsKeyArn": Wire(APPLICATION, "kms", "KeyArn")})})
    actions = plan(secured, kms=topic("KeyArn"), key_account="222222222222")
    key = actions["_application.kms"]
    assert key.id == "_application.kms@222222222222/eu-west-1"
    assert (key.segment, actions["web.security"].segment) == (1, 2)
    assert key.spec["StackName"] == "web-shop-prod-kms"


def test_key_when_the_facts_name_one_then_it_is_used_as_it_is() -> None:
    arn = "arn:aws:kms:eu-west-1:222222222222:key/1"
    facts = facts_of(Kms={"KmsKeyArn": arn})
    secured = compiled("web", {"security": (SECURITY, {"KmsKeyArn": Wire(APPLICATION, "kms", "KeyArn")})})
    actions = plan(secured, facts=facts)
    assert actions["web.security"].spec["Parameters"] == {"KmsKeyArn": arn}
    assert "_application.kms" not in actions


def test_grants_when_something_scales_or_accounts_are_delegates_then_their_roles_may_use_the_key() -> None:
    scaling = {"Resources": {"Group": {"Type": "AWS::AutoScaling::AutoScalingGroup"}}}
    facts = facts_of(Kms={"DelegateAwsAccountIds": ["333333333333"]})
    actions = plan(compiled("web", {"resources": scaling}), kms=topic("KeyArn"), facts=facts)
    spec = actions["_application.grants"].spec
    assert [arn.split(":")[4] for arn in spec["GranteePrincipals"]] == ["111111111111", "333333333333"]
    assert spec["KmsKeyId"] == "{{ outputs['_application.kms'].KeyArn }}"
    assert "_application.grants" in needs(actions, "web.resources")


def test_step_when_it_is_after_a_bake_then_it_has_its_outputs_and_comes_before_what_uses_its_own() -> None:
    image = Step("image", "AWS::CreateImage", {"InstanceId": "{{ outputs.bake.InstanceId }}", "ImageName": "web-7"}, after="bake")
    stages = {
        "bake": topic("InstanceId"),
        "resources": (topic(), {"ImageId": Wire("web", "image", "ImageId")}),
        "pointers": POINTERS,
    }
    actions = plan(compiled("web", stages, steps={"deploy": [image]}))
    assert actions["web.image"].references == {"bake": f"web.bake{AT}"}
    assert actions["web.resources"].spec["Parameters"] == {"ImageId": "{{ outputs['web.image'].ImageId }}"}
    assert {"web.bake", "web.image"} <= needs(actions, "web.resources")


def test_step_when_it_names_a_stage_that_nobody_has_then_its_type_is_at_fault() -> None:
    step = Step("image", "SYSTEM::NoOp", {}, after="bakery")
    with pytest.raises(CompileError, match="stands beside 'bakery'"):
        plan(compiled("web", {"resources": topic()}, steps={"deploy": [step]}))


def test_step_when_it_comes_before_the_resources_then_it_waits_for_what_they_wait_for() -> None:
    step = Step("build", "SYSTEM::NoOp", {}, before="resources")
    actions = plan(
        compiled(
            "web", {"logs": topic(), "resources": topic(), "pointers": POINTERS}, steps={"deploy": [step]}, depends_on=["db"]
        ),
        db(),
    )
    assert {"web.logs", "db.pointers"} <= needs(actions, "web.build")
    assert "web.build" in needs(actions, "web.resources")


def test_step_when_it_comes_after_the_pointers_then_they_do_not_wait_for_it() -> None:
    step = Step("tell", "SYSTEM::NoOp", {}, after="pointers")
    actions = plan(compiled("web", {"resources": topic(), "pointers": POINTERS}, steps={"deploy": [step]}))
    assert "web.pointers" in needs(actions, "web.tell")
    assert "web.tell" in needs(actions, "web.complete")


def test_further_stage_when_it_uses_the_resources_then_it_comes_after_them_and_else_before() -> None:
    stages = {
        "buckets": topic("Name"), "resources": topic("Arn"), "cdn": (topic(), {"Arn": Wire("site", "resources", "Arn")}),
        "pointers": POINTERS,
    }  # fmt: skip
    actions = plan(compiled("site", stages))
    assert "site.buckets" in needs(actions, "site.resources")
    assert "site.resources" in needs(actions, "site.cdn")
    assert {"site.buckets", "site.cdn"} <= needs(actions, "site.pointers")


def test_context_when_a_type_has_instances_then_it_is_uploaded_before_they_start() -> None:
    kind = type_of(Security={"Roles": {"Role": {"Services": ["ec2.amazonaws.com"], "InstanceProfile": True}}})
    facts = facts_of(FilesBucketName="acme-files", BuildFilesPrefix="files/web/shop/main/7", FilesBucketAccount="999999999999")
    stages = {"security": SECURITY, "resources": (topic(), {"RoleArn": Wire("web", "security", "RoleArn")}), "pointers": POINTERS}
    actions = plan(compiled("web", stages, kind=kind), facts=facts)
    spec = {
        "BucketName": "acme-files", "Prefix": "files/web/shop/main/7/web", "ExpectedBucketOwner": "999999999999",
        "Actions": ["web.security"],
    }  # fmt: skip
    assert actions["web.context"].spec == spec
    assert "web.context" in needs(actions, "web.resources")


def test_tags_when_a_stage_belongs_to_the_branch_then_they_have_no_build() -> None:
    actions = plan(web(), kms=topic("KeyArn"))
    build = {
        "Client": "acme", "Portfolio": "web", "App": "shop", "Branch": "main", "Build": "7", "Environment": "prod",
        "Owner": "ann", "Component": "web",
    }  # fmt: skip
    assert actions["web.resources"].spec["Tags"] == build
    assert actions["web.security"].spec["Tags"] == {key: value for key, value in build.items() if key != "Build"}
    assert set(actions["_application.kms"].spec["Tags"]) == {"Client", "Portfolio", "App", "Environment", "Owner"}


def test_events_when_a_component_begins_ends_or_fails_then_they_are_about_it_and_the_build() -> None:
    actions = plan(web())
    told = {name: [(hook.on, hook.status, hook.component) for hook in action.hooks] for name, action in actions.items()}
    assert (("complete",), "DEPLOY_IN_PROGRESS", "web") in told["web.start"]
    assert (("complete",), "DEPLOY_COMPLETE", "web") in told["web.complete"]
    assert (("complete",), "DEPLOY_COMPLETE", None) in told["_build.complete"]
    failed = [(("failed",), "DEPLOY_FAILED", "web"), (("failed",), "DEPLOY_FAILED", None)]
    assert told["web.resources"] == failed
