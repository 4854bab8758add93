"""Files that are templates as a whole."""

from __future__ import annotations

from typing import Any

import pytest

from core_lib.framework.errors import RenderError
from core_lib.renderer import FileTemplate, RenderedFile, full_context, session


def rendered(text: str, **context: Any) -> RenderedFile:
    template = FileTemplate(text, "f.yaml")
    with session():
        return template.render(full_context(context))


def origins(made: RenderedFile) -> dict[str, int]:
    """The line of the file that each line which is not empty came from."""
    return {line.strip(): made.line_of(number) for number, line in enumerate(made.text.split("\n"), 1) if line.strip()}


def test_lines_when_there_are_loops_and_conditions_then_each_knows_where_it_came_from() -> None:
    text = "one\n{% for n in names %}\n{{ n }}\n{% if n == 'b' -%}\n\n  only b\n{% endif %}\n{% endfor %}\nlast\n"

    assert origins(rendered(text, names=["a", "b"])) == {"one": 1, "a": 3, "b": 3, "only b": 6, "last": 9}


def test_lines_when_a_value_has_several_then_all_are_those_of_its_expression() -> None:
    assert origins(rendered("a\nb {{ x }}\nc", x="1\n2\n3")) == {"a": 1, "b 1": 2, "2": 2, "3": 2, "c": 3}


def test_lines_when_a_comment_or_a_macro_or_a_captured_block_takes_some_then_those_after_it_are_right() -> None:
    text = "{# two\nlines #}\na\n{% macro m() %}\nx\n{% endmacro %}\n{% set s %}\ny\n{% endset %}\nb\n"

    made = origins(rendered(text))
    assert made == {"a": 3, "b": 10}


def test_lines_when_a_text_ends_them_as_windows_does_then_they_are_counted_once() -> None:
    assert origins(rendered("a\r\n{{ x }}\r\nc\r\n", x="b")) == {"a": 1, "b": 2, "c": 3}


def test_dynamic_references_when_they_are_cloudformations_then_they_are_left_alone() -> None:
    assert rendered("{% if true %}{{resolve:ssm:/a}}{% endif %}").text == "{{resolve:ssm:/a}}"


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("a\n\n{{ x.y }}", "f.yaml:3", "there is no 'y' here"),
        ("a\n{% for i in [1] %}\n{{ nobody }}\n{% endfor %}", "f.yaml:3", "unknown name 'nobody'"),
        ("a\n{% if %}", "f.yaml:2", "Expected an expression"),
        ("a\nb\n{{ 'x' | nofilter }}", "f.yaml:3", "No filter named 'nofilter'"),
        ("a\n{% macro m() %}\n{{ raise('stop') }}{% endmacro %}\n{{ m() }}", "f.yaml:3", "stop"),
    ],
)
def test_failure_when_it_is_told_then_it_has_the_line_of_the_file(text: str, where: str, message: str) -> None:
    with pytest.raises(RenderError) as caught:
        rendered(text, x={"z": 1})
    assert caught.value.where == where
    assert message in caught.value.message


def test_vars_when_looked_up_by_a_computed_name_then_they_are_a_name_like_any_other() -> None:
    assert rendered("{% for key in vars %}{{ key }}={{ vars[key] }} {% endfor %}", vars={"a": 1, "b": 2}).text == "a=1 b=2 "
