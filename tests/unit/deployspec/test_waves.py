"""Waves at compile time: who is in which one, what stands between them, and what cannot be."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core_lib.deployspec import compile_deployspec
from core_lib.execute import segments, units
from core_lib.framework.errors import CoreError, GraphError, SchemaError, TargetError, UnknownKindError
from core_lib.framework.models import Account, Options, Plan, Selection, Task, Wave
from tests.unit.deployspec.builders import account, compiled, deploy_plan, facts, package, payload, stack

FLEET = (
    account(1, "network", "/infrastructure"),
    account(2, "reports", "/infrastructure"),
    account(5, "canary", "/workloads/test"),
    *(account(100 + number, f"app-{number}", f"/workloads/{'prod' if number % 4 else 'dev'}") for number in range(40)),
)
WORKLOADS = "Targets: {OrganizationalUnits: [/workloads], Regions: [eu-west-1, us-east-1]}\n"
FOUR_LINES = """\
Waves:
  - {Name: canary, Targets: {Accounts: [canary]}}
  - {Share: 5%}
  - {Share: 25%}
"""
HUB = stack("hub", "Targets: {Accounts: [network], Regions: [eu-west-1]}")
APP = stack("app", spec=["Parameters: {Cidr: '{{ outputs.hub.Arn }}'}"])
REPORT = stack("report", "Targets: {Accounts: [reports], Regions: [eu-west-1]}", "DependsOn: [{Name: app, Scope: all}]")


def spec(waves: str, *actions: str, targets: str = WORKLOADS) -> str:
    return f"{targets}{waves}Actions:\n{''.join(actions)}"


def rollout(waves: str, *actions: str, accounts: Sequence[Account] = FLEET, targets: str = WORKLOADS, **more: object) -> Plan:
    return deploy_plan(spec(waves, *(actions or (stack("net"), stack("app", "DependsOn: [net]"))), targets=targets),
                       accounts=accounts, **more)  # type: ignore[arg-type]  # fmt: skip


def sizes(plan: Plan) -> list[tuple[str, int]]:
    return [(wave.name, len(wave.targets)) for wave in plan.waves]


def accounts_of(plan: Plan, wave: str) -> set[str]:
    found = next(item for item in plan.waves if item.name == wave)
    return {target.partition("/")[0] for target in found.targets}


def test_waves_when_written_in_four_lines_then_canary_shares_and_rest_follow_each_other() -> None:
    plan = rollout(FOUR_LINES)
    assert sizes(plan) == [("canary", 2), ("5%", 6), ("25%", 22), ("rest", 52)]


def test_waves_when_compiled_then_a_gate_ends_each_but_the_last_and_begins_the_next() -> None:
    plan = rollout(FOUR_LINES)
    gates = [plan.action_by_id[gate] for wave in plan.waves for gate in wave.gates]
    assert [(gate.name, gate.kind, gate.waits_for) for gate in gates] == [
        (f"wave:{name}:gate", "SYSTEM::WaveGate", "end") for name in ("canary", "5%", "25%")
    ]
    canary, second = gates[0], plan.waves[1]
    assert canary.depends_on == ("app@000000000005/eu-west-1", "app@000000000005/us-east-1")
    assert canary.spec == {"Wave": "canary", "Actions": list(canary.depends_on), "Tolerance": 0, "Next": "5%"}
    assert canary.target in plan.waves[0].targets
    for target in second.targets:
        assert plan.action_by_id[f"net@{target}"].depends_on == (canary.id,)
        assert plan.action_by_id[f"app@{target}"].depends_on == (f"net@{target}",)


def test_shares_when_accounts_have_several_regions_then_they_stay_whole() -> None:
    plan = rollout(FOUR_LINES)
    for one, other in itertools.combinations([wave.name for wave in plan.waves], 2):
        assert not accounts_of(plan, one) & accounts_of(plan, other)


def test_shares_when_units_differ_in_size_then_each_has_its_part() -> None:
    plan = rollout("Waves:\n  - {Share: 50%}\n")
    unit = {one.id: one.organizational_unit for one in FLEET}
    chosen = [unit[name] for name in accounts_of(plan, "50%")]
    assert chosen.count("/workloads/dev") == 5
    assert chosen.count("/workloads/prod") in (15, 16)


def test_shares_when_an_account_joins_then_hardly_any_other_moves() -> None:
    before = accounts_of(rollout("Waves: [{Share: 25%}]\n"), "25%")
    after = accounts_of(rollout("Waves: [{Share: 25%}]\n", accounts=(*FLEET, account(999, "new", "/workloads/prod"))), "25%")
    assert len(before - after) <= 2


@pytest.mark.parametrize(("share", "taken"), [("1%", 2), ("3%", 4), ("100%", 82), (1, 2), (3, 6), (900, 82)])
def test_share_when_it_is_no_whole_account_then_it_is_rounded_up(share: str | int, taken: int) -> None:
    plan = rollout(f"Waves: [{{Name: some, Share: {share}}}]\n")
    assert dict(sizes(plan))["some"] == taken


def test_waves_when_accounts_wait_for_a_hub_then_it_goes_first_in_no_wave() -> None:
    plan = rollout(FOUR_LINES, HUB, APP)
    assert plan.action_by_id["hub@000000000001/eu-west-1"].depends_on == ()
    assert "000000000001/eu-west-1" not in plan.wave_of


def test_waves_when_the_hub_runs_the_app_too_then_only_what_others_need_goes_first() -> None:
    everywhere = "Targets: {Accounts: ['*'], Regions: [eu-west-1]}\n"
    plan = rollout(FOUR_LINES, HUB, APP, targets=everywhere)
    assert plan.action_by_id["hub@000000000001/eu-west-1"].depends_on == ()
    assert plan.wave_of["000000000001/eu-west-1"].name == "rest"
    assert "wave:25%:gate" in str(plan.action_by_id["app@000000000001/eu-west-1"].depends_on)


def test_waves_when_a_hub_is_named_then_it_is_a_wave_like_any_other() -> None:
    plan = rollout("Waves:\n  - {Name: hub, Targets: {Accounts: [network]}}\n  - {Share: 5%}\n", HUB, APP)
    assert sizes(plan)[0] == ("hub", 1)
    assert plan.action_by_id[plan.waves[0].gates[0]].depends_on == ("hub@000000000001/eu-west-1",)


def test_teardown_when_a_hub_had_the_first_wave_then_it_goes_in_the_last() -> None:
    waves = "Waves:\n  - {Name: hub, Targets: {Accounts: [network]}}\n  - {Share: 5%}\n"
    teardown = compiled(spec(waves, HUB, APP), accounts=FLEET).plan(Task.TEARDOWN)
    assert [wave.name for wave in teardown.waves] == ["5%", "rest"]
    assert "000000000001/eu-west-1" in teardown.waves[1].targets


@pytest.mark.parametrize("joint", [False, True])
def test_waves_when_one_account_waits_for_all_others_then_it_is_in_the_last(joint: bool) -> None:
    collectors = REPORT + (
        stack("index", "Targets: {Accounts: [reports]}", "DependsOn: [{Name: app, Scope: all}]") if joint else ""
    )
    fleet = (
        FLEET if not joint else (*FLEET, *(account(2000 + number, f"more-{number}", "/workloads/prod") for number in range(500)))
    )
    plan = rollout(FOUR_LINES, stack("app"), collectors, accounts=fleet)
    assert plan.wave_of["000000000002/eu-west-1"].name == "rest"
    assert any(action.name == "app*" for action in plan.actions) is joint


def test_waves_when_pairs_of_accounts_wait_for_each_other_then_they_stay_together() -> None:
    pairs = [(account(10 + n, f"data-{n}", "/data"), account(50 + n, f"web-{n}", "/web")) for n in range(8)]
    actions = []
    for n in range(8):
        actions.append(stack(f"data-{n}", f"Targets: {{Accounts: [data-{n}]}}"))
        actions.append(stack(f"web-{n}", f"Targets: {{Accounts: [web-{n}]}}", f"DependsOn: [data-{n}]"))
    plan = rollout("Waves: [{Share: 2}, {Share: 25%}]\n", *actions, accounts=[one for pair in pairs for one in pair],
                   targets="Targets: {Regions: [eu-west-1]}\n")  # fmt: skip
    for data, web in pairs:
        assert plan.wave_of[f"{data.id}/eu-west-1"] is plan.wave_of[f"{web.id}/eu-west-1"]


def test_waves_when_one_needs_a_later_one_then_the_error_names_both_and_the_line() -> None:
    waves = "Waves:\n  - {Name: canary, Targets: {Accounts: [canary]}}\n  - {Name: hubs, Targets: {Accounts: [network]}}\n"
    with pytest.raises(
        GraphError, match=r"'app@000000000005/eu-west-1' is in wave 'canary' and waits for 'hub@.*later wave 'hubs'"
    ) as found:
        rollout(waves, HUB, APP)
    assert found.value.where == "deployspec.yaml:3:5"
    assert "000000000001/eu-west-1" in (found.value.hint or "")


def test_waves_when_regions_of_one_account_are_in_two_then_their_order_is_checked_too() -> None:
    actions = (stack("roles", "Targets: {Regions: [us-east-1]}"), stack("app", "DependsOn: [{Name: roles, Scope: account}]"))
    with pytest.raises(GraphError, match="later wave 'rest'"):
        rollout("Waves: [{Name: europe, Targets: {Regions: [eu-west-1]}}]\n", *actions)
    plan = rollout("Waves: [{Name: america, Targets: {Regions: [us-east-1]}}]\n", *actions)
    assert sizes(plan) == [("america", 41), ("rest", 41)]


def test_wave_when_nothing_is_left_for_it_then_it_is_left_out_with_a_warning() -> None:
    canary = "Targets: {Accounts: [canary]}"
    twice = f"Waves:\n  - {{Name: canary, {canary}}}\n  - {{Name: again, {canary}}}\n"
    result = compiled(spec(twice, stack("net")), accounts=FLEET)
    assert [wave.name for wave in result.plan(Task.DEPLOY).waves] == ["canary", "rest"]
    assert [str(item) for item in result.warnings] == [
        "deployspec.yaml:4:5: wave 'again' is left out with its gates: no target of this run is left for it"
    ]


def test_waves_when_the_run_is_narrowed_then_shares_are_of_what_is_left() -> None:
    plan = rollout("Waves: [{Share: 50%}]\n")
    narrowed = deploy_plan(
        spec("Waves: [{Share: 50%}]\n", stack("net")), accounts=FLEET, targets=Selection(accounts=("app-1", "app-2"))
    )
    assert sizes(plan) == [("50%", 42), ("rest", 40)]
    assert sizes(narrowed) == [("50%", 2), ("rest", 2)]


@pytest.mark.parametrize(
    ("waves", "error", "message", "where"),
    [
        ("Waves: {Share: 5%}\n", SchemaError, "is a list", "2"),
        ("Waves:\n  - {Share: 0%}\n", SchemaError, "a share of nothing", "3"),
        ("Waves:\n  - {Share: 5%, Targets: {Accounts: [canary]}}\n", SchemaError, "not both", "3"),
        ("Waves:\n  - {Tolerance: 5%}\n", SchemaError, "needs a Name", "3"),
        ("Waves:\n  - {Name: all}\n  - {Share: 5%}\n", SchemaError, "takes all that is left", "4"),
        ("Waves:\n  - {Share: 5%}\n  - {Share: 5%}\n", SchemaError, "two waves are named '5%'", "4"),
        ("Waves:\n  - {Share: 5%, Sook: PT5M}\n", SchemaError, "Soak", "3"),
        ("Waves:\n  - {Name: canary, Targets: {Accounts: [cannary]}}\n", TargetError, "cannary", "3"),
        ("Waves:\n  - {Name: canary, Targets: {OrganizationalUnits: [/nowhere]}}\n", TargetError, "/nowhere", "3"),
        ("Waves:\n  - {Name: canary, Targets: {Regions: [eu-west-11]}}\n", TargetError, "eu-west-11", "3"),
        ("Waves:\n  - {Share: 5%, Tolerance: some}\n", SchemaError, "percentage", "3"),
        ("Waves:\n  - {Share: 5%, Gates: [{}]}\n", SchemaError, "one of Alarm, Script", "3"),
        ("Waves:\n  - {Share: 5%, Gates: [{Kind: Nonsense}]}\n", UnknownKindError, "Nonsense", "3"),
        ("Waves:\n  - {Share: 5%, Gates: [{Kind: NoOp, Spec: {Massage: x}}]}\n", SchemaError, "Massage", "3"),
        ("Waves:\n  - {Share: 5%, Gates: [{Kind: NoOp, Account: nobody}]}\n", TargetError, "nobody", "3"),
        ("Waves:\n  - {Share: '{{ outputs.net.Arn }}'}\n", CoreError, "known at compile time", "3"),
        ("Waves:\n  - {Share: 5%, Gates: [{Approval: {}}]}\n", SchemaError, "nobody can approve", "3"),
        ("Waves:\n  - {Share: 5%, Gates: [{Approval: {Approvers: [ann], Quorum: 2}}]}\n", SchemaError, "quorum of 2", "3"),
    ],
)  # fmt: skip
def test_waves_when_they_cannot_be_then_the_error_says_why_and_where(
    waves: str, error: type[CoreError], message: str, where: str
) -> None:
    with pytest.raises(error, match=message) as found:
        rollout(waves)
    assert (found.value.where or "").startswith(f"deployspec.yaml:{where}:") or f"deployspec.yaml:{where}:" in str(found.value)


def test_gates_when_written_then_they_follow_each_other_and_the_next_wave_follows_the_last() -> None:
    waves = """\
