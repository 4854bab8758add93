"""Expressions in files of components and vars."""

from __future__ import annotations

import pytest

from core_lib.framework.errors import CodecError, RenderError, SchemaError
from tests.builders.definitions import FILE, component, defined, table


def properties_of(text: str, **more: object) -> dict[str, object]:
    return dict(component(text, **more).entries["Table"].properties)  # type: ignore[arg-type]


def test_text_when_it_is_one_expression_then_its_value_keeps_its_type() -> None:
    text = table("Tags: '{{ vars.tags }}'", "Hot: '{{ vars.hot }}'")
    found = properties_of(text, vars="_defaults: {tags: [{Key: a, Value: b}], hot: true}")
    assert found["Tags"] == [{"Key": "a", "Value": "b"}]
    assert found["Hot"] is True


def test_names_when_they_are_facts_then_they_are_there_alone_and_under_three_aliases() -> None:
    line = "KinesisStreamSpecification: {StreamArn: '{{ App }}{{ facts.App }}{{ context.App }}{{ core.App }}'}"
    assert properties_of(table(line))["KinesisStreamSpecification"] == {"StreamArn": "webwebwebweb"}


def test_vars_when_looked_up_by_a_computed_name_then_they_are_found_at_compile_time() -> None:
    found = properties_of(table("BillingMode: \"{{ vars[Environment ~ '-mode'] }}\""), vars="_defaults: {prod-mode: PROVISIONED}")
    assert found["BillingMode"] == "PROVISIONED"


def test_file_when_it_is_a_text_template_then_it_is_rendered_before_it_is_parsed() -> None:
    text = """
        {% for name in vars.names %}
        {{ name }}:
          Type: Test::Table
          {% if name == 'b' %}
          Persist: {{ vars.persist }}
          {% endif %}
          Configuration:
            Table: {}
        {% endfor %}
    """
    found = defined(text, vars="_defaults: {names: [a, b], persist: true}").components
    assert {name: each.persist for name, each in found.items()} == {"a": False, "b": True}


def test_values_when_they_are_not_quoted_then_the_file_still_renders() -> None:
    found = properties_of(table("BillingMode: {{ vars.mode }}"), vars="_defaults: {mode: PROVISIONED}")
    assert found["BillingMode"] == "PROVISIONED"
    assert properties_of(table("Tags: [{Key: {{ App }}-x, Value: {{ Build }}}]"))["Tags"] == [{"Key": "web-x", "Value": 7}]


def test_dynamic_references_of_cloudformation_when_written_then_they_are_left_alone() -> None:
    secret = "{{resolve:secretsmanager:a}}"
    line = f"KinesisStreamSpecification: {{StreamArn: '{secret}'}}"
    assert properties_of(table(line))["KinesisStreamSpecification"] == {"StreamArn": secret}


def test_read_file_when_the_file_is_in_the_package_then_its_text_is_there() -> None:
    files = {
        FILE: table(
            "KinesisStreamSpecification:", "  StreamArn: {{ 'a.txt' | read_file }}{{ 'platform/files/a.txt' | read_file }}"
        ),
        "platform/files/a.txt": "hello",
    }
    entry = defined(files).components["orders"].entries["Table"]
    assert entry.properties["KinesisStreamSpecification"] == {"StreamArn": "hellohello"}


TEMPLATE = """\
{% for name in ['a', 'b'] %}
{{ name }}:
  Type: Test::Table
  # {{ vars.note }}
  Configuration:
    Table:
      Properties:
        {% if name == 'b' %}
        BillingMod: x
        {% endif %}
{% endfor %}
last: {Type: Test::Quue}
"""


def test_template_when_a_value_is_wrong_then_its_line_is_that_of_the_file_and_not_of_the_rendered_text() -> None:
    with pytest.raises(Exception, match="2 faults") as caught:
        defined(TEMPLATE, vars='_defaults: {note: "two\\n  # lines"}')
    assert f"{FILE}:9:9: b: Table.BillingMod" in str(caught.value)
    assert f"{FILE}:12:8: last: there is no component type" in str(caught.value)


