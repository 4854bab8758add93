"""Reading YAML: bounds, faults with their places, tags, anchors."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core_lib.framework.codecs import Limits, TaggedValue, load_document, load_json, load_yaml
from core_lib.framework.errors import CodecError

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGE_BOMB = "a: &a {x0: 1, x1: 1, x2: 1, x3: 1, x4: 1, x5: 1, x6: 1, x7: 1, x8: 1}\n" + "".join(
    f"{name}: &{name} {{{', '.join(f'{name}{i}: *{before}' for i in range(9))}}}\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
LONG_CHAIN = "- &a0 [x]\n" + "".join(f"- &a{i} [*a{i - 1}]\n" for i in range(1, 400))

BAD = [
    (BOMB, "more than 500000 values"),
    (MERGE_BOMB, "more than 500000 values"),
    (LONG_CHAIN, "nested deeper than 100 levels"),
    ("[" * 101 + "]" * 101, "nested deeper than 100 levels"),
    ("{a: " * 101 + "1" + "}" * 101, "nested deeper than 100 levels"),
    ("[" * 100_000, "nested deeper"),
    ("- " * 5_000 + "x", "nested deeper"),
    ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: the key 'a' is given twice (the first one is in line 1)"),
    ("x: {a: 1, a: 2}", "'a' is given twice"),
    ("'on': 1\non: 2\n", "'on' is given twice"),
    ("a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document starts here"),
    ("a:\n\tb: 1\n", "never with tabs"),
    ("a: b: c", "mapping values are not allowed"),
    ("a: [1, 2", "not readable as YAML"),
    ("a: 'x", "not readable as YAML"),
    ("%YAML 3.0\n---\na: 1", "not readable as YAML"),
    ("a: &x [*x]", "the alias *x contains itself"),
    ("a: *nope", "the alias *nope has no anchor before it"),
    ("&k a: 1\n*k : 2", "an alias cannot be a key"),
    ("[a]: 1", "a key must be text"),
    ("{{ x }}: 1", "a key must be text"),
    ("? {a: 1}\n: 2", "a key must be text"),
    ("? \n: 1", "a key is empty"),
    ("!!int 5: 1", "a key cannot have a tag"),
    ("a: !Foo b", "unknown tag '!Foo'"),
    ("a: !GetAt b.c", "did you mean !GetAtt?"),
    ("a: !!python/object/apply:os.system [id]", "unknown tag"),
    ("a: !!python/name:os.system ''", "unknown tag"),
    ("a: !!binary aGk=", "unknown tag"),
    ("a: !!set {x}", "unknown tag"),
    ("a: !!timestamp 2026-01-01", "unknown tag"),
    ("a: !!int x", "'x' is not a value of !!int"),
    ("a: !!int true", "'true' is not a value of !!int"),
    ("a: !!bool 5", "'5' is not a value of !!bool"),
    ("<<: 5", "'<<' merges a map or a list of maps"),
    ("<<: [5]", "'<<' merges a map or a list of maps"),
    (b"a: \xff\xfe", "f.yaml:1: not UTF-8"),
    ("a: 1\n".encode("utf-16"), "not UTF-8"),
    (b"a: \x00", "not readable as YAML"),
    ("a: \x07", "not readable as YAML"),
    ("a: \ud800", "half a character"),
    ("x" * (8 * 1024 * 1024 + 1), "larger than 8388608 bytes"),
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("text", "message"), BAD, ids=[str(position) for position in range(len(BAD))])
def test_load_yaml_when_the_text_is_bad_then_one_clear_error_before_long(text: str | bytes, message: str) -> None:
    with pytest.raises(CodecError) as caught:
        load_yaml(text, "f.yaml")
    assert message in str(caught.value)
    assert str(caught.value).startswith("CORE-1003 f.yaml")


@pytest.mark.parametrize("text", ["", b"", "\n\n", "# only a comment\n", "---\n", "\ufeff"])
def test_load_yaml_when_there_is_nothing_then_data_is_none(text: str | bytes) -> None:
    document = load_yaml(text, "f.yaml")
    assert document.data is None
    assert document.locate(("a",)).startswith("f.yaml")


def test_load_yaml_when_it_starts_with_a_byte_order_mark_then_the_mark_is_ignored() -> None:
    assert load_yaml(b"\xef\xbb\xbfa: 1", "f.yaml").data == {"a": 1}


def test_load_yaml_when_tags_are_short_forms_then_they_are_kept_at_any_depth() -> None:
    data = load_yaml('a: !If [x, !Ref y, !Sub ["${A}", {A: !GetAtt b.c}]]\nb: !GetAZs ""\nc: !Ref 123', "f.yaml").data
    inner = TaggedValue("!Sub", ["${A}", {"A": TaggedValue("!GetAtt", "b.c")}])
    assert data["a"] == TaggedValue("!If", ["x", TaggedValue("!Ref", "y"), inner])
    assert data["b"] == TaggedValue("!GetAZs", "")
    assert data["c"] == TaggedValue("!Ref", 123)


def test_load_yaml_when_a_value_is_aliased_then_each_place_has_its_own_copy() -> None:
    data = load_yaml("a: &x {k: [1]}\nb: *x\n", "f.yaml").data
    data["b"]["k"].append(2)
    assert data["a"] == {"k": [1]}


def test_load_yaml_when_maps_are_merged_then_own_keys_win_and_earlier_maps_win() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  <<: [*a, *b]\n  x: 0\n"
    assert load_yaml(text, "f.yaml").data["c"] == {"x": 0, "y": 1, "z": 2}


def test_load_yaml_when_the_merge_key_is_quoted_then_it_is_an_ordinary_key() -> None:
    assert load_yaml("'<<': {a: 1}", "f.yaml").data == {"<<": {"a": 1}}


def test_load_yaml_when_tighter_limits_are_given_then_they_hold() -> None:
    with pytest.raises(CodecError, match="more than 3 values"):
        load_yaml("[1, 2, 3, 4]", "f.yaml", limits=Limits(nodes=3))


TEXT = """\
Actions:
- Name: net
  Spec:
    Tags: {Team: a, Cost: b}
    Policy: &p
      Statement:
        - Effect: Allow
  Other: *p
