"""Editing YAML in place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_lib.framework.codecs import dump_yaml, edit_yaml, load_yaml
from core_lib.framework.errors import CodecError

TEXT = """\
# the head
Name: net      # what it is called
Account: 123456789012
Zeros: 0123
Switch: on
Date: 2012-10-17
Version: 1.10
Under: 1_000
Time: 12:30
Plus: +5
Quoted: 'x'
Double: "y"
Policy: &p {Effect: Allow}
Again: *p
Tagged: !If [c, !Ref a, !Sub "${B}-x"]
Att: !GetAtt a.b

Script: |
  one
  two
Folded: >-
  three
  four
Items:
  - a
  # between
  - b
"""


def test_edit_yaml_when_nothing_is_changed_then_every_byte_stays() -> None:
    assert edit_yaml(TEXT, lambda data: None) == TEXT


def test_edit_yaml_when_one_value_is_changed_then_only_its_line_changes() -> None:
    def edit(data: Any) -> None:
        data["Name"] = "hub"

    before, after = TEXT.splitlines(), edit_yaml(TEXT, edit).splitlines()
    assert [(old, new) for old, new in zip(before, after, strict=True) if old != new] == [
        ("Name: net      # what it is called", "Name: hub      # what it is called")
    ]


def test_edit_yaml_when_new_text_could_be_misread_then_it_is_quoted() -> None:
    def edit(data: Any) -> None:
        data["New"] = {"a": "on", "b": "0123", "c": "123456789012", "d": 5, "e": True, "f": "plain"}
        data["Items"].append("x: y")

    data = load_yaml(edit_yaml(TEXT, edit), "f").data
    assert data["New"] == {"a": "on", "b": "0123", "c": "123456789012", "d": 5, "e": True, "f": "plain"}
    assert data["Items"] == ["a", "b", "x: y"]
    assert "c: '123456789012'" in edit_yaml(TEXT, edit)


def test_edit_yaml_when_lists_are_not_indented_then_they_stay_so() -> None:
    assert edit_yaml("a:\n- b: 1\n  c: 2\n- d\n", lambda data: None) == "a:\n- b: 1\n  c: 2\n- d\n"


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "a: [", "a: !Foo b", "a: 1\n---\nb: 2\n"])
def test_edit_yaml_when_the_text_is_bad_then_codec_error(text: str) -> None:
    with pytest.raises(CodecError):
        edit_yaml(text, lambda data: None, "f.yaml")


PLAIN = st.text(alphabet="abc019_-+.:eExo ", min_size=1, max_size=8).map(str.strip).filter(bool)


@given(
    st.dictionaries(st.text(alphabet="abc", min_size=1), st.one_of(PLAIN, st.lists(PLAIN, max_size=3)), min_size=1, max_size=4)
)
def test_edit_yaml_when_nothing_is_changed_then_the_data_is_the_same(data: dict[str, Any]) -> None:
    text = dump_yaml(data)
    assert load_yaml(edit_yaml(text, lambda _: None), "f").data == data