def test_template_when_an_expression_fails_then_its_line_is_told() -> None:
    with pytest.raises(RenderError, match="there is no 'note'") as caught:
        defined(TEMPLATE)
    assert caught.value.where == f"{FILE}:4"


def test_template_when_what_it_makes_is_not_yaml_then_the_line_of_the_file_is_told() -> None:
    with pytest.raises(CodecError) as caught:
        defined("{% for i in [1, 2, 3] %}\n{% endfor %}\na: [{{ App }}\nb: c\n")
    assert caught.value.where is not None
    assert caught.value.where.startswith(f"{FILE}:4")


def test_tree_when_an_expression_fails_then_line_and_column_and_the_nearest_name_are_told() -> None:
    with pytest.raises(RenderError, match="there is no 'mod'") as caught:
        defined(table("BillingMode: '{{ vars.mod }}'"), vars="_defaults: {mode: x}")
    assert caught.value.where == f"{FILE}:6:9"
    assert caught.value.hint == "did you mean mode?"


def test_vars_when_a_section_holds_expressions_then_they_see_the_facts_and_no_vars() -> None:
    assert defined("a: {Type: Test::Queue}", vars="_defaults: {X: '{{ App }}-x'}").variables == {"X": "web-x"}
    with pytest.raises(RenderError, match="unknown name 'vars'"):
        defined("a: {Type: Test::Queue}", vars="_defaults: {X: '{{ vars.Y }}'}")


def test_vars_when_several_sections_fit_then_they_are_merged_in_order() -> None:
    text = """
        _defaults: {Size: small, Zones: [a], Map: {X: 1, Y: 1}}
        release-1: {Size: large, Zones: [b]}
        release-*: {Map: {Y: 2}}
        later: {match: 'release-\\d+$', Zones: [c]}
        other: {match: 'main', Size: never}
        main: {Size: never}
        default: {Map: {Z: 3}}
    """
    found = defined("a: {Type: Test::Queue}", vars=text, Branch="release-1").variables
    assert found == {"Size": "large", "Zones": ["a", "b", "c"], "Map": {"X": 1, "Y": 2, "Z": 3}}


def test_vars_when_they_are_in_several_files_then_they_are_merged_in_path_order() -> None:
    files = {
        FILE: "a: {Type: Test::Queue}",
        "platform/vars/20.yaml": "_defaults: {Size: b, Zones: [b]}",
        "platform/vars/10.yaml": "_defaults: {Size: a, Zones: [a]}",
    }
    assert defined(files).variables == {"Size": "b", "Zones": ["a", "b"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a]", "a map of sections"),
        ("Size: small", "put it into a section"),
        ("x: {match: '('}", "not a regular expression"),
        ("x: {match: [a]}", "a regular expression of at most"),
        ("x: {match: '(?:a|aa)+$'}", "takes longer than"),
    ],
)
def test_vars_when_a_section_cannot_be_used_then_its_place_is_told(text: str, message: str) -> None:
    with pytest.raises(SchemaError, match=message) as caught:
        defined("a: {Type: Test::Queue}", vars=text, Branch="a" * 60 + "b")
    assert str(caught.value.where).startswith("platform/vars/vars.yaml:1")


def test_keys_when_they_hold_expressions_then_they_are_rendered_and_stay_apart() -> None:
    text = "'{{ App }}-jobs': {Type: Test::Queue}\n'{{ App }}-more': {Type: Test::Queue}\n"
    assert list(defined(text).components) == ["web-jobs", "web-more"]
    with pytest.raises(RenderError, match="is there twice"):
        defined("'{{ App }}': {Type: Test::Queue}\nweb: {Type: Test::Queue}\n")
    with pytest.raises(RenderError, match="a key must be text"):
        defined("'{{ 1 + 1 }}': {Type: Test::Queue}\n")
