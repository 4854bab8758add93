"""Two times of binding: what stays as written, what is captured for it, and how the run resolves it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core_lib.framework.codecs import TaggedValue
from core_lib.framework.errors import RenderError
from core_lib.renderer import (
    Deferred,
    Reference,
    Renderer,
    render_condition,
    resolve_condition,
    resolve_runtime,
    runtime_references,
)

CONTEXT: dict[str, Any] = {
    "Portfolio": "pay",
    "core": {"App": "led", "Secret": "s", "Deep": {"x": 1, "y": 2}},
    "Tags": {"Team": "a"},
    "N": 5,
}


@pytest.mark.parametrize(
    ("text", "references"),
    [
        ("{{ outputs.hub.TopicArn }}", [Reference("outputs", "hub", "TopicArn")]),
        ("{{ outputs['hub@network/eu-west-1'].TopicArn }}", [Reference("outputs", "hub@network/eu-west-1", "TopicArn")]),
        ("{{ outputs['my-hub']['Topic-Arn'] }}", [Reference("outputs", "my-hub", "Topic-Arn")]),
        ("{{ outputs.hub }}", [Reference("outputs", "hub")]),
        ("{{ vars.release }}", [Reference("vars", "release")]),
        ("{{ vars['release'].id }}", [Reference("vars", "release")]),
        ("a {{ outputs.a.B }} {{ vars.c }} {{ outputs.a.B }}", [Reference("outputs", "a", "B"), Reference("vars", "c")]),
        ("{{ outputs.a.B | default(outputs.c.D) | upper }}", [Reference("outputs", "a", "B"), Reference("outputs", "c", "D")]),
        ("{% if outputs.a.B == 'x' %}{{ vars.y }}{% endif %}", [Reference("outputs", "a", "B"), Reference("vars", "y")]),
        ("{{ Portfolio }}", []),
        ("no expression", []),
        ("{{ facts.outputs.hub.X }}", []),
        ("{% raw %}{{ outputs.a.B }}{% endraw %}", []),
        ("{# {{ outputs.a.B }} #}", []),
    ],
)
def test_runtime_references_when_a_text_has_them_then_each_is_found_once(text: str, references: list[Reference]) -> None:
    assert runtime_references(text) == references


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ outputs }}", "needs the name of an action"),
        ("{{ outputs[Portfolio].X }}", "needs the name of an action"),
        ("{% for o in outputs %}{% endfor %}", "needs the name of an action"),
        ("{{ vars }}", "needs the name of a variable"),
        ("{{ outputs.my-hub.X }}", "outputs['my-hub']"),
        ("{% set outputs = 1 %}", "'outputs' cannot be assigned"),
        ("{% for vars in [1] %}{% endfor %}", "'vars' cannot be assigned"),
        ("{% macro m(outputs) %}{% endmacro %}", "'outputs' cannot be assigned"),
        ("{% with vars = 1 %}{% endwith %}", "'vars' cannot be assigned"),
    ],
)
def test_runtime_references_when_a_label_cannot_be_told_then_render_error(text: str, message: str) -> None:
    with pytest.raises(RenderError) as caught:
        runtime_references(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "bindings"),
    [
        ("{{ outputs.a.B }}", {}),
        ("{{ Portfolio }}-{{ outputs.a.B }}", {"Portfolio": "pay"}),
        ("{{ core.App ~ outputs.a.B }}", {"core": {"App": "led"}}),
        ("{{ core['Deep'].x ~ core.App ~ outputs.a.B }}", {"core": {"Deep": {"x": 1}, "App": "led"}}),
        ("{{ core.Deep ~ outputs.a.B }}", {"core": {"Deep": {"x": 1, "y": 2}}}),
        ("{{ core.Deep.x ~ core.Deep ~ outputs.a.B }}", {"core": {"Deep": {"x": 1, "y": 2}}}),
        ("{{ core.Deep.items() | list ~ outputs.a.B }}", {"core": {"Deep": {"x": 1, "y": 2}}}),
        ("{{ Portfolio.upper() ~ outputs.a.B }}", {"Portfolio": "pay"}),
        ("{{ Missing | default('x') ~ outputs.a.B }}", {}),
        ("{{ core.Missing | default('x') ~ outputs.a.B }}", {"core": {}}),
        ("{% if Missing is defined %}{{ Missing }}{% endif %}{{ vars.b }}", {}),
        ("{% set x = N %}{{ x ~ outputs.a.B }}", {"N": 5}),
        ("{% for t in Tags %}{{ t ~ vars.b }}{% endfor %}", {"Tags": {"Team": "a"}}),
    ],
)
def test_render_tree_when_a_text_is_for_the_run_then_it_stays_and_only_what_it_needs_is_captured(
    text: str, bindings: dict[str, Any]
) -> None:
    rendered = Renderer(CONTEXT).render_tree({"k": [text], "n": "{{ N }}"})
    assert rendered.value == {"k": [text], "n": 5}
    assert rendered.bindings == bindings
    assert rendered.references
    assert json.loads(json.dumps(rendered.bindings)) == bindings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "{{ Portfolo ~ outputs.a.B }}",
            "f:1: unknown name 'Portfolo', in '{{ Portfolo ~ outputs.a.B }}' (did you mean Portfolio?)",
        ),
        ("{{ core.Ap ~ outputs.a.B }}", "f:1: there is no 'Ap' here"),
        ("{{ 'Portfolio' | lookup ~ outputs.a.B }}", "the filter 'lookup' works at compile time only"),
        ("{{ {} | tags ~ vars.b }}", "the filter 'tags' works at compile time only"),
    ],
)
def test_render_tree_when_a_text_for_the_run_misses_a_compile_time_name_then_it_fails_at_compile(text: str, message: str) -> None:
    with pytest.raises(RenderError) as caught:
        Renderer(CONTEXT).render_tree([text], locate=lambda _: "f:1")
    assert message in str(caught.value)


OUTPUTS = {"hub": {"Topic": "arn:t", "Count": 3, "List": ["a", "b"]}, "hub@network/eu-west-1": {"Topic": "arn:n"}}


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ("{{ outputs.hub.Topic }}", "arn:t"),
        ("{{ outputs.hub.Count }}", 3),
        ("{{ outputs.hub.Count + vars.more }}", 5),
        ("x-{{ outputs.hub.Count }}", "x-3"),
        ("{{ outputs['hub@network/eu-west-1'].Topic }}", "arn:n"),
        ("{{ outputs.hub.List | join(',') }}", "a,b"),
        ("{{ Portfolio ~ outputs.hub.Topic }}", "payarn:t"),
        ("{{ outputs.hub.Nope | default('none') }}", "none"),
        ("{{ outputs.nope.Topic is defined }}", None),
        ({"a": ["{{ vars.more }}", 1], "{{ vars.key }}": True}, {"a": [2, 1], "k": True}),
        (TaggedValue("!Sub", "{{ vars.key }}"), TaggedValue("!Sub", "k")),
        ("{{ Portfolio }}", "{{ Portfolio }}"),
        ("{{resolve:ssm:x}}", "{{resolve:ssm:x}}"),
        ("{{resolve:ssm:x}}{{ vars.key }}", "{{resolve:ssm:x}}k"),
        ("{{ not valid", "{{ not valid"),
        ("plain", "plain"),
        (5, 5),
    ],
)
def test_resolve_runtime_when_the_ledger_has_the_values_then_run_time_texts_are_filled_in(value: Any, resolved: Any) -> None:
    def resolve() -> Any:
        return resolve_runtime(value, outputs=OUTPUTS, variables={"more": 2, "key": "k"}, bindings={"Portfolio": "pay"})

    if resolved is None:
        with pytest.raises(RenderError, match="there is no 'nope' here"):
            resolve()
    else:
        assert resolve() == resolved


def test_resolve_runtime_when_an_output_holds_an_expression_then_it_is_not_evaluated() -> None:
    outputs = {"hub": {"Evil": "{{ vars.secret }}"}}
    assert (
        resolve_runtime("x{{ outputs.hub.Evil }}", outputs=outputs, variables={"secret": "s"}, bindings={})
        == "x{{ vars.secret }}"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ outputs.hub.Topc }}", "there is no 'Topc' here, in '{{ outputs.hub.Topc }}' (did you mean Topic?)"),
        ("{{ outputs.hbu.Topic }}", "did you mean hub?"),
        ("{{ vars.nope }}", "there is no 'nope' here"),
        ("{{ Other ~ vars.key }}", "unknown name 'Other'"),
    ],
)
def test_resolve_runtime_when_something_is_missing_then_render_error_with_the_nearest_name(text: str, message: str) -> None:
    with pytest.raises(RenderError) as caught:
        resolve_runtime(text, outputs=OUTPUTS, variables={"key": "k"}, bindings={})
    assert message in str(caught.value)


def test_binding_when_compiled_then_resolved_then_it_equals_rendering_everything_at_once() -> None:
    text = "{{ core.App ~ '-' ~ N }}/{{ outputs.hub.Topic }}/{{ core.Deep.x + vars.more }}"
    rendered = Renderer(CONTEXT).render_tree(text)
    late = resolve_runtime(rendered.value, outputs=OUTPUTS, variables={"more": 2}, bindings=rendered.bindings)
    assert late == "led-5/arn:t/3"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("{{ N == 5 }}", True),
        ("N == 5", True),
        ("N > 5", False),
        ("{{ Portfolio in ['pay', 'x'] and not core.Off | default(false) }}", True),
        ("true", True),
        ("False", False),
        ("{{ 'True' }}", True),
        ("{% if N %}true{% endif %}", True),
        ("{% if not N %}true{% endif %}", False),
        ("", False),
        ("Tags", True),
        ("{{ [] }}", False),
        ("none", False),
        ("Missing is defined", False),
    ],
)
def test_render_condition_when_facts_are_enough_then_yes_or_no(text: str, answer: bool) -> None:
    assert render_condition(text, CONTEXT) is answer


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Missing", "unknown name"),
        ("{{ Portfolio }}", "a condition gives true or false, not 'pay'"),
        ("N ==", "f:3: "),
        ("'no'", "not 'no'"),
    ],
)
def test_render_condition_when_it_is_not_one_then_render_error_with_its_place(text: str, message: str) -> None:
    with pytest.raises(RenderError, match=r"^CORE-1007 f:3: ") as caught:
        Renderer(CONTEXT).render_condition(text, where="f:3")
    assert message in str(caught.value)


def test_render_condition_when_it_names_outputs_then_it_is_deferred_and_resolved_by_the_run() -> None:
    deferred = render_condition("outputs.hub.Count > N", CONTEXT)
    assert deferred == Deferred("{{ outputs.hub.Count > N }}", {"N": 5}, (Reference("outputs", "hub", "Count"),))
    assert isinstance(deferred, Deferred)
    for count, answer in ((3, False), (7, True)):
        found = resolve_condition(deferred.text, outputs={"hub": {"Count": count}}, variables={}, bindings=deferred.bindings)
        assert found is answer
