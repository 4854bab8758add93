"""The environment of the local platform, and the credentials that must never meet it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cli.connection import connect, merge_environment, use_local_platform
from cli.shell import Shell, default_state_dir
from core_lib.framework.errors import NotRunningError

LOCAL = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
    "AWS_ACCESS_KEY_ID": "100000000000",
    "AWS_SECRET_ACCESS_KEY": "local",
    "PREFECT_API_URL": "http://127.0.0.1:4200/api",
}


def test_merge_when_the_user_has_real_credentials_takes_the_local_ones_as_a_set() -> None:
    mine = {"AWS_ACCESS_KEY_ID": "AKIAREAL", "AWS_SESSION_TOKEN": "t", "AWS_PROFILE": "prod", "HOME": "h"}

    merge_environment(mine, LOCAL)

    assert mine == {"HOME": "h", **LOCAL}


def test_merge_when_the_user_names_an_endpoint_leaves_all_aws_variables_alone() -> None:
    mine = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9999", "AWS_PROFILE": "mine"}

    merge_environment(mine, LOCAL)

    assert mine == {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9999",
        "AWS_PROFILE": "mine",
        "PREFECT_API_URL": LOCAL["PREFECT_API_URL"],
    }


def test_merge_when_the_platform_uses_real_aws_keeps_the_users_credentials() -> None:
    mine = {"AWS_PROFILE": "prod"}

    merge_environment(mine, {"PREFECT_API_URL": "http://127.0.0.1:4200/api", "AWS_REGION": "eu-west-1"})

    assert mine == {"AWS_PROFILE": "prod", "PREFECT_API_URL": "http://127.0.0.1:4200/api"}


def test_merge_keeps_another_prefect_that_the_user_chose() -> None:
    mine = {"PREFECT_API_URL": "http://elsewhere/api"}

    merge_environment(mine, LOCAL)

    assert mine["PREFECT_API_URL"] == "http://elsewhere/api"


def test_use_local_platform_when_the_folder_has_none_changes_nothing(tmp_path: Path) -> None:
    assert use_local_platform(tmp_path) is None
    assert "AWS_ENDPOINT_URL" not in os.environ


@pytest.mark.parametrize("content", ["not json", '{"launch": "x"}'])
def test_command_when_the_local_platform_is_down_never_reaches_for_another_cloud(content: str, tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text(content)
    shell = Shell(client="acme", state_dir=tmp_path)

    for door in ("sessions", "cmdb", "client", "store"):
        with connect(shell) as connection, pytest.raises(NotRunningError, match="not up"):
            getattr(connection, door)


def test_command_when_the_local_platform_is_down_still_follows_an_endpoint_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9999")
    (tmp_path / "state.json").write_text("{}")

    assert use_local_platform(tmp_path) is None


def test_settings_when_a_package_brings_its_own_come_from_there(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "core.toml").write_text('client = "globex"\n')

    for package in (tmp_path / "package", tmp_path / "package" / "deployspec.yaml"):
        with connect(Shell(state_dir=tmp_path), package) as connection:
            assert connection.client_name == "globex"


def test_client_on_the_command_line_wins_over_that_of_the_package(tmp_path: Path) -> None:
    (tmp_path / "core.toml").write_text('client = "globex"\n')

    with connect(Shell(client="acme", state_dir=tmp_path), tmp_path) as connection:
        assert connection.client_name == "acme"


def test_state_dir_is_that_of_the_nearest_local_platform(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CORE_STATE_DIR")
    (elsewhere / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(elsewhere / "a" / "b")
    assert default_state_dir() == Path(".core")

    (elsewhere / ".core").mkdir()
    (elsewhere / ".core" / "state.json").write_text("{}")

    assert default_state_dir() == elsewhere / ".core"
