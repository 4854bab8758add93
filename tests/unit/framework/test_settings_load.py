"""Settings: precedence of the sources, and errors that name the place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_lib.framework.errors import SettingsError
from core_lib.framework.settings import load_settings
from core_lib.framework.settings.names import KNOWN, flatten, nest


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith(("CORE_", "AWS_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def _write(folder: Path, text: str) -> Path:
    path = folder / "core.toml"
    path.write_text(text)
    return path


def test_load_without_any_source_gives_defaults() -> None:
    settings = load_settings()
    assert settings.aws.deploy_role == "OrganizationAccountAccessRole"
    assert settings.origins == {}


def test_load_prefers_command_line_then_environment_then_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path, "[limits]\nconcurrency = 1\naccount_concurrency = 1\nregion_concurrency = 1\n")
    monkeypatch.setenv("CORE_LIMITS__ACCOUNT_CONCURRENCY", "2")
    monkeypatch.setenv("CORE_LIMITS__REGION_CONCURRENCY", "2")
    limits = load_settings({"limits.region_concurrency": 3}).limits
    assert (limits.concurrency, limits.account_concurrency, limits.region_concurrency) == (1, 2, 3)


def test_load_knows_where_each_value_came_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _write(tmp_path, '# first\nclient = "acme"\n\n[log]\n# why\nlevel = "debug"\n')
    monkeypatch.setenv("CORE_AWS__REGION", "eu-west-1")
    settings = load_settings({"prefect": {"batch_size": 3}})
    assert settings.origins == {
        "client": f"{path}:2",
        "log.level": f"{path}:6",
        "aws.region": "environment CORE_AWS__REGION",
        "prefect.batch_size": "command line",
    }
    assert settings.log.level == "DEBUG"


def test_load_takes_the_nearest_file_upwards(tmp_path: Path) -> None:
    _write(tmp_path, 'client = "outer"\n')
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert load_settings(start=deep).client == "outer"
    _write(tmp_path / "a", 'client = "inner"\n')
    assert load_settings(start=deep).client == "inner"


def test_load_takes_the_file_that_core_config_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path, 'client = "here"\n')
    (tmp_path / "other.toml").write_text('client = "there"\n')
    monkeypatch.setenv("CORE_CONFIG", str(tmp_path / "other.toml"))
    assert load_settings().client == "there"


def test_load_when_core_config_names_nothing_then_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORE_CONFIG", "nowhere.toml")
    with pytest.raises(SettingsError, match=r"there is no file nowhere\.toml"):
        load_settings()


def test_load_when_override_is_none_then_it_counts_as_not_given() -> None:
    assert load_settings({"aws": {"region": None}, "client": None}).origins == {}


@pytest.mark.parametrize(("text", "name", "line", "hint"), [
    ("[aws]\nregin = 'x'\n", "aws.regin", 2, "did you mean 'aws.region'?"),
    ("\nclinet = 'x'\n", "clinet", 2, "did you mean 'client'?"),
    ("[limit]\nconcurrency = 3\n", "limit.concurrency", 2, "did you mean 'limits.concurrency'?"),
    ("concurrency = 3\n", "concurrency", 1, "did you mean 'limits.concurrency'?"),
])  # fmt: skip
def test_load_when_file_has_unknown_key_then_names_place_and_nearest(
    tmp_path: Path, text: str, name: str, line: int, hint: str
) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert (caught.value.where, caught.value.hint) == (f"{path}:{line}", hint)
    assert name in caught.value.message


def test_load_when_value_is_given_as_a_section_then_names_the_line(tmp_path: Path) -> None:
    path = _write(tmp_path, "[log]\nlevel.deep = 3\n")
    with pytest.raises(SettingsError, match=r"log\.level: ") as caught:
        load_settings()
    assert caught.value.where == f"{path}:2"


@pytest.mark.parametrize(("variable", "nearest"), [
    ("CORE_AWS__REGIN", "CORE_AWS__REGION"),
    ("CORE_AWS_REGION", "CORE_AWS__REGION"),
    ("CORE_LOG_LEVEL", "CORE_LOG__LEVEL"),
    ("CORE_CLINT", "CORE_CLIENT"),
])  # fmt: skip
def test_load_when_variable_is_misspelt_then_names_the_right_one(
    monkeypatch: pytest.MonkeyPatch, variable: str, nearest: str
) -> None:
    monkeypatch.setenv(variable, "x")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert caught.value.hint == f"did you mean {nearest}?"


def test_load_when_variable_is_foreign_then_leaves_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORE_PATTERN", "|/usr/share/apport")
    assert load_settings().origins == {}


def test_load_when_value_does_not_fit_then_says_which_and_where(tmp_path: Path) -> None:
    path = _write(tmp_path, "[limits]\n\nconcurrency = 'many'\n")
    with pytest.raises(SettingsError, match=r"limits\.concurrency: .*integer.*'many'") as caught:
        load_settings()
    assert caught.value.where == f"{path}:3"


def test_load_when_values_do_not_fit_each_other_then_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORE_CMDB__HEARTBEAT_SECONDS", "50")
    with pytest.raises(SettingsError, match="heartbeat_seconds must be at most half of lock_lease_seconds") as caught:
        load_settings()
    assert caught.value.where == "environment CORE_CMDB__HEARTBEAT_SECONDS"


@pytest.mark.parametrize("text", ["[aws", "a = ", "\x00", "a = 1\na = 2\n"])
def test_load_when_file_is_not_toml_then_says_so(tmp_path: Path, text: str) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(SettingsError, match="not TOML") as caught:
        load_settings()
    assert caught.value.where == str(path)


def test_load_when_file_is_not_text_then_says_so(tmp_path: Path) -> None:
    (tmp_path / "core.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings()


def test_load_when_section_is_given_a_plain_value_then_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="'aws' is a section"):
        load_settings({"aws": "x"})
    monkeypatch.setenv("CORE_AWS", "not json")
    with pytest.raises(SettingsError):
        load_settings()


def test_load_reads_maps_and_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORE_AWS__ROLE_CHAIN", '["arn:aws:iam::111111111111:role/hub"]')
    _write(tmp_path, "[limits.rates]\n'cloudformation.DescribeStacks' = 3\norganizations = 1\n")
    settings = load_settings()
    assert settings.limits.rates == {"cloudformation.DescribeStacks": 3.0, "organizations": 1.0}
    assert settings.aws.role_chain == ("arn:aws:iam::111111111111:role/hub",)


def test_home_region_comes_from_aws_variables_only_when_nothing_else_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    assert load_settings().home_region == "us-west-2"
    monkeypatch.setenv("AWS_REGION", "us-east-2")
    assert load_settings().home_region == "us-east-2"
    monkeypatch.setenv("CORE_AWS__REGION", "eu-west-1")
    assert load_settings().home_region == "eu-west-1"


def test_home_region_when_nobody_names_one_then_refuses() -> None:
    with pytest.raises(SettingsError, match="no home region is set"):
        _ = load_settings().home_region


def test_cmdb_region_falls_back_to_home_region() -> None:
    assert load_settings({"aws.region": "eu-west-1"}).cmdb_region == "eu-west-1"
    assert load_settings({"aws.region": "eu-west-1", "cmdb.region": "eu-west-2"}).cmdb_region == "eu-west-2"


@given(st.dictionaries(st.sampled_from(KNOWN), st.integers(), max_size=8))
def test_flatten_undoes_nest(flat: dict[str, int]) -> None:
    assert flatten(nest(flat)) == flat