"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), "f.yaml:1:1"),
        (("Actions",), "f.yaml:1:1"),
        (("Actions", 0), "f.yaml:2:3"),
        (("Actions", 0, "Name"), "f.yaml:2:3"),
        (("Actions", 0, "Spec", "Tags", "Cost"), "f.yaml:4:21"),
        (("actions", 0, "spec", "tags", "cost"), "f.yaml:4:21"),
        (("Actions", 0, "Kind"), "f.yaml:2:3"),
        (("Actions", 7), "f.yaml:1:1"),
        (("Actions", 0, "Other", "Statement", 0, "Effect"), "f.yaml:7:11"),
        (("Actions", 0, "Other"), "f.yaml:8:3"),
    ],
)
def test_locate_when_asked_for_a_path_then_it_names_line_and_column(path: tuple[str | int, ...], place: str) -> None:
    assert load_yaml(TEXT, "f.yaml").locate(path) == place


def test_load_document_when_the_extension_is_known_then_the_reader_fits() -> None:
    assert load_document("a: 1", "x/f.yml").data == {"a": 1}
    assert load_document('{"a": 1}', "f.JSON").data == {"a": 1}
    with pytest.raises(CodecError, match=r"cannot read files of type \.toml"):
        load_document("a=1", "f.toml")


@pytest.mark.timeout(60)
def test_load_yaml_when_a_file_has_a_thousand_actions_then_all_are_read() -> None:
    action = "- Name: a{n}\n  Kind: AWS::CreateStack\n  Spec:\n    Parameters: {{A: 1, B: 2, C: x}}\n    Tags:\n      Team: b\n"
    text = "".join(action.format(n=n) for n in range(1000))
    assert len(load_yaml(text, "f.yaml").data) == 1000


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200), st.text(alphabet="ab:-[]{}&*!|>'\"%#?, \n\t<0.~", max_size=60)))
def test_loaders_when_given_anything_then_data_or_codec_error(text: bytes | str) -> None:
    for load in (load_yaml, load_json):
        with contextlib.suppress(CodecError):
            assert load(text, "f").locate().startswith("f")
