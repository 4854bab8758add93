"""Plans as a whole: sealed, the same every time, with their files, and no two stacks of one name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core_lib.component.model import Compiled
from core_lib.component.plans import COMPILER, make_plans
from core_lib.framework.errors import GraphError
from core_lib.framework.models import Plan, Task
from tests.builders.compiled import blueprint, compiled, topic


def plans(*args: Any, **more: Any) -> tuple[dict[Task, Plan], dict[str, bytes]]:
    return make_plans(blueprint(*args, **more), "acme", package_sha256="0" * 64, sources=["platform/components/web.yaml"])


def web() -> Compiled:
    return compiled("web", {"resources": topic("Arn"), "pointers": topic("Build"), "release": topic("Build")})


def test_plans_when_made_then_there_is_one_for_every_task_and_it_is_sealed() -> None:
    made, _ = plans(web())
    assert set(made) == {Task.PLAN, Task.APPLY, Task.DEPLOY, Task.RELEASE, Task.TEARDOWN}
    for plan in made.values():
        assert plan.hash == plan.content_hash()
        assert plan.provenance.compiler == COMPILER
        assert Plan.model_validate(json.loads(plan.to_json())) == plan


def test_plans_when_made_twice_then_they_have_the_same_bytes() -> None:
    first, second = plans(web(), kms=topic("KeyArn"))[0], plans(web(), kms=topic("KeyArn"))[0]
    assert {task: plan.to_json() for task, plan in first.items()} == {task: plan.to_json() for task, plan in second.items()}


def test_files_when_made_then_each_plan_lists_what_it_uses_by_content() -> None:
    made, bodies = plans(web())
    assert [file.path for file in made[Task.DEPLOY].files] == ["web/pointers.yaml", "web/resources.yaml"]
    assert [file.path for file in made[Task.RELEASE].files] == ["web/release.yaml"]
    assert made[Task.TEARDOWN].files == ()
    file = made[Task.DEPLOY].file_by_path["web/resources.yaml"]
    assert file.key == f"artefacts/web/shop/main/7/files/{file.sha256}"
    assert json.loads(bodies[file.key]) == topic("Arn")


def test_plan_and_apply_when_derived_then_they_share_the_change_sets_of_the_deploy() -> None:
    made, _ = plans(web())
    reviewed, applied = made[Task.PLAN].action_by_id, made[Task.APPLY].action_by_id
    (identity,) = [key for key in reviewed if key.startswith("web.resources@")]
    assert reviewed[identity].kind == "AWS::CreateChangeSet"
    assert applied[identity].kind == "AWS::ApplyChangeSet"
    assert reviewed[identity].spec["ChangeSetName"] == applied[identity].spec["ChangeSetName"]


def test_components_when_a_plan_is_made_then_it_tells_their_types_and_stacks() -> None:
    keep = compiled("db", {"pointers": topic()}, persisted="web-shop-main-6-db-resources")
    made, _ = plans(web(), keep)
    found = {each.name: (each.type, each.resources_stack) for each in made[Task.RELEASE].components or ()}
    assert found == {
        "db": ("Test::Thing", "web-shop-main-6-db-resources"), "web": ("Test::Thing", "web-shop-main-7-web-resources"),
    }  # fmt: skip


def test_stacks_when_two_components_would_have_one_name_then_both_are_named() -> None:
    told = r"a-b\.resources and a\.b\.resources would both have the stack 'web-shop-main-7-a-b-resources'"
    with pytest.raises(GraphError, match=told):
        plans(compiled("a.b", {"resources": topic()}), compiled("a-b", {"resources": topic()}))


def test_exports_when_two_stages_would_have_one_name_then_it_is_refused() -> None:
    body = topic("Arn")
    body["Outputs"]["Arn"]["Export"] = {"Name": "shared"}
    with pytest.raises(GraphError, match="would both have the export 'shared'"):
        plans(compiled("one", {"resources": body}), compiled("two", {"resources": body}))
