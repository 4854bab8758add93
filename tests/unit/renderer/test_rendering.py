"""Compile-time rendering: types, places of faults, trees."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_lib.framework.codecs import Path, TaggedValue, load_yaml
from core_lib.framework.errors import NotFoundError, RenderError
from core_lib.renderer import Renderer, compile_tree

CONTEXT: dict[str, Any] = {
    "Portfolio": "pay",
    "Count": 3,
    "Ratio": 0.5,
    "Flag": True,
    "Nothing": None,
    "List": [1, "b"],
    "core": {"App": "led", "items": "a key called items", "Deep": {"x": 1}},
    "Marked": "{{ Portfolio }}",
}


def _render(value: Any) -> Any:
    return Renderer(CONTEXT).render_tree(value).value


def _fault(text: Any, **context: Any) -> str:
    with pytest.raises(RenderError) as caught:
        Renderer(context or CONTEXT).render_tree(text, locate=lambda path: f"f.yaml:{len(path)}")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ Count }}", 3),
        ("{{Ratio}}", 0.5),
        ("{{ Flag }}", True),
        ("{{ Nothing }}", None),
        ("{{ List }}", [1, "b"]),
        ("{{ core.Deep }}", {"x": 1}),
        ("{{ Count + 1 }}", 4),
        ("{{ List | map('string') }}", ["1", "b"]),
        ("{{ core.Deep.items() }}", [["x", 1]]),
        ("{{ [Count, {'a': Flag}] }}", [3, {"a": True}]),
        ("{{ 'a' if Flag else 'b' }}", "a"),
        ("{{ Missing | default('x') }}", "x"),
        ("{{ Missing is defined }}", False),
        ("{{ core.items }}", "a key called items"),
        ("{{ core['App'] }}", "led"),
        ("{{ List[-1] }}", "b"),
        ("{{ 7 // 2 }}", 3),
    ],
)
def test_text_when_it_is_one_expression_then_the_value_keeps_its_type(text: str, value: Any) -> None:
    rendered = _render(text)
    assert rendered == value
    assert type(rendered) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x-{{ Count }}", "x-3"),
        (" {{ Count }}", " 3"),
        ("{{ Count }}\n", "3\n"),
        ("{{ Portfolio }}-{{ core.App }}", "pay-led"),
        ("is {{ Flag }}", "is true"),
        ("is {{ List }}", 'is [1,"b"]'),
        ("is {{ core.Deep }}", 'is {"x":1}'),
        ("{{ Portfolio ~ Count ~ Flag }}", "pay3true"),
        ("{% if Flag %}yes{% else %}no{% endif %}", "yes"),
        ("{% for x in List %}{{ loop.index }}={{ x }} {% endfor %}", "1=1 2=b "),
        ("{% set y = Count * 2 %}{{ y }}!", "6!"),
        ("{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m(1) }}{{ m('b') }}", "<1><b>"),
        ("{# a comment #}x", "x"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("{{ '{{' }} x", "{{ x"),
        ("{{ Marked }}", "{{ Portfolio }}"),
        ("a {{ Marked }}", "a {{ Portfolio }}"),
        ("no expression { { }} %}", "no expression { { }} %}"),
        ("{% set ns = namespace(n=0) %}{% for x in [1, 2] %}{% set ns.n = ns.n + x %}{% endfor %}{{ ns.n }}.", "3."),
    ],
)
def test_text_when_an_expression_stands_in_it_then_the_result_is_text(text: str, value: str) -> None:
    assert _render(text) == value


@pytest.mark.parametrize(
    "text",
    ["{{resolve:ssm:/a/b:1}}", "{{resolve:secretsmanager:arn:aws:x:SecretString:password}}", "{{ resolve:ssm-secure:x }}"],
)
def test_text_when_it_is_a_dynamic_reference_of_cloudformation_then_it_stays(text: str) -> None:
    assert _render(text) == text
    assert _render(f"{text}-{{{{ Portfolio }}}}") == f"{text}-pay"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ Portfoilo }}", "unknown name 'Portfoilo', in '{{ Portfoilo }}' (did you mean Portfolio?)"),
        ("{{ portfolio }}", "(did you mean Portfolio?)"),
        ("a{{ core.Ap }}", "there is no 'Ap' here, in 'a{{ core.Ap }}' (did you mean App?)"),
        ("{{ core.Zzzz }}", "(known are App, Deep, items)"),
        ("{{ core.Deep.x.y }}", "a value of type int has no 'y'"),
        ("{{ List[5] }}", "a list of 2 has no '5'"),
        ("{{ Missing.x | default('y') }}", "unknown name 'Missing'"),
        ("x{{ Nothing }}", "null cannot stand inside a text"),
        ("{{ raise('Cidr is needed') }}", "Cidr is needed"),
        ("{{ x", "unexpected end of template"),
        ("{% if Flag %}", "Unexpected end of template"),
        ("{{ Portfolio | nofilter }}", "No filter named 'nofilter'"),
        ("{{ Portfolio is notest }}", "No test named 'notest'"),
        ("a\nb{{ 1 + }}", "(line 2 of the text)"),
        ("{{ Portfolio + 1 }}", 'can only concatenate str (not "int") to str'),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{% include 'x' %}", "include, import and extends are not available here"),
        ("{% extends 'x' %}", "include, import and extends are not available here"),
        ("{% import 'x' as y %}", "include, import and extends are not available here"),
        ("{{ 'a.txt' | read_file }}", "there is no package"),
    ],
)
def test_text_when_it_cannot_be_rendered_then_the_error_names_place_cause_and_text(text: str, message: str) -> None:
    fault = _fault({"k": text})
    assert fault.startswith("CORE-1007 f.yaml:1: ")
    assert message in fault


def test_tree_when_it_was_read_from_a_file_then_a_fault_names_file_and_line() -> None:
    document = load_yaml("Actions:\n  - Spec:\n      Tags:\n        Team: x\n        Cost: '{{ Cst }}'\n", "spec.yaml")
    with pytest.raises(RenderError, match=r"spec\.yaml:5:9: unknown name 'Cst'.*did you mean Cost"):
        Renderer({"Cost": 1}).render_tree(document.data, locate=document.locate)


def test_tree_when_a_text_is_not_valid_then_compiling_already_names_the_place() -> None:
    document = load_yaml("a:\n  - '{{ x'\n", "spec.yaml")
    with pytest.raises(RenderError, match=r"spec\.yaml:2:5"):
        compile_tree(document.data, document.locate)


def test_tree_when_keys_hold_expressions_then_they_are_rendered_in_place() -> None:
    rendered = _render({"a": 1, "{{ Portfolio }}": {"{{ core.App }}-x": "{{ Count }}"}})
    assert rendered == {"a": 1, "pay": {"led-x": 3}}


def test_tree_when_two_keys_become_the_same_then_it_is_refused() -> None:
    assert "the key 'pay' is there twice" in _fault({"pay": 1, "{{ Portfolio }}": 2})
    assert "a key must be text" in _fault({"{{ Count }}": 2})


def test_tree_when_values_are_tagged_then_the_tags_stay() -> None:
    tree = {"a": TaggedValue("!Sub", ["${X}-{{ Portfolio }}", {"X": "{{ Count }}"}]), "b": TaggedValue("!Ref", "c")}
    assert _render(tree) == {"a": TaggedValue("!Sub", ["${X}-pay", {"X": 3}]), "b": TaggedValue("!Ref", "c")}


def test_tree_when_rendered_then_neither_context_nor_tree_share_what_was_made() -> None:
    context = {"Tags": {"a": ["x"]}}
    tree = {"Tags": "{{ Tags }}", "List": ["{{ Tags }}"]}
    rendered = compile_tree(tree).render(context).value
    rendered["Tags"]["a"].append("y")
    rendered["List"].append("z")
    assert context == {"Tags": {"a": ["x"]}}
    assert compile_tree(tree).render(context).value == {"Tags": {"a": ["x"]}, "List": [{"a": ["x"]}]}


def test_read_file_when_a_package_is_there_then_its_text_is_inlined_and_not_rendered_again() -> None:
    files = {"a.sh": "echo {{ x }}"}
    renderer = Renderer({"Name": "a"}, files=files.__getitem__)
    assert renderer.render_text("{{ (Name ~ '.sh') | read_file }}") == "echo {{ x }}"


def test_read_file_when_the_file_is_missing_then_the_packages_own_words_are_shown() -> None:
    def read(path: str) -> str:
        raise NotFoundError(f"no file {path}", where="package.zip")

    with pytest.raises(RenderError, match=r"spec:1: package\.zip: no file b"):
        Renderer({}, files=read).render_text("{{ 'b' | read_file }}", where="spec:1")


def test_read_file_when_two_packages_hold_the_same_name_then_each_sees_its_own() -> None:
    assert Renderer({}, files=lambda _: "one").render_text("{{ 'a' | read_file }}") == "one"
    assert Renderer({}, files=lambda _: "two").render_text("{{ 'a' | read_file }}") == "two"


def test_include_when_templates_are_given_then_they_are_rendered_in_the_same_sandbox() -> None:
    templates = {
        "base": "<{% block b %}{% endblock %}>",
        "part": "{{ Portfolio }}",
        "bad": "{{ ''.__class__ }}",
        "loop": "{% include 'loop' %}",
    }
    renderer = Renderer(CONTEXT, includes=templates.__getitem__)
    assert renderer.render_text("a {% include 'part' %}") == "a pay"
    assert renderer.render_text("{% extends 'base' %}{% block b %}{{ Count }}{% endblock %}") == "<3>"
    for name in ("bad", "loop"):
        with pytest.raises(RenderError):
            renderer.render_text(f"x{{% include '{name}' %}}")


WITHOUT = st.text(max_size=20).filter(lambda text: "{{" not in text and "{%" not in text and "{#" not in text)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WITHOUT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WITHOUT, inner, max_size=4),
    max_leaves=15,
)


@given(TREES)
def test_tree_when_it_holds_no_expression_then_rendering_changes_nothing(tree: Any) -> None:
    rendered = Renderer({}).render_tree(tree)
    assert rendered.value == tree
    assert rendered.bindings == {}


@given(TREES, st.lists(st.sampled_from(["Count", "List", "core"]), min_size=1, max_size=3))
def test_tree_when_it_holds_expressions_then_everything_else_stays(tree: Any, names: list[str]) -> None:
    whole = {"tree": tree, "made": ["{{ " + name + " }}" for name in names], "again": [tree]}
    assert Renderer(CONTEXT).render_tree(whole).value == {
        "tree": tree,
        "made": [CONTEXT[name] for name in names],
        "again": [tree],
    }


@pytest.mark.timeout(60)
def test_compiled_tree_when_rendered_for_ten_thousand_targets_then_each_has_its_own_values() -> None:
    parameters = {f"P{number}": "value" for number in range(22)} | {
        "A": "{{ Account }}", "B": "{{ Region | upper }}", "C": "{{ outputs.hub.Topic }}", "D": "{{ core.App ~ '-' ~ Account }}"
    }  # fmt: skip
    tree = compile_tree({"StackName": "{{ Portfolio }}-{{ core.App }}-net", "Template": "net.yaml", "Parameters": parameters})
    facts = CONTEXT | {f"Fact{number}": number for number in range(60)}
    for number in range(10_000):
        rendered = tree.render({**facts, "Account": str(number), "Region": "eu-west-1"})
    assert rendered.value["Parameters"]["D"] == "led-9999"


def test_key_path_when_nested_then_locate_receives_it() -> None:
    seen: list[Path] = []

    def locate(path: Path) -> str:
        seen.append(path)
        return "f:1"

    with pytest.raises(RenderError):
        Renderer({}).render_tree({"a": [1, {"b": "{{ x }}"}]}, locate=locate)
    assert seen == [("a", 1, "b")]
