"""Definitions that are readable and mean nothing: keys, types, targets, layers, dependencies, references."""
# ruff: noqa: E501 - one case, one line

from __future__ import annotations

from core_lib.framework.models import Selection
from tests.malformed.case import Case, cases, refusal
from tests.malformed.doors import compile_spec, spec_of, stack


def noop(name: str, *lines: str) -> str:
    return "\n".join([f"- Name: {name}", "  Kind: SYSTEM::NoOp", *(f"  {line}" for line in lines)]) + "\n"


def action(*lines: str) -> str:
    return spec_of(stack("net", *lines))


def ring(length: int) -> str:
    names = [f"a{number}" for number in range(length)]
    return spec_of(*(noop(name, f"DependsOn: [{names[(number + 1) % length]}]") for number, name in enumerate(names)))


SHAPES = (
    Case("empty", "CORE-1004", "the file is empty", ""),
    Case("a-comment", "CORE-1004", "the file is empty", "# later"),
    Case("a-text", "CORE-1004", "a list of actions", "deploy everything"),
    Case("a-number", "CORE-1004", "a list of actions", "7"),
    Case("a-list-of-texts", "CORE-1004", "an action is a map", "[net, app]"),
    Case("a-list-of-lists", "CORE-1004", "an action is a map", "[[{Name: a}]]"),
    Case("no-actions", "CORE-1004", "'Actions' is missing", "Targets: {Accounts: [shop-prod]}"),
    Case("no-action", "CORE-1004", "at least one action", "Actions: []"),
    Case("actions-null", "CORE-1004", "'Actions' is missing", "Actions:"),
    Case("actions-a-map", "CORE-1004", "a list of at least one action", "Actions: {net: {Kind: NoOp}}"),
    Case("section-mistyped", "CORE-1004", "did you mean 'Actions'", "Action: []"),
    Case("section-in-two-spellings", "CORE-1004", "written twice", "actions: []\nActions: []"),
    Case("short-tag-in-a-spec", "CORE-1004", "a function of CloudFormation templates", spec_of(noop("a", "Spec: {X: !Ref Y}"))),
    Case("short-tag-as-actions", "CORE-1004", "a list", "Actions: !Sub 'x'"),
    Case("key-mistyped", "CORE-1004", "did you mean DependsOn", action("DependOn: [a]")),
    Case("key-of-another-tool", "CORE-1004", "unknown key", action("uses: actions/checkout")),
    Case("name-missing", "CORE-1004", "Name: is missing", spec_of("- Kind: NoOp\n")),
    Case("name-null", "CORE-1004", "must be text", spec_of("- {Name: null, Kind: NoOp}\n")),
    Case("name-a-number", "CORE-1004", "put it in quotes", spec_of("- {Name: 5, Kind: NoOp}\n")),
    Case("name-with-a-slash", "CORE-1004", "must match", spec_of(noop("a/b"))),
    Case("name-with-an-expression", "CORE-1004", "must match", spec_of(noop("'{{ App }}'"))),
    Case("name-with-a-line-end", "CORE-1004", "must match", spec_of(noop('"a\\n"'))),
    Case("name-of-64-characters", "CORE-1004", "must match", spec_of(noop("a" * 64))),
    Case("names-twice", "CORE-2002", "two actions are named 'a'", spec_of(noop("a"), noop("a"))),
    Case("kind-missing", "CORE-1004", "Kind: is missing", spec_of("- Name: a\n")),
    Case("kind-unknown", "CORE-2005", "did you mean AWS::CreateStack", spec_of("- {Name: a, Kind: AWS::CreateStak}\n")),
    Case("kind-nonsense", "CORE-2005", "known kinds: AWS::", spec_of("- {Name: a, Kind: zzzzzzzzz}\n")),
    Case("kind-a-path", "CORE-2005", "", spec_of("- {Name: a, Kind: ../../os}\n")),
    Case("kind-a-list", "CORE-1004", "must be text", spec_of("- {Name: a, Kind: [NoOp]}\n")),
    Case("spec-a-text", "CORE-1004", "must be a map", spec_of("- {Name: a, Kind: NoOp, Spec: hello}\n")),
    Case("spec-key-mistyped", "CORE-1004", "did you mean 'Capabilities'", spec_of(stack(spec=("Capabilites: []",)))),
    Case("spec-key-for-another-kind", "CORE-1004", "unknown", spec_of(noop("a", "Spec: {StackName: x}"))),
    Case("spec-in-two-spellings", "CORE-1004", "mean the same", spec_of(noop("a", "Spec: {}", "params: {}"))),
    Case("stack-without-name", "CORE-1004", "StackName", spec_of("- {Name: a, Kind: CreateStack, Spec: {Template: t.yaml}}\n")),
    Case("stack-name-with-a-dot", "CORE-1004", "StackName",
         spec_of("- {Name: a, Kind: CreateStack, Spec: {Template: t.yaml, StackName: a.b}}\n")),
    Case("stack-name-too-long", "CORE-1004", "StackName",
         spec_of(f"- {{Name: a, Kind: CreateStack, Spec: {{Template: t.yaml, StackName: {'a' * 129}}}}}\n")),
    Case("stack-twice", "CORE-2002", "are both the stack", spec_of(stack("a").replace("StackName: a", "StackName: x"),
                                                                   stack("b").replace("StackName: b", "StackName: x"))),
    Case("protection-maybe", "CORE-1004", "valid boolean", spec_of(stack(spec=("TerminationProtection: maybe",)))),
    Case("capability-unknown", "CORE-1004", "CAPABILITY_", spec_of(stack(spec=("Capabilities: [CAPABILITY_ROOT]",)))),
    Case("capabilities-null", "CORE-1004", "Capabilities", spec_of(stack(spec=("Capabilities:",)))),
    Case("capabilities-a-number", "CORE-1004", "Capabilities", spec_of(stack(spec=("Capabilities: 5",)))),
    Case("capabilities-a-map", "CORE-1004", "Capabilities", spec_of(stack(spec=("Capabilities: {a: b}",)))),
    Case("tag-null", "CORE-1004", "Owner", spec_of(stack(spec=("Tags: {Owner: null}",)))),
    Case("tag-a-map", "CORE-1004", "Owner", spec_of(stack(spec=("Tags: {Owner: {a: b}}",)))),
    Case("policy-a-list", "CORE-1004", "StackPolicy", spec_of(stack(spec=("StackPolicy: [a]",)))),
    Case("tags-a-list", "CORE-1004", "Tags", spec_of(stack(spec=("Tags: [a]",)))),
    Case("tag-of-aws", "CORE-1004", "aws:", spec_of(stack(spec=("Tags: {'aws:x': y}",)))),
    Case("tags-too-many", "CORE-1004", "50", spec_of(stack(spec=("Tags: {" + ", ".join(f"k{n}: v" for n in range(60)) + "}",)))),
    Case("tag-value-too-long", "CORE-1004", "256", spec_of(stack(spec=(f"Tags: {{k: {'v' * 300}}}",)))),
    Case("tag-key-too-long", "CORE-1004", "128", spec_of(stack(spec=(f"Tags: {{{'k' * 200}: v}}",)))),
    Case("policy-without-statement", "CORE-2004", "'Statement'", spec_of(stack(spec=("StackPolicy: '{}'",)))),
    Case("policy-missing", "CORE-2004", "no file", spec_of(stack(spec=("StackPolicy: policies/none.json",)))),
    Case("role-not-an-arn", "CORE-1004", "RoleArn", spec_of(stack(spec=("RoleArn: admin",)))),
    Case("timeout-in-words", "CORE-1004", "duration", action("Timeout: soon")),
    Case("timeout-negative", "CORE-1004", "Timeout", action("Timeout: -5")),
    Case("retry-without-end", "CORE-1004", "less than or equal to 20", action("Retry: {Attempts: 9999}")),
    Case("retry-on-anything", "CORE-1004", "transient", action("Retry: {On: [anything]}")),
    Case("failure-mode-unknown", "CORE-1004", "stop, continue", action("OnFailure: ignore")),
    Case("hook-unknown", "CORE-1004", "running, complete", action("Hooks: [{On: [started]}]")),
    Case("scope-unknown", "CORE-1004", "portfolio, app", action("Scope: galaxy")),
    Case("save-outputs-in-words", "CORE-1004", "true or false", action("SaveOutputs: sometimes")),
)  # fmt: skip


