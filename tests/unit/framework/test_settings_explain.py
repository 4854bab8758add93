"""What `core info` shows: every setting with value and origin, never a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from core_lib.framework.settings import Settings, explain_settings, load_settings
from core_lib.framework.settings.names import KNOWN


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_explain_lists_every_setting_with_its_meaning() -> None:
    lines = {line.name: line for line in explain_settings(load_settings())}
    assert set(KNOWN) <= set(lines)
    assert all(lines[name].description for name in KNOWN)


def test_explain_tells_the_origin_of_each_value() -> None:
    lines = {line.name: line for line in explain_settings(load_settings({"client": "acme"}))}
    assert (lines["client"].value, lines["client"].origin) == ("acme", "command line")
    assert (lines["limits.concurrency"].value, lines["limits.concurrency"].origin) == ("64", "default")


def test_explain_masks_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORE_PREFECT__AUTH_STRING", "admin:hunter2")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    settings = load_settings()
    text = "\n".join(f"{line.name} {line.value} {line.origin}" for line in explain_settings(settings)) + repr(settings)
    assert "hunter2" not in text
    assert "very-secret" not in text
    assert "AWS_SECRET_ACCESS_KEY" in text


def test_explain_shows_what_boto3_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:4567")
    lines = {line.name: line for line in explain_settings(load_settings())}
    assert lines["AWS_ENDPOINT_URL"].value == "http://127.0.0.1:4566"
    assert lines["AWS_ENDPOINT_URL_S3"].origin == "environment (read by boto3)"


def test_explain_writes_lists_and_maps_as_text() -> None:
    settings = load_settings({"limits.rates": {"sts": 5.0, "organizations": 1.0}, "aws.role_chain": ["arn:a", "arn:b"]})
    lines = {line.name: line.value for line in explain_settings(settings)}
    assert lines["limits.rates"] == "sts=5.0, organizations=1.0"
    assert lines["aws.role_chain"] == "arn:a, arn:b"


def test_settings_are_immutable() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().client = "other"  # type: ignore[misc]
