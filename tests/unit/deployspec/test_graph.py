"""Dependencies, references and conditions: how instances find each other."""

from __future__ import annotations

import pytest

from core_lib.framework.errors import CoreError, GraphError, ReferenceFault, RenderError
from core_lib.framework.models import Selection, Task
from core_lib.renderer import resolve_runtime
from tests.unit.deployspec.builders import account, at, compiled, deploy_plan, spec_of, stack

WIDE = "{Accounts: [shop-prod, bank-prod], Regions: [eu-west-1, us-east-1]}"
HUB = "Targets: {Accounts: [network], Regions: [eu-west-1]}"
SHOP, BANK, NET = "000000000011", "000000000012", "000000000002"


def noop(name: str, *lines: str) -> str:
    return "\n".join([f"- Name: {name}", "  Kind: SYSTEM::NoOp", *(f"  {line}" for line in lines)]) + "\n"


def waits(spec: str, identity: str, **more: object) -> tuple[str, ...]:
    return deploy_plan(spec, **more).action_by_id[identity].depends_on  # type: ignore[arg-type]


def test_depends_on_when_the_upstream_is_in_the_same_target_then_only_that_instance_is_meant() -> None:
    spec = spec_of(noop("a"), noop("b", "DependsOn: [a]"), targets=WIDE)
    assert waits(spec, f"b@{SHOP}/us-east-1") == (f"a@{SHOP}/us-east-1",)


def test_depends_on_when_the_upstream_is_elsewhere_then_all_of_its_instances_are_meant() -> None:
    hub = noop("hub", "Targets: {Accounts: [network, audit], Regions: [eu-west-1]}")
    spec = spec_of(hub, noop("b", "DependsOn: hub"), targets=WIDE)
    assert waits(spec, f"b@{SHOP}/us-east-1") == ("hub@000000000002/eu-west-1", "hub@000000000003/eu-west-1")


def test_depends_on_when_scope_all_then_every_instance_is_meant() -> None:
    spec = spec_of(noop("a"), noop("b", "DependsOn: [{Name: a, Scope: all}]"), targets=WIDE)
    assert len(waits(spec, f"b@{SHOP}/us-east-1")) == 4


def test_depends_on_when_scope_account_then_instances_of_the_account_are_meant() -> None:
    spec = spec_of(
        noop("iam", "Targets: {Regions: [eu-west-1]}"), noop("b", "DependsOn: [{Name: iam, Scope: account}]"), targets=WIDE
    )
    assert waits(spec, f"b@{BANK}/us-east-1") == (f"iam@{BANK}/eu-west-1",)


def test_after_and_before_when_patterns_then_every_fitting_action_is_meant() -> None:
    spec = spec_of(
        noop("net-a"), noop("net-b"), noop("last", "After: ['*']"), noop("mid", "After: net-*"),
        noop("first", "Before: [net-*, mid]"),
        targets="{Accounts: [shop-prod], Regions: [eu-west-1]}",
    )  # fmt: skip
    place = f"{SHOP}/eu-west-1"
    assert set(waits(spec, f"last@{place}")) == {f"{name}@{place}" for name in ("net-a", "net-b", "mid", "first")}
    assert set(waits(spec, f"mid@{place}")) == {f"{name}@{place}" for name in ("net-a", "net-b", "first")}
    assert waits(spec, f"net-a@{place}") == (f"first@{place}",)


def test_patterns_when_nothing_fits_then_there_is_a_warning() -> None:
    found = compiled(spec_of(noop("a", "After: ['web-*']"))).warnings
    assert [str(warning) for warning in found] == ["deployspec.yaml:5:3: After 'web-*' of 'a' matches no action"]


def test_fan_in_when_it_is_large_on_both_sides_then_one_joint_keeps_the_edges_few() -> None:
    fleet = [account(i, f"n{i}") for i in range(1, 201)]
    spec = spec_of(noop("a"), noop("b", "DependsOn: [{Name: a, Scope: all}]"), targets="{Accounts: ['*'], Regions: [eu-west-1]}")
    plan = deploy_plan(spec, accounts=fleet)
    joint = plan.action_by_id["a*@000000000001/eu-west-1"]
    assert len(joint.depends_on) == 200
    assert plan.action_by_id["b@000000000077/eu-west-1"].depends_on == (joint.id,)
    assert sum(len(action.depends_on) for action in plan.actions) == 400
    assert joint.segment == 1
    assert plan.action_by_id["b@000000000077/eu-west-1"].segment == 2


