"""The language of type files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from core_lib.component.templates.tree import OMIT, Tree
from core_lib.framework.codecs import load_yaml
from core_lib.framework.errors import CoreError, RenderError, TemplateError
from core_lib.renderer import full_context, session


def rendered(text: str, files: Mapping[str, str] | None = None, **names: Any) -> Any:
    def load(name: str) -> Tree:
        return Tree(load_yaml((files or {})[name], name), load)

    with session():
        return Tree(load_yaml(text, "t.yaml"), load).render(full_context(names))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A: '{{ x }}'", {"A": 1}),
        ("A: 'n{{ x }}'", {"A": "n1"}),
        ("'{{ name }}': 1", {"web": 1}),
        ("A: !Ref B", {"A": {"Ref": "B"}}),
        ("A: !GetAtt B.Arn", {"A": {"Fn::GetAtt": ["B", "Arn"]}}),
        ("A: $omit", {}),
        ("[a, $omit, b]", ["a", "b"]),
        ("A: {$if x == 1: one, $else: other}", {"A": "one"}),
        ("A: {$if x == 2: two, $elif x == 1: one, $else: other}", {"A": "one"}),
        ("A: {$if x == 2: two}", {}),
        ("A: {$if yes: {B: 1}}", {"A": {"B": 1}}),
        ("$if yes: {B: 1}\nC: 2", {"B": 1, "C": 2}),
        ("$if not yes: {B: 1}\nC: 2", {"C": 2}),
        ("- $if yes: [a, b]\n- c", ["a", "b", "c"]),
        ("- $if not yes: a\n- c", ["c"]),
        ("- $for x in [1, 2]: '{{ x }}'\n- z", [1, 2, "z"]),
        ("- $for x in [1, 2]: ['{{ x }}', b]", [1, "b", 2, "b"]),
        ("- $for x in [1, 2]: {A: '{{ x }}'}", [{"A": 1}, {"A": 2}]),
        ("A:\n  $for x in [1, 2]: '{{ x }}'", {"A": [1, 2]}),
        ("$for k, v in some: {'{{ k }}': '{{ v }}'}", {"p": 1, "q": 2}),
        ("$merge: [{A: {B: 1, C: 2}}, {A: {C: 3}}]", {"A": {"B": 1, "C": 3}}),
        ("A: {$merge: [{L: [1]}, {L: [2]}]}", {"A": {"L": [2]}}),
        ("A: {B: 1, $merge: [{C: 2}, '{{ some }}']}", {"A": {"B": 1, "C": 2, "p": 1, "q": 2}}),
        ("$set: {y: '{{ x + 1 }}', z: '{{ y + 1 }}'}\nA: '{{ z }}'", {"A": 3}),
        ("$include part.yaml: {x: 5}\nA: {C: 1}", {"A": {"B": 5, "C": 1}}),
    ],
)
def test_tree_when_rendered_then_directives_do_what_they_say(text: str, expected: Any) -> None:
    files = {"part.yaml": "A: {B: '{{ x }}'}"}
    assert rendered(text, files, x=1, name="web", yes=True, some={"p": 1, "q": 2}) == expected


@pytest.mark.parametrize(
    "theirs", [{"Fn::GetAtt": ["Key", "Arn"]}, {"Fn::Pipeline::Wire": ["a", "b", "C"]}, {"Ref": "Other"}, "text"]
)
def test_merge_when_a_value_is_a_function_then_it_is_replaced_and_never_mixed_with_another(theirs: object) -> None:
    assert rendered("$merge: [{Key: {Ref: KmsKeyArn}}, '{{ theirs }}']", theirs={"Key": theirs}) == {"Key": theirs}
    assert rendered("$merge: ['{{ theirs }}', {Key: {A: 1}}]", theirs={"Key": theirs}) == {"Key": {"A": 1}}


def test_tree_when_a_branch_alone_is_not_taken_then_it_is_left_out() -> None:
    assert rendered("$if no: 1", no=False) is OMIT


def test_tree_when_rendered_twice_then_the_context_and_the_tree_are_untouched() -> None:
    config = {"A": {"B": 1}}
    text = "$merge: ['{{ config }}', {A: {C: 2}}]"
    assert rendered(text, config=config) == rendered(text, config=config) == {"A": {"B": 1, "C": 2}}
    assert config == {"A": {"B": 1}}


def test_user_value_when_it_looks_like_a_directive_or_an_expression_then_it_stays_data() -> None:
    value = {"$if x": 1, "A": "{{ secret }}"}
    assert rendered("P: '{{ value }}'", value=value) == {"P": value}


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("A:\n  B: '{{ nothing }}'", RenderError, "t.yaml:2"),
        ("$when x: 1", TemplateError, "unknown directive"),
        ("$else: 1", TemplateError, "follow an $if"),
        ("$for x in 5: {A: 1}", TemplateError, "gone through"),
        ("$for a, b in [[1]]: {A: 1}", TemplateError, "2 names for 1 values"),
        ("$merge: {A: 1}", TemplateError, "takes a list"),
        ("$merge: [1]", TemplateError, "takes maps"),
        ("$include none.yaml:", TemplateError, "no file 'none.yaml'"),
        ("$include self.yaml:", TemplateError, "without end"),
        ("A: 1\n$if true: 2", TemplateError, "only a map"),
        ("'{{ 5 }}': 1", TemplateError, "must be text"),
        ("A: '{{ ().__class__ }}'", RenderError, "not allowed"),
    ],
)
def test_tree_when_it_is_wrong_then_the_error_says_what_and_where(text: str, error: type[CoreError], words: str) -> None:
    with pytest.raises(error) as caught:
        rendered(text, {"self.yaml": "$include self.yaml:"})
    assert words in str(caught.value)