Waves:
  - Share: 5%
    Gates:
      - {Kind: NoOp, Spec: {Message: "{{ Portfolio }}"}}
      - {Kind: no-op, Account: network, Region: us-east-1}
"""
    plan = rollout(waves)
    gate, first, second = (plan.action_by_id[identity] for identity in plan.waves[0].gates)
    assert (first.kind, first.spec, first.depends_on) == ("SYSTEM::NoOp", {"Message": "shop"}, (gate.id,))
    assert (second.target, second.depends_on) == ("000000000001/us-east-1", (first.id,))
    assert second.target in plan.target_by_key
    assert {plan.action_by_id[f"net@{target}"].depends_on for target in plan.waves[1].targets} == {(second.id,)}


def test_approval_when_it_names_nobody_then_the_portfolio_s_approvers_are_asked_in_their_sequence() -> None:
    people = [
        {"Sequence": 2, "Name": "bob"}, {"Sequence": 1, "Name": "ann"}, {"Name": "gone", "Enabled": False},
        {"Sequence": 3, "Email": "c@x.y"},
    ]  # fmt: skip
    approval = "{Quorum: 2, Message: 'Ring 1 of {{ App }} is quiet', Timeout: PT8H}"
    plan = rollout(f"Waves: [{{Share: 5%, Gates: [{{Approval: {approval}}}]}}]\n", fact={"Approvers": people})
    asked = plan.action_by_id[plan.waves[0].gates[1]]
    assert (asked.name, asked.kind) == ("wave:5%:approval-1", "SYSTEM::Approval")
    assert asked.spec == {
        "Approvers": ["ann", "bob", "c@x.y"],
        "Quorum": 2,
        "Message": "Ring 1 of web is quiet",
        "Timeout": "PT8H",
    }
    assert plan.waves[0].steps[1] == "approval by 2 of ann, bob, c@x.y"


def test_approval_when_it_names_people_then_these_are_asked() -> None:
    plan = rollout("Waves: [{Share: 5%, Gates: [{Approval: {Approvers: [zoe]}}]}]\n", fact={"Approvers": [{"Name": "ann"}]})
    assert plan.action_by_id[plan.waves[0].gates[1]].spec == {"Approvers": ["zoe"]}


def test_last_wave_when_it_has_gates_of_its_own_then_they_follow_it() -> None:
    plan = rollout("Waves: [{Share: 5%}, {Name: everybody, Gates: [{Kind: NoOp}]}]\n")
    assert [len(wave.gates) for wave in plan.waves] == [1, 2]
    assert "Next" not in plan.action_by_id[plan.waves[1].gates[0]].spec


def test_options_when_they_have_waves_then_these_replace_those_of_the_file() -> None:
    request = payload().but(options=Options(waves=(Wave(share="50%", tolerance="10%"),)))
    result = compile_deployspec(
        request, package=package(spec(FOUR_LINES, stack("net"))), facts=facts(), accounts=FLEET, linter=None
    )
    assert sizes(result.plan(Task.DEPLOY)) == [("50%", 42), ("rest", 40)]
    none = payload().but(options=Options(waves=()))
    result = compile_deployspec(none, package=package(spec(FOUR_LINES, stack("net"))), facts=facts(), accounts=FLEET, linter=None)
    assert result.plan(Task.DEPLOY).waves == ()


def test_derived_plans_when_there_are_waves_then_a_review_has_no_gates_apply_has_all_and_a_teardown_counts() -> None:
    waves = "Waves: [{Name: canary, Targets: {Accounts: [canary]}, Gates: [{Kind: NoOp}]}]\n"
    result = compiled(spec(waves, HUB, APP), accounts=FLEET)
    kinds = {
        task: [result.plan(task).action_by_id[gate].kind for gate in result.plan(task).waves[0].gates]
        for task in (Task.DEPLOY, Task.PLAN, Task.APPLY, Task.TEARDOWN)
    }
    full = ["SYSTEM::WaveGate", "SYSTEM::NoOp"]
    assert kinds == {Task.DEPLOY: full, Task.PLAN: [], Task.APPLY: full, Task.TEARDOWN: ["SYSTEM::WaveGate"]}
    assert result.plan(Task.PLAN).waves[0].steps == ("at most 0 of 2 targets failed", "SYSTEM::NoOp")
    teardown = result.plan(Task.TEARDOWN)
    assert teardown.waves[0].targets == result.plan(Task.DEPLOY).waves[0].targets
    assert len(teardown.action_by_id["hub@000000000001/eu-west-1"].depends_on) == 82 + 1, "the hub goes when all spokes are gone"


def test_failures_that_do_not_stop_a_target_when_there_are_waves_then_the_gate_sees_them() -> None:
    plan = rollout(FOUR_LINES, stack("net", "OnFailure: continue"), stack("app", "DependsOn: [net]"))
    seen = plan.action_by_id[plan.waves[0].gates[0]].spec["Actions"]
    assert {identity.partition("@")[0] for identity in seen} == {"net", "app"}


def test_plan_when_it_is_in_waves_then_gates_are_units_of_their_own() -> None:
    plan = rollout("Waves: [{Name: canary, Targets: {Accounts: [canary], Regions: [eu-west-1]}}]\n")
    gate = plan.waves[0].gates[0]
    (unit,) = (unit for unit in units(plan) if gate in unit.action_ids)
    assert unit.action_ids == (gate,)
    assert unit.upstream_units == ("000000000005/eu-west-1#0",)


names = st.sampled_from([f"app-{number}" for number in range(12)])
wave = st.one_of(
    st.builds(lambda share: f"{{Share: {share}%}}", st.integers(1, 100)),
    st.builds(lambda share: f"{{Share: {share}}}", st.integers(1, 9)),
    st.builds(lambda found: f"{{Targets: {{Accounts: [{', '.join(sorted(found))}]}}}}", st.sets(names, min_size=1, max_size=4)),
    st.sampled_from(["{Targets: {Regions: [us-east-1]}}", "{Targets: {OrganizationalUnits: [/workloads/dev]}}"]),
)


def _named(waves: Iterable[str]) -> str:
    listed = ", ".join(text.replace("{", f"{{Name: w{index}, ", 1) for index, text in enumerate(waves))
    return f"Waves: [{listed}]\n"


@settings(max_examples=60, deadline=timedelta(seconds=5))
@given(st.lists(wave, min_size=1, max_size=5), st.booleans(), st.booleans())
def test_waves_whatever_they_are_then_every_target_is_in_exactly_one_and_nothing_waits_for_a_later_one(
    waves: list[str], hub: bool, report: bool
) -> None:
    actions = [*([HUB, APP] if hub else [stack("net"), stack("app", "DependsOn: [net]")]), *([REPORT] if report else [])]
    fleet = FLEET[:15]
    plan = rollout(_named(waves), *actions, accounts=fleet)
    own = {action.target for action in plan.actions if action.id not in plan.gates and action.name != "hub"}
    listed = [target for item in plan.waves for target in item.targets]
    assert len(listed) == len(set(listed))
    assert set(listed) == own
    position = {target: index for index, item in enumerate(plan.waves) for target in item.targets}
    for action in plan.actions:
        if action.id in plan.gates or action.name == "hub":
            continue
        for dependency in action.depends_on:
            upstream = plan.action_by_id[dependency]
            assert position.get(upstream.target, -1) <= position[action.target]
    order = segments(plan.actions)
    for earlier, later in itertools.pairwise(plan.waves):
        last = max(order[gate] for gate in earlier.gates)
        assert all(order[f"app@{target}"] >= last for target in later.targets if f"app@{target}" in order)


def test_compile_when_ten_thousand_actions_are_in_waves_then_it_is_fast_and_edges_grow_with_targets() -> None:
    def measure(count: int) -> tuple[float, int, int]:
        fleet = [
            account(5, "canary", "/workloads/test"),
            *(account(1000 + n, f"a-{n}", f"/workloads/u{n % 7}") for n in range(count)),
        ]
        chain = [stack("s0"), *(stack(f"s{n}", f"DependsOn: [s{n - 1}]") for n in range(1, 10))]
        began = time.process_time()
        plan = rollout(
            FOUR_LINES, *chain, accounts=fleet, targets="Targets: {OrganizationalUnits: [/workloads], Regions: [eu-west-1]}\n"
        )
        return time.process_time() - began, len(plan.actions), sum(len(action.depends_on) for action in plan.actions)

    small, few, few_edges = measure(249)
    large, many, many_edges = measure(999)
    assert many > 10_000
    assert many_edges / few_edges < many / few * 1.05
    assert large < 8.0
    assert large < small * 6.0 + 1.0


def test_gates_when_there_is_a_soak_then_it_passes_before_them_and_alarms_are_watched_meanwhile() -> None:
    waves = """\
