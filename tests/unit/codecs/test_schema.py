"""From a document to a message, or one error that lists every fault."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from core_lib.framework.codecs import load_json, load_yaml, parse
from core_lib.framework.errors import SchemaError
from core_lib.framework.models import ActionSpec, Message, Options, TaskPayload


def _fault(model: type[Message], text: str, path: tuple[str | int, ...] = ()) -> str:
    with pytest.raises(SchemaError) as caught:
        parse(model, load_yaml(text, "f.yaml"), path)
    return str(caught.value)


def test_parse_when_keys_are_snake_case_at_every_level_then_the_message_is_the_same() -> None:
    pascal = (
        "Name: a\nKind: k\nDependsOn: [b]\nSaveOutputs: false\nTargets: {OrganizationalUnits: [/x], Exclude: {Accounts: [y]}}\n"
    )
    snake = (
        "name: a\nkind: k\ndepends_on: b\nsave_outputs: false\ntargets: {organizational_units: [/x], exclude: {accounts: [y]}}\n"
    )
    assert parse(ActionSpec, load_yaml(pascal, "f")) == parse(ActionSpec, load_yaml(snake, "f"))


def test_parse_when_other_spellings_are_accepted_then_label_is_name_and_type_is_kind() -> None:
    spec = parse(ActionSpec, load_yaml("Label: a\nType: create_stack\n", "f"))
    assert (spec.name, spec.kind) == ("a", "create_stack")


def test_parse_when_an_account_id_has_no_quotes_then_it_arrives_as_text() -> None:
    spec = parse(ActionSpec, load_yaml("Name: a\nKind: k\nTargets: {Accounts: [123456789012, 012345678901]}\n", "f"))
    assert spec.targets is not None
    assert spec.targets.accounts == ("123456789012", "012345678901")


def test_parse_when_short_tags_are_in_the_spec_then_they_arrive_in_their_long_form() -> None:
    assert parse(ActionSpec, load_yaml("Name: a\nKind: k\nSpec: {X: !Sub y}\n", "f")).spec == {"X": {"Fn::Sub": "y"}}


def test_parse_when_a_value_is_given_then_it_replaces_what_was_read() -> None:
    document = load_yaml("- {Name: a, Kind: k}\n", "f")
    assert parse(ActionSpec, document, (0,), {"Name": "b", "Kind": "k"}).name == "b"


def test_parse_when_a_key_is_unknown_then_place_and_nearest_key_are_named() -> None:
    assert _fault(ActionSpec, "Name: a\nKind: k\nConditon: x\n") == (
        "CORE-1004 f.yaml:3:1: Conditon: unknown key; did you mean Condition?"
    )


def test_parse_when_a_nested_key_is_unknown_then_the_nested_model_is_searched() -> None:
    text = "- Name: a\n  Kind: k\n  Targets:\n    Exclude:\n      Acounts: [x]\n"
    assert (
        _fault(ActionSpec, text, (0,)) == "CORE-1004 f.yaml:5:7: [0].Targets.Exclude.Acounts: unknown key; did you mean Accounts?"
    )


def test_parse_when_nothing_is_near_then_the_known_keys_are_listed() -> None:
    assert "unknown key; known are Attempts, On" in _fault(ActionSpec, "Name: a\nKind: k\nRetry: {Zzz: 1}\n")


@pytest.mark.parametrize(
    "text", ["Name: a\nLabel: b\nKind: k\n", "Name: a\nname: b\nKind: k\n", "Name: a\nKind: k\nDependsOn: []\ndepends_on: []\n"]
)
def test_parse_when_a_key_is_given_in_two_spellings_then_it_is_refused(text: str) -> None:
    assert "given twice" in _fault(ActionSpec, text)


def test_parse_when_there_are_many_faults_then_one_error_lists_them_in_order_of_lines() -> None:
    text = "Name: a b\nKind: 3\nRetry:\n  Attempts: x\nOnFailure: stp\nSaveOutputs: maybe\nTimeout: soon\nHooks: {}\nX: 1\n"
    lines = _fault(ActionSpec, text).splitlines()
    assert lines[0] == "CORE-1004 f.yaml: 8 faults:"
    assert [line.split(": ")[0].strip() for line in lines[1:]] == [
        "f.yaml:1:1", "f.yaml:2:1", "f.yaml:4:3", "f.yaml:5:1", "f.yaml:6:1", "f.yaml:7:1", "f.yaml:8:1", "f.yaml:9:1"
    ]  # fmt: skip
    text = "\n".join(lines)
    assert "Kind: must be text, not a whole number (3); put it in quotes" in text
    assert "OnFailure: must be one of stop, continue, undo, not text ('stp'); did you mean stop?" in text
    assert "Timeout: must be a duration such as PT30M" in text


def test_parse_when_a_key_is_missing_then_the_place_is_the_map_it_is_missing_from() -> None:
    assert _fault(ActionSpec, "- x: 1\n- Kind: k\n", (1,)) == "CORE-1004 f.yaml:2:3: [1].Name: is missing"


def test_parse_when_a_union_does_not_fit_then_one_fault_names_all_alternatives() -> None:
    assert _fault(Options, "Tolerance: [1]\n") == (
        "CORE-1004 f.yaml:1:1: Tolerance: must be text, not a list or must be a whole number, not a list"
    )


def test_parse_when_a_validator_objects_then_its_words_are_shown() -> None:
    assert (
        _fault(Options, "Tolerance: 500%\n") == "CORE-1004 f.yaml:1:1: Tolerance: a number of targets (3) or a percentage ('5%')"
    )


def test_parse_when_a_nested_error_has_a_code_then_its_words_are_shown() -> None:
    fault = _fault(TaskPayload, "Client: acme\nTask: deploy\nDeploymentDetails: {Portfolio: '-x-'}\n")
    assert "CORE-1004 f.yaml:3:1: DeploymentDetails: " in fault
    assert "the portfolio segment '-x-' is not valid" in fault


def test_parse_when_the_document_is_empty_or_of_another_shape_then_it_says_so() -> None:
    assert _fault(ActionSpec, "") == "CORE-1004 f.yaml: nothing here, where ActionSpec is expected"
    assert _fault(ActionSpec, "[1]") == "CORE-1004 f.yaml:1:1: must be a map, not a list"


class _Login(Message):
    password: int
    name: str = Field(default="", max_length=3)


def test_parse_when_the_wrong_value_may_be_a_secret_then_it_is_not_shown() -> None:
    fault = _fault(_Login, "Password: hunter2\n")
    assert "hunter2" not in fault
    assert "Password: must be a whole number, not text" in fault


def test_parse_when_json_then_places_are_known_too() -> None:
    with pytest.raises(SchemaError, match=r"f\.json:2:2: Nmae: unknown key; did you mean Name\?"):
        parse(ActionSpec, load_json('{"Kind": "k", "Name": "a",\n "Nmae": 1}', "f.json"))


KEYS = st.sampled_from(
    ["Name", "Kind", "name", "DependsOn", "Retry", "Attempts", "Spec", "Hooks", "Targets", "Tags", "After", "Zork", "Timeout"]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(ANYTHING)
def test_parse_when_given_anything_then_a_message_or_a_schema_error(value: object) -> None:
    for model in (ActionSpec, TaskPayload):
        with contextlib.suppress(SchemaError):
            assert isinstance(parse(model, load_yaml("a: 1", "f.yaml"), (), value), model)
