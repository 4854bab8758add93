"""Whole compiles: what a package becomes, the same on every machine."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core_lib.deployspec import Compilation, compile_deployspec
from core_lib.framework.errors import CoreError, PackageError, SchemaError, TemplateError
from core_lib.framework.models import Plan, Task
from core_lib.framework.package import Package
from tests.unit.deployspec.builders import (
    ACCOUNTS,
    TEMPLATE,
    account,
    at,
    compiled,
    deploy_plan,
    facts,
    package,
    payload,
    spec_of,
    stack,
)

CORPUS = Path(__file__).parents[2] / "corpus" / "deployspec" / "good"
POLICY = '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"}]}'


def example() -> Compilation:
    spec = (CORPUS / "deployspec.yaml").read_text()
    return compiled(spec, files={"network/hub.yaml": TEMPLATE, "network/policy.json": POLICY, "README.md": "not used"})


def snapshot(result: Compilation) -> str:
    plans = {task.value: json.loads(plan.to_json()) for task, plan in sorted(result.plans.items())}
    return (
        json.dumps({"plans": plans, "files": sorted(result.files), "warnings": [str(w) for w in result.warnings]}, indent=1)
        + "\n"
    )


def test_example_when_compiled_then_it_is_what_it_was() -> None:
    kept = CORPUS / "compiled.json"
    text = snapshot(example())
    if os.environ.get("CORE_WRITE_SNAPSHOTS"):
        kept.write_text(text)
    assert text == kept.read_text(), "set CORE_WRITE_SNAPSHOTS=1 once to accept the change, and read the difference"


PROGRAM = """
from tests.unit.deployspec.test_compile import example, snapshot
import hashlib
print(hashlib.sha256(snapshot(example()).encode()).hexdigest())
"""


@pytest.mark.parametrize("seed", ["0", "4242"])
def test_compile_when_on_another_machine_then_the_bytes_are_the_same(seed: str, tmp_path: Path) -> None:
    environment = {"PYTHONHASHSEED": seed, "LC_ALL": "C", "TZ": "Asia/Tokyo", "PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    root = str(Path(__file__).parents[3])
    run = [sys.executable, "-c", PROGRAM]
    found = subprocess.run(run, capture_output=True, text=True, env=environment | {"PYTHONPATH": root}, cwd=tmp_path, check=True)
    assert found.stdout.strip() == hashlib.sha256(snapshot(example()).encode()).hexdigest()


def test_compile_when_inputs_come_in_another_order_then_the_hash_is_the_same() -> None:
    spec = spec_of(stack("net"), targets="{OrganizationalUnits: [/workloads], Regions: [us-east-1, eu-west-1]}")
    turned = spec.replace("us-east-1, eu-west-1", "eu-west-1, us-east-1").replace("[shop", "[shop")
    one = compile_deployspec(payload(), package=package(spec), facts=facts(A=1, B=2), accounts=ACCOUNTS, linter=None)
    other = compile_deployspec(payload(), package=package(turned), facts=facts(B=2, A=1), accounts=ACCOUNTS[::-1], linter=None)
    assert one.plan(Task.DEPLOY).actions == other.plan(Task.DEPLOY).actions
    assert one.plan(Task.DEPLOY).provenance.facts_sha256 == other.plan(Task.DEPLOY).provenance.facts_sha256


def test_plan_when_read_back_from_its_text_then_the_hash_still_fits() -> None:
    for plan in example().plans.values():
        again = Plan.model_validate_json(plan.to_json())
        assert again.content_hash() == plan.hash
        assert again == plan


def test_plan_when_the_spec_changes_then_the_hash_changes() -> None:
    hashes = {deploy_plan(spec_of(stack("net", spec=[f"Parameters: {{Size: {size}}}"]))).hash for size in (1, 2, 3)}
    assert len(hashes) == 3


def test_files_when_compiled_then_they_are_keyed_by_content_and_only_those_used() -> None:
    result = example()
    plan = result.plan(Task.DEPLOY)
    assert [file.path for file in plan.files] == ["network/hub.yaml", "network/policy.json", "t.yaml"]
    hub = plan.file_by_path["network/hub.yaml"]
    assert hub.key == f"artefacts/shop/web/main/7/files/{hub.sha256}"
    assert result.files[hub.key] == TEMPLATE.encode()
    assert plan.file_by_path["t.yaml"].key == hub.key


def test_derived_plan_when_made_then_it_only_looks() -> None:
    plan = example().plan(Task.PLAN)
    assert {action.kind for action in plan.actions} == {"AWS::CreateChangeSet", "SYSTEM::SetVariables", "SYSTEM::NoOp"}
    assert all(action.hooks == () and action.on_failure == "continue" for action in plan.actions)


def test_derived_plan_and_apply_when_made_then_they_name_the_same_change_sets() -> None:
    result = example()
    reviewed = {
        action.id: action.spec["ChangeSetName"] for action in result.plan(Task.PLAN).actions if "StackName" in action.spec
    }
    applied = {
        action.id: action.spec["ChangeSetName"] for action in result.plan(Task.APPLY).actions if "StackName" in action.spec
    }
    assert reviewed == applied
    assert len(set(reviewed.values())) == len(reviewed)
    assert {action.kind for action in result.plan(Task.APPLY).actions if "StackName" in action.spec} == {"AWS::ApplyChangeSet"}


def test_change_set_names_when_the_template_changes_then_they_change() -> None:
    names = []
    for template in (TEMPLATE, TEMPLATE + "# other\n", TEMPLATE):
        result = compiled(spec_of(stack("net")), files={"t.yaml": template})
        names.append(result.plan(Task.PLAN).actions[0].spec["ChangeSetName"])
    assert names[0] == names[2] != names[1]


def test_teardown_when_derived_then_stacks_go_in_reverse_order_through_what_is_no_stack() -> None:
    noop = "- {Name: mid, Kind: NoOp, DependsOn: [a]}\n- {Name: leaf, Kind: NoOp, DependsOn: [b]}\n"
    plan = compiled(spec_of(stack("a"), noop, stack("b", "DependsOn: [mid]"))).plan(Task.TEARDOWN)
    place = "000000000011/eu-west-1"
    assert {action.id: (action.kind, action.depends_on) for action in plan.actions} == {
        f"a@{place}": ("AWS::DeleteStack", (f"mid@{place}",)),
        f"mid@{place}": ("SYSTEM::NoOp", (f"b@{place}",)),
        f"b@{place}": ("AWS::DeleteStack", ()),
    }
    assert plan.action_by_id[f"a@{place}"].spec == {"StackName": "a"}


def test_teardown_when_spokes_wait_for_a_hub_then_the_hub_goes_last() -> None:
    hub = stack("hub", "Targets: {Accounts: [network], Regions: [eu-west-1]}")
    plan = compiled(spec_of(hub, stack("a", "DependsOn: [hub]"))).plan(Task.TEARDOWN)
    assert {action.name: action.segment for action in plan.actions} == {"a": 0, "hub": 1}


def test_own_definitions_when_present_then_they_win_over_derived_ones() -> None:
    noop = "- {Name: look, Kind: NoOp, Targets: {Accounts: [audit], Regions: [eu-west-1]}}\n"
    here = {"Accounts": ["audit"], "Regions": ["eu-west-1"]}
    gone = json.dumps([{"Name": "gone", "Kind": "DeleteStack", "Targets": here, "Spec": {"StackName": "x"}}])
    result = compiled(spec_of(stack("net")), files={"planspec.yaml": noop, "teardownspec.json": gone})
    assert [action.name for action in result.plan(Task.PLAN).actions] == ["look"]
    assert [action.kind for action in result.plan(Task.TEARDOWN).actions] == ["AWS::DeleteStack"]
    assert [action.kind for action in result.plan(Task.APPLY).actions] == ["AWS::ApplyChangeSet"]


def test_plan_when_the_package_defines_no_such_task_then_the_error_says_which_there_are() -> None:
    result = compiled("- {Name: a, Kind: NoOp, Targets: {Accounts: [audit], Regions: [eu-west-1]}}\n", name="planspec.yaml")
    with pytest.raises(CoreError, match=r"defines no release \(it defines: plan"):
        result.plan(Task.RELEASE)


def test_tags_when_compiled_then_facts_scope_and_action_are_stacked() -> None:
    plan = example().plan(Task.DEPLOY)
    assert at(plan, "hub", "network").spec["Tags"] == {
        "Client": "acme", "Environment": "prod", "Owner": "platform", "Portfolio": "shop",
    }  # fmt: skip
    assert at(plan, "data", "shop-prod").spec["Tags"] == {
        "App": "web", "Branch": "main", "Build": "7", "Client": "acme", "Environment": "prod", "Owner": "platform",
        "Portfolio": "shop", "Team": "data",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ("{'aws:x': a}", "AWS keeps for itself"),
        ("{a: [1]}", "is not text"),
        ("[1]", "is a map of keys and values"),
        (f"{{a: {'x' * 300}}}", "longer than 256"),
        ("{" + ", ".join(f"k{i}: v" for i in range(50)) + "}", "57 tags, CloudFormation takes 50"),
    ],
)
def test_tags_when_cloudformation_would_refuse_them_then_it_is_an_error(tags: str, text: str) -> None:
    with pytest.raises(SchemaError, match=text):
        deploy_plan(spec_of(stack("net", spec=[f"Tags: {tags}"])))


LEGACY = """
- label: net
  type: create_stack
  spec:
    stack_name: "{{ core.Portfolio }}-net"
    template: t.yaml
    accounts: ["000000000011", "000000000012"]
    regions: [eu-west-1]
    parameters: {Cidr: 10.0.0.0/16}
    tags: {Team: platform}
