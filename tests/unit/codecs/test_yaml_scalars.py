"""Plain YAML scalars: a number only where nothing is lost."""

from __future__ import annotations

import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from core_lib.framework.codecs import dump_yaml, load_yaml

TEXTS = [
    "0123", "007", "000000000012", "012345678901", "123456789012", "1_000", "0_1", "12:30", "190:20:30", "+5", "-0", "-012",
    "on", "off", "yes", "no", "y", "n", "Y", "N", "On", "OFF", "Yes", "NO",
    "2012-10-17", "2026-01-01T00:00:00Z", "2026-01-01 10:00:00",
    "1.10", "0.50", "3.20", "00.5", "1.2.3", "7e10234", "0x", "0o8", "0b11", "1e", "e3", ".", "+", "..", "10.0.0.0/16", "1,000",
    "tRUE", "nULL", "none", "None", "=", "١٢",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_plain_scalar_when_a_number_would_lose_something_then_it_stays_text(text: str) -> None:
    assert load_yaml(f"key: {text}", "f.yaml").data == {"key": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0), ("5", 5), ("-3", -3), ("123456789", 123456789), ("12345678901", 12345678901), ("1234567890123", 1234567890123),
        ("-123456789012", -123456789012), ("0x1F", 31), ("0o17", 15), ("1.5", 1.5), (".5", 0.5),
        ("1.0", 1.0), ("1.", 1.0), ("1e3", 1000.0),
        ("-2.5E-3", -0.0025), ("+1.5", 1.5), ("true", True), ("True", True), ("TRUE", True), ("false", False),
        ("null", None), ("~", None),
        ("", None), ("Null", None), (".inf", math.inf), ("-.INF", -math.inf),
    ],
)  # fmt: skip
def test_plain_scalar_when_it_is_a_number_boolean_or_null_then_it_has_that_type(text: str, value: object) -> None:
    data = load_yaml(f"key: {text}", "f.yaml").data["key"]
    assert data == value
    assert type(data) is type(value)


def test_plain_scalar_when_nan_then_it_is_a_float() -> None:
    assert math.isnan(load_yaml("key: .nan", "f.yaml").data["key"])


@pytest.mark.parametrize("text", ["5", "true", "null", "1.5", "~", "0x1F"])
def test_quoted_scalar_when_it_looks_like_something_else_then_it_is_text(text: str) -> None:
    assert load_yaml(f"a: '{text}'\nb: \"{text}\"\n", "f.yaml").data == {"a": text, "b": text}


def test_keys_when_they_look_like_numbers_or_booleans_then_they_are_text_as_written() -> None:
    data = load_yaml("on: 1\n0123: 2\n123456789012: 3\ntrue: 4\n8080: 5\nnull: 6\n", "f.yaml").data
    assert list(data) == ["on", "0123", "123456789012", "true", "8080", "null"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!!str 5", "5"),
        ("!!int '5'", 5),
        ("!!int 0123", 123),
        ("!!float 5", 5.0),
        ("!!bool 'true'", True),
        ("!!null ''", None),
        ("! 5", "5"),
    ],
)
def test_explicit_type_when_the_value_has_it_then_it_is_read_as_that(text: str, value: object) -> None:
    data = load_yaml(f"key: {text}", "f.yaml").data["key"]
    assert data == value
    assert type(data) is type(value)


@given(st.text(max_size=30))
def test_dumped_text_when_loaded_then_it_is_the_same_text(text: str) -> None:
    assert load_yaml(dump_yaml({"k": [text], text: text}), "f.yaml").data == {"k": [text], text: text}


@pytest.mark.parametrize(
    "text",
    [
        *TEXTS,
        "null",
        "true",
        "5",
        "1.5",
        "1e3",
        "0x1F",
        ".inf",
        "~",
        "",
        "<<",
        " a",
        "a ",
        "a: b",
        "a #b",
        "# a",
        "{{ x }}",
        "!Sub",
    ],
)
def test_dumped_text_when_any_reader_could_misread_it_then_it_is_quoted(text: str) -> None:
    written = dump_yaml({"k": text})
    assert yaml.safe_load(written) == {"k": text}
    assert load_yaml(written, "f.yaml").data == {"k": text}