@cases(*SHAPES)
def test_definition_when_its_shape_is_wrong_then_the_line_and_the_right_word_are_named(case: Case) -> None:
    error = refusal(lambda: compile_spec(case.given), case)
    assert str(error.where).startswith("deployspec.yaml")


def selected(targets: str) -> str:
    return spec_of(noop("a"), targets=targets)


TARGETS = (
    Case("a-list", "CORE-1004", "map", selected("[shop-prod]")),
    Case("a-text", "CORE-1004", "map", selected("everywhere")),
    Case("key-mistyped", "CORE-1004", "did you mean OrganizationalUnits", selected("{OrganisationalUnits: [/], Regions: [eu-west-1]}")),
    Case("account-mistyped", "CORE-2001", "did you mean 'shop-prod'", selected("{Accounts: [shop-pord], Regions: [eu-west-1]}")),
    Case("account-unknown-number", "CORE-2001", "999999999999", selected("{Accounts: ['999999999999'], Regions: [eu-west-1]}")),
    Case("account-of-eleven-digits", "CORE-2001", "11111111111", selected("{Accounts: ['11111111111'], Regions: [eu-west-1]}")),
    Case("account-a-small-number", "CORE-1004", "put it in quotes", selected("{Accounts: [11], Regions: [eu-west-1]}")),
    Case("account-null", "CORE-1004", "must be text", selected("{Accounts: [null], Regions: [eu-west-1]}")),
    Case("account-a-map", "CORE-1004", "must be text", selected("{Accounts: [{Id: a}], Regions: [eu-west-1]}")),
    Case("account-a-pattern", "CORE-2001", "shop-*", selected("{Accounts: ['shop-*'], Regions: [eu-west-1]}")),
    Case("account-at-run-time", "CORE-2001", "compile time", selected("{Accounts: ['{{ outputs.a.B }}'], Regions: [eu-west-1]}")),
    Case("unit-mistyped", "CORE-2001", "did you mean '/workloads/prod'", selected("{OrganizationalUnits: [/workloads/prd], Regions: [eu-west-1]}")),
    Case("unit-that-climbs", "CORE-2001", "..", selected("{OrganizationalUnits: [/workloads/../], Regions: [eu-west-1]}")),
    Case("unit-by-aws-id", "CORE-2001", "ou-ab12-cdefghij", selected("{OrganizationalUnits: [ou-ab12-cdefghij], Regions: [eu-west-1]}")),
    Case("unit-empty", "CORE-2001", "unit", selected("{OrganizationalUnits: [''], Regions: [eu-west-1]}")),
    Case("tag-unknown", "CORE-2001", "did you mean 'tier'", selected("{Tags: {teir: '1'}, Regions: [eu-west-1]}")),
    Case("tag-value-unknown", "CORE-2001", "no account", selected("{Tags: {tier: '9'}, Regions: [eu-west-1]}")),
    Case("tag-value-a-number", "CORE-1004", "must be a list", selected("{Tags: {tier: 1}, Regions: [eu-west-1]}")),
    Case("tags-as-pairs", "CORE-1004", "must be a map", selected("{Tags: [tier=1], Regions: [eu-west-1]}")),
    Case("region-mistyped", "CORE-2001", "did you mean 'eu-west-1'", selected("{Accounts: [shop-prod], Regions: [eu-wset-1]}")),
    Case("region-a-zone", "CORE-2001", "eu-west-1a", selected("{Accounts: [shop-prod], Regions: [eu-west-1a]}")),
    Case("region-in-capitals", "CORE-2001", "did you mean 'eu-west-1'", selected("{Accounts: [shop-prod], Regions: [EU-WEST-1]}")),
    Case("region-null", "CORE-1004", "must be text", selected("{Accounts: [shop-prod], Regions: [null]}")),
    Case("region-everywhere", "CORE-2001", "*", selected("{Accounts: [shop-prod], Regions: ['*']}")),
    Case("exclude-unknown", "CORE-2001", "did you mean 'shop-prod'", selected("{Accounts: [shop-prod], Regions: [eu-west-1], Exclude: {Accounts: [shop-prodd]}}")),
    Case("everybody-excluded", "CORE-2001", "no account is left", selected("{Accounts: [shop-prod], Regions: [eu-west-1], Exclude: {Accounts: [shop-prod]}}")),
    Case("every-region-excluded", "CORE-2001", "no region is left", selected("{Accounts: [shop-prod], Regions: [eu-west-1], Exclude: {Regions: [eu-west-1]}}")),
    Case("only-suspended", "CORE-2000", "suspended", selected("{Accounts: [old-prod], Regions: [eu-west-1]}")),
    Case("layer-unknown", "CORE-1004", "did you mean Accounts", spec_of(noop("a"), parameters="{Acounts: {}}")),
    Case("layer-flat", "CORE-1004", "what holds everywhere is Common", spec_of(noop("a"), parameters="{Cidr: 10.0.0.0/8}")),
    Case("layer-of-nobody", "CORE-2001", "did you mean 'shop-prod'", spec_of(noop("a"), parameters="{Accounts: {shop-prd: {A: b}}}")),
    Case("layer-of-an-unknown-unit", "CORE-2001", "/nowhere", spec_of(noop("a"), parameters="{OrganizationalUnits: {/nowhere: {A: b}}}")),
    Case("layer-of-an-account-without-region", "CORE-1004", "not an account and region", spec_of(noop("a"), parameters="{AccountRegions: {shop-prod: {A: b}}}")),
    Case("layer-a-list", "CORE-1004", "map is expected", spec_of(noop("a"), parameters="{Common: [1]}")),
    Case("layer-twice", "CORE-1004", "the same layer", spec_of(noop("a"), parameters="{Accounts: {shop-prod: {A: b}, '000000000011': {A: c}}}")),
)  # fmt: skip


