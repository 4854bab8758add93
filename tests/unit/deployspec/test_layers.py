"""Layered parameters: everywhere < unit < account < account and region; the most specific layer wins."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core_lib.framework.codecs import dump_yaml
from core_lib.framework.errors import CoreError, SchemaError, TargetError, TemplateError
from tests.unit.deployspec.builders import ACCOUNTS, at, compiled, deploy_plan, spec_of, stack

WIDE = "{OrganizationalUnits: [/workloads], Regions: [eu-west-1, us-east-1]}"


def size(spec: str, account_name: str, region: str = "eu-west-1") -> object:
    return at(deploy_plan(spec), "net", account_name, region).spec["Parameters"].get("Size")


LAYERS = """
  Common: {Size: 2}
  OrganizationalUnits: {/workloads: {Size: 3}, /workloads/test: {Size: 4}}
  Accounts: {bank-prod: {Size: 5}}
  AccountRegions: {bank-prod/us-east-1: {Size: 6}}
"""


@pytest.mark.parametrize(
    ("account_name", "region", "wanted"),
    [
        ("shop-prod", "eu-west-1", "3"),
        ("shop-test", "eu-west-1", "4"),
        ("bank-prod", "eu-west-1", "5"),
        ("bank-prod", "us-east-1", "6"),
    ],
)
def test_layers_when_several_apply_then_the_most_specific_wins(account_name: str, region: str, wanted: str) -> None:
    assert size(spec_of(stack("net"), targets=WIDE, parameters=LAYERS), account_name, region) == wanted


def test_layers_when_the_template_declares_less_then_the_rest_is_left_out() -> None:
    plan = deploy_plan(spec_of(stack("net"), parameters="{Common: {Size: 2, Unknown: 1, Mode: fast}}"))
    assert at(plan, "net", "shop-prod").spec["Parameters"] == {"Size": "2", "Mode": "fast"}


def test_layers_when_no_template_declares_a_name_then_there_is_a_warning_with_its_line() -> None:
    found = compiled(spec_of(stack("net"), parameters="{Common: {Sise: 2}}")).warnings
    assert [str(warning) for warning in found] == [
        "deployspec.yaml:2:23: no template declares a parameter 'Sise'; did you mean 'Size'?"
    ]


def test_spec_parameters_when_given_then_they_beat_the_files_common_layer_only() -> None:
    entry = stack("net", spec=["Parameters: {Size: 9}"])
    assert size(spec_of(entry, parameters="{Common: {Size: 2}}"), "shop-prod") == "9"
    assert size(spec_of(entry, parameters="{Accounts: {shop-prod: {Size: 2}}}"), "shop-prod") == "2"


def test_action_layers_when_of_the_same_rank_then_they_beat_the_files() -> None:
    entry = stack("net", "Parameters: {Accounts: {shop-prod: {Size: 8}}}")
    assert size(spec_of(entry, parameters="{Accounts: {shop-prod: {Size: 2}}}"), "shop-prod") == "8"
    assert size(spec_of(entry, parameters="{AccountRegions: {shop-prod/eu-west-1: {Size: 2}}}"), "shop-prod") == "2"


def test_layers_when_a_value_is_null_then_the_templates_default_holds() -> None:
    spec = spec_of(stack("net"), parameters="{Common: {Size: 2}, Accounts: {shop-prod: {Size: null}}}")
    assert "Size" not in at(deploy_plan(spec), "net", "shop-prod").spec["Parameters"]


def test_values_when_not_text_then_they_become_what_cloudformation_takes() -> None:
    parameters = "{L: {Type: CommaDelimitedList}, N: {Type: Number}, B: {Type: String}}"
    template = f"Parameters: {parameters}\nResources: {{A: {{Type: AWS::SNS::Topic}}}}\n"
    spec = spec_of(stack("net", spec=["Parameters: {L: [a, b], N: 1.5, B: true}"]))
    plan = deploy_plan(spec, files={"t.yaml": template})
    assert at(plan, "net", "shop-prod").spec["Parameters"] == {"L": "a,b", "N": "1.5", "B": "true"}


def test_values_when_they_hold_expressions_then_each_target_gets_its_own() -> None:
    plan = deploy_plan(spec_of(stack("net"), targets=WIDE, parameters='{Common: {Cidr: "{{ AccountName }}/{{ AwsRegion }}"}}'))
    assert at(plan, "net", "bank-prod", "us-east-1").spec["Parameters"]["Cidr"] == "bank-prod/us-east-1"
    assert at(plan, "net", "shop-test").spec["Parameters"]["Cidr"] == "shop-test/eu-west-1"


@pytest.mark.parametrize(
    ("parameters", "kind", "text"),
    [
        ("{Comon: {Size: 1}}", SchemaError, r"deployspec\.yaml:2:14: unknown layer 'Comon' of parameters \(did you mean Common"),
        ("{Size: 1}", SchemaError, "what holds everywhere is Common"),
        ("[1]", SchemaError, "a map is expected here"),
        ("{Common: 3}", SchemaError, "a map is expected here"),
        ("{Accounts: {shop-prd: {Size: 1}}}", TargetError, r"deployspec\.yaml:2:25: .*did you mean 'shop-prod'"),
        ("{Accounts: {'*': {Size: 1}}}", TargetError, "is the layer Common"),
        ("{Accounts: {shop-prod: {Size: 1}, '000000000011': {Size: 2}}}", SchemaError, "are the same layer"),
        ("{OrganizationalUnits: {/workloads/prd: {Size: 1}}}", TargetError, "did you mean '/workloads/prod'"),
        ("{OrganizationalUnits: {/workloads: {Size: 1}, workloads/: {Size: 1}}}", SchemaError, "are the same layer"),
        ("{AccountRegions: {shop-prod: {Size: 1}}}", SchemaError, "write audit/eu-west-1"),
        ("{AccountRegions: {shop-prod/eu-west-9: {Size: 1}}}", TargetError, "there is no region 'eu-west-9'"),
        ("{Common: {Size: {a: {b: [[1]]}}}}", TemplateError, "neither text"),
        ("{Common: {Size: 12}}", TemplateError, r"deployspec\.yaml:2:23: parameter 'Size' of t\.yaml is '12', at most 9"),
        ("{Common: {Size: many}}", TemplateError, "a number is needed"),
        ("{Common: {Mode: quick}}", TemplateError, "allowed are slow, fast"),
    ],
)
def test_layers_when_something_is_wrong_then_the_error_says_what_and_where(
    parameters: str, kind: type[CoreError], text: str
) -> None:
    with pytest.raises(kind, match=text):
        deploy_plan(spec_of(stack("net"), parameters=parameters))


def test_own_parameters_when_the_template_does_not_declare_one_then_it_is_an_error() -> None:
    with pytest.raises(TemplateError, match=r"deployspec\.yaml:8:18: t\.yaml declares no parameter 'Sise' \(did you mean 'Size'"):
        deploy_plan(spec_of(stack("net", spec=["Parameters: {Sise: 1}"])))
    with pytest.raises(TemplateError, match="declares no parameter 'Sise'"):
        deploy_plan(spec_of(stack("net", "Parameters: {Common: {Sise: 1}}")))


def test_parameters_when_one_has_no_value_and_no_default_then_it_is_an_error() -> None:
    template = "Parameters: {Needed: {Type: String}}\nResources: {A: {Type: AWS::SNS::Topic}}\n"
    with pytest.raises(TemplateError, match=r"parameter 'Needed' of t\.yaml has no value and no default"):
        deploy_plan(spec_of(stack("net")), files={"t.yaml": template})


def test_parameters_when_the_kind_has_no_template_then_layers_on_the_action_are_refused() -> None:
    with pytest.raises(SchemaError, match="takes no template parameters"):
        deploy_plan(spec_of("- {Name: x, Kind: NoOp, Parameters: {Common: {A: 1}}}\n"))


UNIT_PATHS = ["/", "/workloads", "/workloads/prod", "/workloads/test"]
VALUES = st.none() | st.integers(1, 9)


@given(
    st.fixed_dictionaries(
        {}, optional={"Common": VALUES, **dict.fromkeys(UNIT_PATHS, VALUES), "account": VALUES, "pair": VALUES}
    ),
    st.sampled_from([("shop-prod", "/workloads/prod"), ("shop-test", "/workloads/test")]),
)
@settings(max_examples=60)
def test_layers_when_any_are_given_then_the_last_of_the_ranking_wins(
    layers: dict[str, int | None], where: tuple[str, str]
) -> None:
    name, unit = where
    data = {
        "Common": {"Size": layers["Common"]} if "Common" in layers else {},
        "OrganizationalUnits": {path: {"Size": layers[path]} for path in UNIT_PATHS if path in layers},
        "Accounts": {name: {"Size": layers["account"]}} if "account" in layers else {},
        "AccountRegions": {f"{name}/eu-west-1": {"Size": layers["pair"]}} if "pair" in layers else {},
    }
    applying = ["Common", *(path for path in UNIT_PATHS if (unit + "/").startswith(path.rstrip("/") + "/")), "account", "pair"]
    given_values = [layers[key] for key in applying if key in layers]
    wanted = given_values[-1] if given_values else None
    parameters = dump_yaml({"Parameters": data}) + "Actions:\n" + stack("net")
    plan = deploy_plan(f"Targets: {{Accounts: [{name}], Regions: [eu-west-1]}}\n" + parameters)
    assert at(plan, "net", name, accounts=ACCOUNTS).spec["Parameters"].get("Size") == (None if wanted is None else str(wanted))