def test_segments_when_spokes_wait_for_a_hub_then_they_are_one_further() -> None:
    plan = deploy_plan(spec_of(noop("hub", HUB), noop("a"), noop("b", "DependsOn: [hub, a]"), targets=WIDE))
    assert {action.name: action.segment for action in plan.actions} == {"hub": 0, "a": 0, "b": 1}


@pytest.mark.parametrize(
    ("actions", "text"),
    [
        ([noop("a", "DependsOn: [b]"), noop("b", "DependsOn: [c]"), noop("c", "DependsOn: [a]")],
         r"deployspec\.yaml:3:3: the actions wait for each other: a@.* -> b@.* -> c@.* -> a@"),
        ([noop("a", "DependsOn: [a]")], "'a' waits for itself"),
        ([noop("net"), noop("a", "DependsOn: [nett]")], r"deployspec\.yaml:7:3: .*no such action \(did you mean 'net'"),
        ([noop("net"), noop("a", "After: nett")], "After 'nett'"),
        ([noop("net"), noop("a", "Before: nett")], "Before 'nett'"),
        ([noop("a"), noop("a")], r"two actions are named 'a' \(the other one: deployspec\.yaml:3:3"),
        ([noop("a", "Before: b"), noop("b", "Before: a")], "wait for each other"),
    ],
)  # fmt: skip
def test_graph_when_it_cannot_be_then_the_error_names_the_path_and_line(actions: list[str], text: str) -> None:
    with pytest.raises(GraphError, match=text):
        deploy_plan(spec_of(*actions))


def test_references_when_they_close_a_circle_then_it_is_a_cycle() -> None:
    one = stack("one", spec=['Parameters: {Cidr: "{{ outputs.two.Arn }}"}'])
    two = stack("two", "DependsOn: [one]")
    with pytest.raises(GraphError, match="a reference to outputs is a dependency too"):
        deploy_plan(spec_of(one, two))


def use(label: str, output: str = "Arn") -> str:
    return stack("use", spec=[f"""Parameters: {{Cidr: "{{{{ {label}.{output} }}}}"}}"""])


def test_references_when_the_upstream_is_in_the_same_target_then_it_is_meant() -> None:
    action = at(deploy_plan(spec_of(stack("net"), use("outputs.net"), targets=WIDE)), "use", "bank-prod", "us-east-1")
    assert action.references == {"net": f"net@{BANK}/us-east-1"}
    assert action.depends_on == (f"net@{BANK}/us-east-1",)
    assert action.spec["Parameters"]["Cidr"] == "{{ outputs.net.Arn }}"


def test_references_when_there_is_one_instance_elsewhere_then_it_is_meant() -> None:
    plan = deploy_plan(spec_of(stack("hub", HUB), use("outputs.hub"), targets=WIDE))
    assert at(plan, "use", "shop-prod", "us-east-1").references == {"hub": f"hub@{NET}/eu-west-1"}


def test_references_when_one_instance_is_in_the_same_region_then_it_is_meant() -> None:
    hub = stack("hub", "Targets: {Accounts: [network], Regions: [eu-west-1, us-east-1]}")
    plan = deploy_plan(spec_of(hub, use("outputs.hub"), targets=WIDE))
    assert at(plan, "use", "shop-prod", "us-east-1").references == {"hub": f"hub@{NET}/us-east-1"}


def test_references_when_one_instance_is_in_the_same_account_then_it_is_meant() -> None:
    plan = deploy_plan(spec_of(stack("iam", "Targets: {Regions: [eu-west-1]}"), use("outputs.iam"), targets=WIDE))
    assert at(plan, "use", "bank-prod", "us-east-1").references == {"iam": f"iam@{BANK}/eu-west-1"}


def test_references_when_an_instance_is_named_then_exactly_that_is_meant() -> None:
    hub = stack("hub", "Targets: {Accounts: [network, audit], Regions: [eu-west-1]}")
    for label in ("hub@network/eu-west-1", f"hub@{NET}/eu-west-1"):
        plan = deploy_plan(spec_of(hub, use(f"outputs['{label}']"), targets=WIDE))
        assert at(plan, "use", "shop-prod").references == {label: f"hub@{NET}/eu-west-1"}


