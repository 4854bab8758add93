"""Writing YAML, short tags and their long form."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from core_lib.framework.codecs import SHORT_TAGS, TaggedValue, cfn_to_plain, dump_yaml, load_yaml, to_json
from core_lib.framework.errors import CodecError
from core_lib.framework.models import Task

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(), inner, max_size=4)
        | st.builds(
            TaggedValue, st.sampled_from(sorted(SHORT_TAGS)), inner.filter(lambda value: not isinstance(value, TaggedValue))
        )
    ),
    max_leaves=15,
)


def _normal(value: Any) -> Any:
    """Twelve-digit whole numbers are account ids; null under a tag is the empty text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if 10**11 <= value < 10**12 else value
    if isinstance(value, dict):
        return {key: _normal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_normal(item) for item in value]
    if isinstance(value, TaggedValue):
        return TaggedValue(value.tag, "" if value.value is None else _normal(value.value))
    return value


@given(TREES)
def test_dump_yaml_when_loaded_again_then_the_same_data(data: Any) -> None:
    assert load_yaml(dump_yaml(data), "f").data == _normal(data)


@given(
    st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=10
    )
)
def test_dump_yaml_when_read_by_a_yaml_1_1_reader_then_the_same_data(data: Any) -> None:
    assert yaml.safe_load(dump_yaml(data)) == data


def test_dump_yaml_when_given_nested_data_then_block_style_in_the_given_order() -> None:
    data = {
        "b": [1, {"x": "z"}],
        "a": "two\nlines\n",
        "c": TaggedValue("!Sub", "${A}-x"),
        "d": {},
        "e": "123456789012",
        "f": Task.PLAN,
    }
    assert dump_yaml(data) == ("b:\n- 1\n- x: z\na: |\n  two\n  lines\nc: !Sub ${A}-x\nd: {}\ne: '123456789012'\nf: plan\n")


def test_dump_yaml_when_the_same_list_is_there_twice_then_it_is_written_twice() -> None:
    shared = [1]
    assert dump_yaml({"a": shared, "b": shared}) == "a:\n- 1\nb:\n- 1\n"


@pytest.mark.parametrize("value", [{1, 2}, object(), {1: 2}, "\ud800", {"\ud800": 1}, b"x"])
def test_dump_yaml_when_yaml_cannot_hold_it_then_codec_error(value: Any) -> None:
    with pytest.raises(CodecError):
        dump_yaml([value])


def test_dump_yaml_when_nested_without_end_then_codec_error() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(CodecError, match="nested deeper"):
        dump_yaml(loop)


def test_dump_yaml_when_given_dates_and_special_floats_then_text_and_yaml_floats() -> None:
    assert dump_yaml([date(2026, 1, 2), math.inf, 1e100]) == "- '2026-01-02'\n- .inf\n- 1.0e+100\n"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("!Ref a", {"Ref": "a"}),
        ("!Condition c", {"Condition": "c"}),
        ("!GetAtt a.b", {"Fn::GetAtt": ["a", "b"]}),
        ("!GetAtt a.Outputs.b", {"Fn::GetAtt": ["a", "Outputs.b"]}),
        ("!GetAtt [a, b]", {"Fn::GetAtt": ["a", "b"]}),
        ("!Sub x", {"Fn::Sub": "x"}),
        ('!Sub ["${A}", {A: !Ref b}]', {"Fn::Sub": ["${A}", {"A": {"Ref": "b"}}]}),
        ('!GetAZs ""', {"Fn::GetAZs": ""}),
        ("!If [c, !Ref a, !Ref AWS::NoValue]", {"Fn::If": ["c", {"Ref": "a"}, {"Ref": "AWS::NoValue"}]}),
        ("!Join ['-', [a, !Select [0, !GetAZs '']]]", {"Fn::Join": ["-", ["a", {"Fn::Select": [0, {"Fn::GetAZs": ""}]}]]}),
        ("!Transform {Name: x, Parameters: {}}", {"Fn::Transform": {"Name": "x", "Parameters": {}}}),
        ("Fn::Base64: !Sub x", {"Fn::Base64": {"Fn::Sub": "x"}}),
    ],
)
def test_cfn_to_plain_when_a_tag_is_short_then_it_becomes_the_long_form(text: str, plain: Any) -> None:
    document = load_yaml(text, "f")
    assert cfn_to_plain(document) == plain
    assert to_json(cfn_to_plain(document.data))


@pytest.mark.parametrize("tag", sorted(SHORT_TAGS))
def test_short_tag_when_dumped_then_it_is_kept(tag: str) -> None:
    for value in ("x", ["x"], {"k": "v"}):
        assert load_yaml(dump_yaml({"a": TaggedValue(tag, value)}), "f").data == {"a": TaggedValue(tag, value)}


@pytest.mark.parametrize("data", ["x", "...", "x...", {"a": "x..."}, ["..."], "a\n...\n", 5, None])
def test_dump_yaml_when_text_ends_like_a_document_then_nothing_is_cut_off(data: Any) -> None:
    text = dump_yaml(data)
    assert load_yaml(text, "f").data == data
    assert not text.endswith("\n...\n")
