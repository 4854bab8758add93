"""Reading JSON strictly, writing it canonically."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_lib.framework.codecs import TaggedValue, canonical_json, load_json, sha256_hex, to_json
from core_lib.framework.errors import CodecError
from core_lib.framework.models import Target

BAD = [
    ('{"a": 1, "a": 2}', "f.json:1:10: the key 'a' is given twice"),
    ('{\n "x": [{"b": 1,\n "b": 2}]}', "f.json:3:2: the key 'b' is given twice (the first one is in line 2)"),
    ('{"a": NaN}', "NaN is not a JSON number"),
    ('{"a": -Infinity}', "-Infinity is not a JSON number"),
    ('{"a": 1e999}', "is too large"),
    ("[" + "9" * 5000 + "]", "a number of 5000 digits is too large"),
    ("[" * 101 + "]" * 101, "nested deeper than 100 levels"),
    ('{"a":' * 100_000 + "1" + "}" * 100_000, "nested deeper than 100 levels"),
    ("[" + "1," * 2_000_000 + "1]", "more than 500000 values"),
    ('{"a": 1,}', "f.json:1:9: not readable as JSON"),
    ("{'a': 1}", "not readable as JSON"),
    ('{"a": 01}', "not readable as JSON"),
    ('["\t"]', "not readable as JSON"),
    ('["\\ud800"]', "half a character"),
    ('{"\\udc00": 1}', "half a character"),
    (b'["\xff"]', "not UTF-8"),
    ("[1] [2]", "not readable as JSON"),
]


@pytest.mark.parametrize(("text", "message"), BAD, ids=[str(position) for position in range(len(BAD))])
def test_load_json_when_the_text_is_bad_then_one_clear_error(text: str | bytes, message: str) -> None:
    with pytest.raises(CodecError) as caught:
        load_json(text, "f.json")
    assert message in str(caught.value)
    assert "f.json" in str(caught.value)


def test_load_json_when_texts_look_like_dates_then_they_stay_text() -> None:
    assert load_json('{"Version": "2012-10-17", "Build": "20250101"}', "f").data == {"Version": "2012-10-17", "Build": "20250101"}


def test_load_json_when_a_number_is_large_then_it_stays_exact() -> None:
    assert load_json("[123456789012345678901234567890]", "f").data == [123456789012345678901234567890]


def test_load_json_when_brackets_stand_in_texts_then_they_are_not_depth() -> None:
    assert load_json(json.dumps(["[" * 500, '\\"[' * 200]), "f").data == ["[" * 500, '\\"[' * 200]


def test_load_json_when_empty_then_data_is_none() -> None:
    assert load_json(" \n", "f").data is None


def test_locate_when_json_then_it_names_line_and_column() -> None:
    document = load_json('{\n  "a": [1, {"b\\u0041": "x,]"}],\n  "c": {}}', "f.json")
    assert document.locate(("a", 1, "bA")) == "f.json:2:13"
    assert document.locate(("c",)) == "f.json:3:3"
    assert document.locate(("a", 0)) == "f.json:2:9"


JSON_DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON_DATA)
def test_canonical_json_when_loaded_again_then_the_same_data_and_the_same_text(data: object) -> None:
    text = canonical_json(data)
    assert load_json(text, "f").data == data
    assert canonical_json(load_json(text, "f").data) == text


@given(st.dictionaries(st.text(), JSON_DATA, max_size=5))
def test_canonical_json_when_keys_come_in_another_order_then_the_same_text(data: dict[str, object]) -> None:
    assert canonical_json(dict(reversed(data.items()))) == canonical_json(data)


class _Colour(StrEnum):
    RED = "red"


def test_canonical_json_when_given_messages_enums_and_dates_then_their_texts() -> None:
    data = {
        "t": Target(account="111111111111", region="eu-west-1"),
        "c": _Colour.RED,
        "d": date(2026, 1, 2),
        "m": datetime(2026, 1, 2, tzinfo=UTC),
    }
    assert canonical_json(data) == (
        '{"c":"red","d":"2026-01-02","m":"2026-01-02T00:00:00+00:00","t":{"Account":"111111111111","Region":"eu-west-1"}}'
    )


def _deep() -> list[object]:
    data: list[object] = []
    for _ in range(100_000):
        data = [data]
    return data


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), {1, 2}, b"x", object(), TaggedValue("!Ref", "a"), {1: 2, "a": 3}, "\ud800", _deep()]
)
def test_canonical_json_when_json_cannot_hold_it_then_codec_error(value: object) -> None:
    with pytest.raises(CodecError):
        canonical_json([value])


def test_to_json_when_indented_then_lines_and_given_key_order() -> None:
    assert to_json({"b": 1, "a": [2]}, indent=2, sort_keys=False) == '{\n  "b": 1,\n  "a": [\n    2\n  ]\n}'


def test_sha256_hex_when_text_or_bytes_then_the_same_digest() -> None:
    assert sha256_hex("é") == sha256_hex("é".encode()) == "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"