HUBS = "Targets: {Accounts: [network, audit], Regions: [eu-west-1]}"


@pytest.mark.parametrize(
    ("upstream", "label", "output", "text"),
    [
        ("net", "outputs.nett", "Arn", r"deployspec\.yaml:\d+:\d+: .*did you mean 'net'"),
        ("net", "outputs.net", "Arm", r"'net' has no output 'Arm' \(did you mean 'Arn'"),
        (
            "hub",
            "outputs.hub",
            "Arn",
            r"which of its 2 instances is meant\? \(write outputs\['hub@account/region'\], one of: 0000",
        ),
        ("hub", "outputs['hub@network']", "Arn", "write name@account/region"),
        ("hub", "outputs['hub@network/us-east-1']", "Arn", r"no instance in network/us-east-1 \(it has: 000000000002/eu-west-1"),
        ("hub", "outputs['hub@netwrk/eu-west-1']", "Arn", "did you mean 'network'"),
        ("net", "vars", "Colour", "no action sets the variable 'Colour'"),
    ],
)
def test_references_when_they_cannot_be_resolved_then_the_error_names_candidates(
    upstream: str, label: str, output: str, text: str
) -> None:
    first = stack("hub", HUBS) if upstream == "hub" else stack("net")
    with pytest.raises(CoreError, match=text):
        deploy_plan(spec_of(first, use(label, output), targets=WIDE))


def test_references_when_outputs_are_not_saved_then_it_is_an_error() -> None:
    with pytest.raises(ReferenceFault, match="SaveOutputs: false"):
        deploy_plan(spec_of(stack("net", "SaveOutputs: false"), use("outputs.net")))


def test_outputs_when_the_template_has_a_transform_then_any_name_is_taken() -> None:
    template = "Transform: [Mine]\nParameters: {Cidr: {Type: String, Default: x}}\nResources: {A: {Type: AWS::SNS::Topic}}\n"
    plan = deploy_plan(spec_of(stack("net"), use("outputs.net", "Whatever")), files={"t.yaml": template})
    assert at(plan, "use", "shop-prod").references


def variables(name: str, *lines: str, values: str = "{Colour: red}") -> str:
    return (
        "\n".join(
            [f"- Name: {name}", "  Kind: set-variables", *(f"  {line}" for line in lines), f"  Spec: {{Variables: {values}}}"]
        )
        + "\n"
    )


def test_variables_when_set_in_the_same_target_then_the_setter_is_upstream() -> None:
    action = at(deploy_plan(spec_of(variables("v"), use("vars", "Colour"), targets=WIDE)), "use", "shop-prod")
    assert action.references == {"vars.Colour": f"v@{SHOP}/eu-west-1"}
    assert action.depends_on == (f"v@{SHOP}/eu-west-1",)


def test_variables_when_set_twice_then_it_is_an_error() -> None:
    with pytest.raises(ReferenceFault, match="'Colour' is set by v, w"):
        deploy_plan(spec_of(variables("v"), variables("w"), use("vars", "Colour")))


def test_variables_when_one_of_two_setters_has_a_false_condition_then_the_other_is_meant() -> None:
    spec = spec_of(variables("v", "Condition: \"Environment == 'dev'\""), variables("w"), use("vars", "Colour"))
    assert at(deploy_plan(spec), "use", "shop-prod").references == {"vars.Colour": f"w@{SHOP}/eu-west-1"}


def test_variables_when_set_only_elsewhere_then_it_is_an_error() -> None:
    with pytest.raises(ReferenceFault, match=r"is not set in .* \(it is set by v elsewhere"):
        deploy_plan(spec_of(variables("v", HUB), use("vars", "Colour")))


def test_condition_when_false_at_compile_time_then_the_action_is_left_out_with_a_reason() -> None:
    spec = spec_of(noop("a", "Condition: \"{{ AccountName == 'bank-prod' }}\""), targets=WIDE)
    result = compiled(spec)
    assert {action.target.partition("/")[0] for action in result.plan(Task.DEPLOY).actions} == {BANK}
    assert result.skipped_actions[0].reason == "the condition is false: {{ AccountName == 'bank-prod' }}"
    assert result.skipped_actions[0].target == f"{SHOP}/eu-west-1"


