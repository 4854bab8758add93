"""Texts that are taken apart without the engine mean exactly what the engine makes of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import TemplateError

from core_lib.framework.errors import RenderError
from core_lib.renderer import expressions
from core_lib.renderer.expressions import Expression, full_context, has_expression
from core_lib.renderer.quick import take_apart
from core_lib.renderer.session import session
from core_lib.renderer.undefined import UnknownNameError

CONTEXT = {
    "a": {"b": {"c": 1}, "items": 2},
    "x": [1, 2],
    "t": "text",
    "n": None,
    "outputs": {"o": {"P": "q"}},
    "vars": {"v": True},
}
PARTS = st.sampled_from(
    ["{{ a }}", "{{a.b}}", "{{ a.b.c }}", "{{ a.items }}", "{{ x }}", "{{ t }}", "{{ n }}", "{{ outputs.o.P }}", "{{ vars.v }}",
     "{{ z }}", "{{ a.z }}", "{{ x.y }}", "{{ true }}", "{{ outputs }}", "{{ range }}", "{{ a._b }}", "{{ _a }}", "{{- t }}",
     "{{ t | upper }}", "{{ 'q' }}", "lit", " ", "\\n", "\\r\\n", "{", "}", "}}", "{%", "{# c #}", "{{resolve:ssm:x}}", "$", "-"]
)  # fmt: skip


def outcome(text: str) -> object:
    try:
        expression = Expression(text)
        with session():
            return expression.native, expression.uses, expression.value(full_context(CONTEXT))
    except (RenderError, TemplateError):
        return "refused"
    except UnknownNameError as error:
        return error.name


@given(st.lists(PARTS, min_size=1, max_size=4).map("".join).filter(has_expression))
@settings(max_examples=400)
def test_text_when_taken_apart_then_it_means_what_the_engine_says(text: str) -> None:
    quick = outcome(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(expressions, "take_apart", lambda _: None)
        assert quick == outcome(text)


@pytest.mark.parametrize("text", ["{{ a }}-{{ b.c }}", "x{{a}}", "{{ outputs.net.Arn }}"])
def test_text_when_it_holds_names_only_then_the_engine_is_spared(text: str) -> None:
    assert take_apart(text) is not None


@pytest.mark.parametrize("text", ["{{ a | upper }}", "{% if a %}b{% endif %}", "{{ not }}", "{{ a['b'] }}", "{{ a", "{{{ a }}}"])
def test_text_when_it_holds_more_then_it_is_left_to_the_engine(text: str) -> None:
    assert take_apart(text) is None