@cases(*TARGETS)
def test_targets_when_they_name_nobody_then_nothing_is_chosen_silently(case: Case) -> None:
    error = refusal(lambda: compile_spec(case.given), case)
    assert str(error.where).startswith("deployspec.yaml")


NARROWING = (
    Case("account-unknown", "CORE-2001", "did you mean 'bank-prod'", {"accounts": ("bank-prd",)}),
    Case("account-outside", "CORE-2000", "leave none of", {"accounts": ("shop-test",)}),
    Case("unit-unknown", "CORE-2001", "/nowhere", {"organizational_units": ("/nowhere",)}),
    Case("region-unknown", "CORE-2001", "did you mean", {"regions": ("eu-west-11",)}),
    Case("region-outside", "CORE-2000", "leave none of", {"regions": ("us-east-1",)}),
    Case("tag-unknown", "CORE-2001", "team", {"tags": {"team": ("shop",)}}),
)  # fmt: skip


@cases(*NARROWING)
def test_payload_when_it_narrows_to_nothing_then_the_run_is_refused(case: Case) -> None:
    spec = spec_of(noop("a"), targets="{OrganizationalUnits: [/workloads/prod], Regions: [eu-west-1]}")
    refusal(lambda: compile_spec(spec, narrow=Selection(**case.given)), case)