Waves:
  - Share: 5%
    Soak: PT30M
    Gates:
      - {Alarm: [errors, latency]}
      - {Alarm: budget, Account: network, Region: us-east-1}
      - {Script: {FunctionName: smoke-test, Payload: {Ring: 1}}}
      - {Script: {ProjectName: smoke-build}}
      - {Http: {Url: "https://shop.example.com/health", Expect: {Path: status, Equals: ready}}}
  - {Share: 20%, Soak: PT1H30M}
  - {Share: 30%, Gates: [{Alarm: errors}]}
"""
    plan = rollout(waves)
    gate, one, two, script, build, web = (plan.action_by_id[identity] for identity in plan.waves[0].gates)
    assert (one.kind, one.spec) == ("AWS::WaitForAlarm", {"AlarmNames": ["errors", "latency"], "Watch": "PT30M"})
    assert (two.target, two.spec) == ("000000000001/us-east-1", {"AlarmNames": ["budget"], "Watch": "PT30M"})
    assert one.depends_on == two.depends_on == (gate.id,), "both are watched at the same time"
    assert (script.kind, script.depends_on) == ("AWS::InvokeLambda", (one.id, two.id))
    assert (build.kind, build.spec, build.depends_on) == ("AWS::RunCodeBuild", {"ProjectName": "smoke-build"}, (script.id,))
    assert (web.kind, web.depends_on) == ("SYSTEM::HttpRequest", (build.id,))
    assert {plan.action_by_id[f"net@{target}"].depends_on for target in plan.waves[1].targets} == {(web.id,)}
    _, wait = (plan.action_by_id[identity] for identity in plan.waves[1].gates)
    assert (wait.name, wait.kind, wait.spec) == ("wave:20%:soak", "SYSTEM::Wait", {"For": "PT1H30M"})
    assert plan.waves[1].steps[1] == "wait 1 h 30 min"
    _, quiet = (plan.action_by_id[identity] for identity in plan.waves[2].gates)
    assert quiet.spec == {"AlarmNames": ["errors"], "Until": "OK"}