- metadata: {name: app}
  kind: aws.create_stack
  depends_on: [net]
  params:
    stack_name: "{{ context.Portfolio }}-{{ App }}-{{ Branch }}"
    template: t.yaml
    account: "{{ AwsAccountId }}"
    region: eu-west-1
    stack_parameters: {Size: 2}
    timeout_in_minutes: 5
"""


def test_spec_when_written_for_the_reference_system_then_it_compiles() -> None:
    plan = deploy_plan(LEGACY, fact={"AwsAccountId": "000000000003"})
    assert sorted(plan.action_by_id) == [
        "app@000000000003/eu-west-1", "net@000000000011/eu-west-1", "net@000000000012/eu-west-1",
    ]  # fmt: skip
    app = plan.action_by_id["app@000000000003/eu-west-1"]
    assert app.depends_on == ("net@000000000011/eu-west-1", "net@000000000012/eu-west-1")
    assert (app.spec["StackName"], app.spec["Parameters"], app.spec["TimeoutMinutes"]) == ("shop-web-main", {"Size": "2"}, 5)


def test_targets_when_nothing_is_given_then_the_zone_of_the_facts_is_meant() -> None:
    plan = deploy_plan("- {Name: a, Kind: NoOp}\n", fact={"AwsAccountId": "777777777777", "AwsRegion": "eu-north-1"}, accounts=())
    assert [action.id for action in plan.actions] == ["a@777777777777/eu-north-1"]
    assert plan.targets[0].account_name == "777777777777"


def test_targets_when_the_facts_name_no_account_then_it_is_an_error() -> None:
    with pytest.raises(CoreError, match=r"deployspec\.yaml:1:3: no target"):
        deploy_plan("- {Name: a, Kind: NoOp}\n")


def test_targets_when_they_hold_expressions_then_facts_are_filled_in() -> None:
    plan = deploy_plan(spec_of(stack("net"), targets='{Accounts: "{{ Where }}", Regions: ["{{ AwsRegion }}"]}'),
                       fact={"Where": ["audit", "network"], "AwsRegion": "eu-west-1"})  # fmt: skip
    assert [target.account_name for target in plan.targets] == ["network", "audit"]


def test_targets_when_all_accounts_are_skipped_for_one_action_then_there_is_a_warning() -> None:
    fleet = [account(1, "a"), account(2, "b", state="suspended")]
    result = compiled(spec_of(
        stack("x"), stack("y", "Targets: {Accounts: [b]}"), targets="{Accounts: [a], Regions: [eu-west-1]}"
    ), accounts=fleet)  # fmt: skip
    assert [str(warning) for warning in result.warnings] == ["deployspec.yaml:10:3: 'y' runs nowhere: every account is skipped"]
    assert result.plan(Task.DEPLOY).skipped[0].reason == "account is suspended"


def test_policy_when_a_path_then_a_json_file_stays_a_path_and_yaml_becomes_a_map() -> None:
    spec = spec_of(stack("net", spec=["StackPolicy: p.json"]), stack("web", spec=["StackPolicy: p.yaml"]))
    plan = deploy_plan(spec, files={"p.json": POLICY, "p.yaml": POLICY})
    assert at(plan, "net", "shop-prod").spec["StackPolicy"] == "p.json"
    assert at(plan, "web", "shop-prod").spec["StackPolicy"] == json.loads(POLICY)


@pytest.mark.parametrize(("policy", "text"), [("gone.json", "no file 'gone.json'"), ("t.yaml", "a map with a 'Statement'")])
def test_policy_when_it_cannot_be_used_then_it_is_an_error(policy: str, text: str) -> None:
    with pytest.raises(TemplateError, match=text):
        deploy_plan(spec_of(stack("net", spec=[f"StackPolicy: {policy}"])))


def test_package_when_it_has_no_spec_then_the_hint_finds_one_below() -> None:
    with pytest.raises(PackageError, match="make platform/ the root"):
        compile_deployspec(payload(), package=Package.from_files({"platform/deployspec.yaml": "[]"}), facts=facts(), accounts=())


def test_package_when_a_spec_is_there_in_two_formats_then_it_is_refused() -> None:
    with pytest.raises(PackageError, match=r"deployspec\.yaml and deployspec\.json are both there"):
        compiled("[]", files={"deployspec.json": "[]"})