DEPENDENCIES = (
    Case("itself", "CORE-2002", "waits for itself", spec_of(noop("a", "DependsOn: [a]"))),
    Case("ring-of-2", "CORE-2002", "wait for each other", ring(2)),
    Case("ring-of-5", "CORE-2002", "wait for each other", ring(5)),
    Case("ring-of-100", "CORE-2002", "wait for each other", ring(100)),
    Case("ring-through-before", "CORE-2002", "wait for each other", spec_of(noop("a", "Before: [b]"), noop("b", "Before: [a]"))),
    Case("ring-through-after-and-before", "CORE-2002", "wait for each other", spec_of(noop("a", "After: [b]", "Before: [b]"), noop("b"))),
    Case("ring-through-patterns", "CORE-2002", "wait for each other", spec_of(noop("a1", "After: ['b*']"), noop("b1", "After: ['a*']"))),
    Case("ring-through-outputs", "CORE-2002", "wait for each other",
         spec_of(stack("a", spec=("Parameters: {Cidr: '{{ outputs.b.Arn }}'}",)), stack("b", spec=("Parameters: {Cidr: '{{ outputs.a.Arn }}'}",)))),
    Case("ring-over-targets", "CORE-2002", "wait for each other",
         spec_of(noop("a", "DependsOn: [{Name: b, Scope: all}]"), noop("b", "DependsOn: [{Name: a, Scope: all}]"),
                 targets="{OrganizationalUnits: [/workloads], Regions: [eu-west-1, us-east-1]}")),
    Case("own-outputs", "CORE-2002", "a@000000000011/eu-west-1 -> a@", spec_of(stack("a", spec=("Parameters: {Cidr: '{{ outputs.a.Arn }}'}",)))),
    Case("unknown", "CORE-2002", "did you mean 'net'", spec_of(stack("net"), noop("b", "DependsOn: [nett]"))),
    Case("unknown-without-neighbour", "CORE-2002", "zzz", spec_of(noop("b", "DependsOn: [zzz]"))),
    Case("name-null", "CORE-1004", "must be", spec_of(noop("b", "DependsOn: [null]"))),
    Case("a-number", "CORE-1004", "DependsOn", spec_of(noop("b", "DependsOn: 5"))),
    Case("scope-unknown", "CORE-1004", "target, account", spec_of(noop("a"), noop("b", "DependsOn: [{Name: a, Scope: world}]"))),
    Case("key-mistyped", "CORE-1004", "did you mean Scope", spec_of(noop("a"), noop("b", "DependsOn: [{Name: a, Scop: all}]"))),
    Case("an-instance", "CORE-2002", "a@", spec_of(noop("a"), noop("b", "DependsOn: ['a@000000000011/eu-west-1']"))),
)  # fmt: skip


