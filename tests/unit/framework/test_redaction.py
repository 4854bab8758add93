"""Secrets are cut out of whatever is written down, and ordinary text is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_lib.framework.redaction import MASK, is_secret_name, redact, redact_text

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


@pytest.mark.parametrize(("text", "secret"), [
    ("key AKIAIOSFODNN7EXAMPLE used", "AKIAIOSFODNN7EXAMPLE"),
    ("session ASIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"),
    (f"found {SECRET} in file", SECRET),
    ("password=hunter22 failed", "hunter22"),
    ('{"Token": "abc123"}', "abc123"),
    ("Authorization: Bearer abcdefghijklmnop", "abcdefghijklmnop"),
    ("postgres://admin:s3cr3t@db:5432/x", "s3cr3t"),
    ("https://b.s3.amazonaws.com/k?X-Amz-Signature=deadbeef01&X-Amz-Expires=3600", "deadbeef01"),
    ("https://b/k?X-Amz-Security-Token=FwoGZXIvYXdzEB&x=1", "FwoGZXIvYXdzEB"),
    ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcDEF", "eyJzdWIiOiIxIn0"),
])  # fmt: skip
def test_redact_text_when_it_holds_a_secret_then_masks_it(text: str, secret: str) -> None:
    assert secret not in redact_text(text)
    assert MASK in redact_text(text)


@pytest.mark.parametrize("text", [
    "stack net in 111111111111/eu-west-1 is UPDATE_COMPLETE",
    "arn:aws:cloudformation:eu-west-1:111111111111:stack/net/0f7a1c50-1111-2222-3333-444455556666",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "files/payments/ledger/main/7/net/vpc.yaml",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "https://eu-west-1.console.aws.amazon.com/cloudformation/home",
])  # fmt: skip
def test_redact_text_when_there_is_no_secret_then_changes_nothing(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "name", ["Password", "db_password", "SecretAccessKey", "api-key", "AuthString", "SessionToken", "ExternalId"]
)
def test_is_secret_name_knows_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["NextToken", "ClientRequestToken", "Key", "StackName", "key_prefix"])
def test_is_secret_name_leaves_harmless_names(name: str) -> None:
    assert not is_secret_name(name)


def test_redact_masks_by_name_at_any_depth() -> None:
    value = {"db": [{"password": "x", "host": "h"}], "token": None}
    assert redact(value) == {"db": [{"password": MASK, "host": "h"}], "token": None}


def test_redact_when_nested_beyond_reason_then_cuts() -> None:
    deep: dict[str, object] = {}
    inner = deep
    for _ in range(100):
        inner["a"] = {}
        inner = inner["a"]  # type: ignore[assignment]
    assert "..." in str(redact(deep))


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
    )
)
def test_redact_twice_is_redact_once(value: object) -> None:
    once = redact(value)
    assert redact(once) == once