def test_condition_when_an_action_is_left_out_then_its_dependencies_are_handed_on() -> None:
    never = "Condition: 'false'"
    spec = spec_of(noop("a"), noop("b", "DependsOn: [a]", never), noop("c", "DependsOn: [b]", never), noop("d", "DependsOn: [c]"))
    assert waits(spec, f"d@{SHOP}/eu-west-1") == (f"a@{SHOP}/eu-west-1",)


def test_condition_when_it_needs_outputs_then_it_is_kept_for_the_run_with_its_bindings() -> None:
    spec = spec_of(stack("net"), noop("b", 'Condition: "{{ outputs.net.Name == Portfolio }}"'))
    action = at(deploy_plan(spec), "b", "shop-prod")
    assert action.condition == "{{ outputs.net.Name == Portfolio }}"
    assert action.bindings == {"Portfolio": "shop"}
    assert action.references == {"net": f"net@{SHOP}/eu-west-1"}


@pytest.mark.parametrize("condition", ["{{ Enviroment == 'prod' }}", "{{ 1 +", "maybe"])
def test_condition_when_it_cannot_be_answered_then_the_error_has_its_line(condition: str) -> None:
    with pytest.raises(RenderError, match=r"deployspec\.yaml:5:3"):
        deploy_plan(spec_of(noop("a", f'Condition: "{condition}"')))


def test_references_when_the_upstream_is_left_out_then_a_default_is_needed() -> None:
    net = stack("net", "Condition: 'false'")
    with pytest.raises(ReferenceFault, match=r"where its condition is false \(write what holds then"):
        deploy_plan(spec_of(net, use("outputs.net")))
    guarded = stack("use", spec=["Parameters: {Cidr: \"{{ outputs.net.Arn | default('none') }}\"}"])
    action = at(deploy_plan(spec_of(net, guarded)), "use", "shop-prod")
    assert action.references == {"net": f"net@{SHOP}/eu-west-1"}
    assert action.depends_on == ()
    left_out: dict[str, dict[str, str]] = {"net": {}}
    resolved = resolve_runtime(action.spec["Parameters"], outputs=left_out, variables={}, bindings=action.bindings)
    assert resolved == {"Cidr": "none"}


def test_actions_when_none_is_left_then_it_is_an_error() -> None:
    with pytest.raises(CoreError, match=r"no action is left to run \(the condition is false"):
        deploy_plan(spec_of(noop("a", "Condition: 'false'")))


def test_narrowing_when_an_upstream_stack_is_elsewhere_then_its_outputs_are_read_and_it_is_not_changed() -> None:
    spec = spec_of(stack("hub", HUB), use("outputs.hub"), noop("n", "DependsOn: [hub]"), targets=WIDE)
    plan = deploy_plan(spec, targets=Selection(accounts=("shop-prod",)))
    hub = plan.action_by_id[f"hub@{NET}/eu-west-1"]
    assert (hub.kind, hub.spec) == ("AWS::GetStackOutputs", {"StackName": "hub"})
    assert {action.target.partition("/")[0] for action in plan.actions} == {SHOP, NET}
    assert at(plan, "use", "shop-prod").references == {"hub": hub.id}


def test_narrowing_when_nothing_but_order_links_them_then_the_upstream_is_left_alone() -> None:
    spec = spec_of(noop("hub", HUB), noop("n", "DependsOn: [hub]"), targets=WIDE)
    plan = deploy_plan(spec, targets=Selection(accounts=("shop-prod",)))
    assert {action.name for action in plan.actions} == {"n"}
    assert at(plan, "n", "shop-prod").depends_on == ()


def test_narrowing_when_it_leaves_nothing_then_it_is_an_error() -> None:
    with pytest.raises(CoreError, match="the Targets of the payload leave none"):
        deploy_plan(spec_of(noop("a")), targets=Selection(accounts=("audit",)))


def test_stacks_when_two_actions_are_the_same_one_then_both_are_named() -> None:
    twice = stack("a") + stack("b").replace("StackName: b", "StackName: a")
    with pytest.raises(
        GraphError, match=r"'a' and 'b' are both the stack 'a' in 000000000011/eu-west-1 \(the other one: deployspec"
    ):
        deploy_plan(spec_of(twice))


def test_stacks_when_the_same_name_is_used_in_other_targets_then_it_is_fine() -> None:
    hub = stack("hub", HUB).replace("StackName: hub", "StackName: net")
    assert len(deploy_plan(spec_of(hub, stack("net"))).actions) == 2