@cases(*DEPENDENCIES)
def test_dependencies_when_they_cannot_be_kept_then_the_actions_are_named(case: Case) -> None:
    error = refusal(lambda: compile_spec(case.given), case)
    assert str(error.where).startswith("deployspec.yaml:")


def uses(expression: str, hub: str = "", **more: str) -> str:
    return spec_of(stack("hub", *([hub] if hub else [])), stack("net", spec=(f'Parameters: {{Cidr: "{expression}"}}',)), **more)


WIDE = "{OrganizationalUnits: [/workloads], Regions: [eu-west-1, us-east-1]}"
REFERENCES = (
    Case("label-unknown", "CORE-2003", "did you mean 'hub'", uses("{{ outputs.hubb.Arn }}")),
    Case("label-of-another-world", "CORE-2003", "no such action", uses("{{ outputs.zzzz.Arn }}")),
    Case("output-unknown", "CORE-2003", "did you mean 'Arn'", uses("{{ outputs.hub.Arm }}")),
    Case("outputs-alone", "CORE-1007", "outputs", uses("{{ outputs }}")),
    Case("label-computed", "CORE-1007", "outputs", uses("{{ outputs[App].Arn }}")),
    Case("outputs-passed-on", "CORE-1007", "outputs", uses("{% set o = outputs %}{{ o.hub.Arn }}")),
    Case("outputs-in-a-loop", "CORE-1007", "outputs", uses("{% for o in outputs %}{{ o }}{% endfor %}")),
    Case("ambiguous", "CORE-2003", "which of its", spec_of(stack("hub"), stack("net", "Targets: {Accounts: [management]}",
         spec=("Parameters: {Cidr: '{{ outputs.hub.Arn }}'}",)), targets=WIDE)),
    Case("instance-unknown", "CORE-2003", "has no instance in", uses("{{ outputs['hub@bank-prod/eu-west-1'].Arn }}")),
    Case("instance-of-an-unknown-account", "CORE-2001", "bank-prd", uses("{{ outputs['hub@bank-prd/eu-west-1'].Arn }}")),
    Case("instance-without-region", "CORE-2003", "name@account/region", uses("{{ outputs['hub@bank-prod'].Arn }}")),
    Case("instance-of-everybody", "CORE-2003", "*", uses("{{ outputs['hub@*/eu-west-1'].Arn }}")),
    Case("label-with-a-dash", "CORE-1007", "outputs['my-hub']", uses("{{ outputs.my-hub.Arn }}")),
    Case("variable-unknown", "CORE-2003", "no action sets the variable", uses("{{ vars.Size }}")),
    Case("variable-mistyped", "CORE-2003", "did you mean 'Size'",
         spec_of("- {Name: v, Kind: SetVariables, Spec: {Variables: {Size: 1}}}\n", stack(spec=("Parameters: {Size: '{{ vars.Sise }}'}",)))),
    Case("variable-set-twice", "CORE-2003", "is set by", spec_of("- {Name: v, Kind: SetVariables, Spec: {Variables: {Size: 1}}}\n",
         "- {Name: w, Kind: SetVariables, Spec: {Variables: {Size: 2}}}\n", stack(spec=("Parameters: {Size: '{{ vars.Size }}'}",)))),
    Case("variable-set-elsewhere", "CORE-2003", "elsewhere",
         spec_of("- {Name: v, Kind: SetVariables, Targets: {Accounts: [bank-prod]}, Spec: {Variables: {Size: 1}}}\n",
                 stack(spec=("Parameters: {Size: '{{ vars.Size }}'}",)))),
    Case("variables-alone", "CORE-1007", "vars", uses("{{ vars }}")),
    Case("outputs-in-a-stack-name", "CORE-2000", "compile time",
         spec_of(stack("hub"), stack("net").replace("StackName: net", "StackName: 'n-{{ outputs.hub.Arn }}'"))),
    Case("outputs-in-a-template-path", "CORE-2000", "compile time",
         spec_of(stack("hub"), stack("net").replace("Template: t.yaml", "Template: '{{ outputs.hub.Arn }}'"))),
    Case("outputs-of-what-has-none", "CORE-2003", "SYSTEM::NoOp has none",
         spec_of(noop("a"), stack(spec=("Parameters: {Cidr: '{{ outputs.a.Arn }}'}",)))),
    Case("outputs-of-variables", "CORE-2003", "{{ vars.Name }}", spec_of("- {Name: v, Kind: SetVariables, Spec: {Variables: {Size: 1}}}\n",
         stack(spec=("Parameters: {Size: '{{ outputs.v.Size }}'}",)))),
)  # fmt: skip


@cases(*REFERENCES)
def test_references_when_nothing_or_too_much_provides_them_then_the_candidates_are_named(case: Case) -> None:
    error = refusal(lambda: compile_spec(case.given), case)
    assert str(error.where).startswith("deployspec.yaml:")
