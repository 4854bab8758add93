"""Settings that are no settings: in core.toml, in the environment, on the command line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core_lib.framework.settings import Settings, load_settings
from tests.malformed.case import Case, cases, refusal


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and an environment without settings."""
    for name in [name for name in os.environ if name.startswith(("CORE_", "AWS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


FILES = (
    Case("not-toml", "CORE-1005", "not TOML", "client: acme"),
    Case("unclosed-quote", "CORE-1005", "not TOML", 'client = "acme'),
    Case("unclosed-table", "CORE-1005", "not TOML", "[aws\nregion = 'x'"),
    Case("key-twice", "CORE-1005", "not TOML", "client = 'a'\nclient = 'b'"),
    Case("table-twice", "CORE-1005", "not TOML", "[aws]\n[aws]\n"),
    Case("utf-16", "CORE-1005", "cannot be read", "client = 'a'".encode("utf-16")),
    Case("binary", "CORE-1005", "cannot be read", b"\x89PNG\xff\xfe"),
    Case("nul", "CORE-1005", "not TOML", b"client = 'a\x00b'"),
    Case("too-large", "CORE-1005", "larger than 1 MiB", "#" * 1_100_000),
    Case("lists-too-deep", "CORE-1005", "nested", "a = " + "[" * 100_000),
    Case("tables-too-deep", "CORE-1005", "nested", "a = " + "{a = " * 20_000),
    Case("dots-too-deep", "CORE-1005", "nested", "a." * 5_000 + "b = 1"),
    Case("headings-too-deep", "CORE-1005", "nested", "[" + "a." * 5_000 + "b]"),
    Case("unknown", "CORE-1005", "did you mean 'client'", "cleint = 'acme'"),
    Case("unknown-in-a-section", "CORE-1005", "did you mean 'aws.region'", "[aws]\nregoin = 'eu-west-1'"),
    Case("unknown-section", "CORE-1005", "is not a setting", "[zebra]\nstripes = 5"),
    Case("of-another-section", "CORE-1005", "did you mean 'aws.region'", "region = 'eu-west-1'"),
    Case("section-as-value", "CORE-1005", "is a section", "aws = 'eu-west-1'"),
    Case("value-as-section", "CORE-1005", "client", "[client]\nname = 'acme'"),
    Case("section-as-list", "CORE-1005", "is a section", "[[aws]]\nregion = 'eu-west-1'"),
    Case("number-in-words", "CORE-1005", "limits.concurrency", "[limits]\nconcurrency = 'many'"),
    Case("number-negative", "CORE-1005", "limits.concurrency", "[limits]\nconcurrency = -1"),
    Case("number-infinite", "CORE-1005", "polling", "[polling]\nfactor = inf"),
    Case("number-none", "CORE-1005", "polling", "[polling]\nfactor = nan"),
    Case("port-too-high", "CORE-1005", "local.prefect_port", "[local]\nprefect_port = 70000"),
    Case("level-unknown", "CORE-1005", "log.level", "[log]\nlevel = 'LOUD'"),
    Case("rate-zero", "CORE-1005", "must be positive", "[limits.rates]\n'cloudformation.DescribeStacks' = 0"),
    Case("rate-in-words", "CORE-1005", "limits.rates", "[limits.rates]\nec2 = 'slow'"),
    Case("polling-upside-down", "CORE-1005", "must not exceed", "[polling]\ninitial_seconds = 20\nlongest_seconds = 5"),
    Case("a-date", "CORE-1005", "client", "client = 2026-01-01"),
    Case("text-that-steers-a-terminal", "CORE-1005", "is not a setting", '"\\u001b[31m" = 1'),
    Case("very-long-key", "CORE-1005", "is not a setting", "k" * 500_000 + " = 1"),
)  # fmt: skip


@cases(*FILES)
def test_core_toml_when_malformed_then_the_place_is_named(case: Case, bare: Path) -> None:
    content = case.given if isinstance(case.given, bytes) else case.given.encode()
    (bare / "core.toml").write_bytes(content)
    error = refusal(load_settings, case)
    assert "core.toml" in str(error.where)


VARIABLES = (
    Case("unknown", "CORE-1005", "did you mean CORE_AWS__REGION", ("CORE_AWS__REGOIN", "x")),
    Case("one-underscore", "CORE-1005", "did you mean CORE_AWS__REGION", ("CORE_AWS_REGION", "x")),
    Case("not-a-number", "CORE-1005", "CORE_LIMITS__CONCURRENCY", ("CORE_LIMITS__CONCURRENCY", "lots")),
    Case("not-json", "CORE-1005", "written as JSON", ("CORE_LIMITS__RATES", "ec2=5")),
    Case("json-of-another-kind", "CORE-1005", "rates", ("CORE_LIMITS__RATES", "[1]")),
    Case("json-too-deep", "CORE-1005", "", ("CORE_LIMITS__RATES", "[" * 50_000)),
    Case("section-not-json", "CORE-1005", "", ("CORE_AWS", "eu-west-1")),
    Case("file-that-is-not-there", "CORE-1005", "there is no file", ("CORE_CONFIG", "nowhere.toml")),
    Case("file-that-is-a-folder", "CORE-1005", "there is no file", ("CORE_CONFIG", "/")),
    Case("file-of-somebody-unknown", "CORE-1005", "there is no file", ("CORE_CONFIG", "~nobody-here/core.toml")),
    Case("half-a-character", "CORE-1005", "", ("CORE_LOG__LEVEL", "\udcff")),
)  # fmt: skip


@cases(*VARIABLES)
def test_environment_when_malformed_then_the_variable_is_named(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    name, value = case.given
    monkeypatch.setenv(name, value)
    refusal(load_settings, case)


OVERRIDES = (
    Case("unknown", "CORE-1005", "did you mean 'aws.region'", {"aws.regoin": "x"}),
    Case("section", "CORE-1005", "is a section", {"aws": "x"}),
    Case("not-a-number", "CORE-1005", "limits.concurrency", {"limits.concurrency": "x"}),
    Case("of-many-digits", "CORE-1005", "limits.concurrency", {"limits.concurrency": "9" * 5000}),
    Case("empty-step", "CORE-1005", "is not a setting", {"aws..region": "x"}),
    Case("only-dots", "CORE-1005", "is not a setting", {"...": "x"}),
    Case("too-many-steps", "CORE-1005", "is not a setting", {"a." * 20_000: "x"}),
)  # fmt: skip


@cases(*OVERRIDES)
def test_command_line_when_a_setting_is_malformed_then_it_is_named(case: Case) -> None:
    error = refusal(lambda: load_settings(case.given), case)
    assert error.where == "command line"


def test_settings_when_nothing_is_said_then_they_are_the_defaults() -> None:
    assert load_settings().model_dump() == Settings().model_dump()
