"""Commands that need no platform: scaffold, compile, targets, why, info. Facts and accounts come from files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app

BASELINE = Path(__file__).parents[3] / "examples" / "baseline"
OFFLINE = ("--registry", "registry.yaml", "--registry", "accounts.yaml")


@pytest.fixture
def baseline(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the example, as working directory."""
    folder = elsewhere / "baseline"
    shutil.copytree(BASELINE, folder, ignore=shutil.ignore_patterns(".core"))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(elsewhere / "cache"))
    return folder


def core(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def answer(*arguments: str) -> Any:
    """The one JSON document of a command that must succeed."""
    result = core(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refusal(*arguments: str) -> tuple[int, dict[str, str]]:
    """Exit code and error of a command that must fail."""
    result = core(*arguments, "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == document["ExitCode"]
    assert "Traceback" not in result.output
    return result.exit_code, document["Error"]


def test_compile_of_the_baseline_says_what_it_will_touch(baseline: Path) -> None:
    result = core("compile", *OFFLINE)

    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-7:] == [
        "deploy: 26 actions on 8 targets (4 accounts, eu-west-1, us-east-1)",
        "  hub                      AWS::CreateStack         x 2",
        "  access                   AWS::CreateStack         x 6",
        "  storage                  AWS::CreateStack         x 6",
        "  alarms                   AWS::CreateStack         x 6",
        "  directory                AWS::CreateStack         x 6",
        "  left out: 1 (account is suspended)",
    ]


def test_compile_twice_writes_the_same_bytes(baseline: Path, elsewhere: Path) -> None:
    first = answer("compile", *OFFLINE, "--out", str(elsewhere / "one"))
    second = answer("compile", *OFFLINE, "--out", str(elsewhere / "two"))

    assert first["Plans"] == second["Plans"]
    assert {Path(path).name for path in first["Files"]} >= {"deploy.actions", "plan.actions", "apply.actions"}
    for one, two in zip(first["Files"], second["Files"], strict=True):
        assert Path(one).read_bytes() == Path(two).read_bytes()


def test_compile_twice_into_a_folder_of_the_package_gives_the_same_plans(baseline: Path) -> None:
    first = answer("compile", *OFFLINE, "--out", "made")

    assert answer("compile", *OFFLINE, "--out", "made") == first
    assert answer("compile", *OFFLINE)["Plans"] == first["Plans"]


def test_validate_of_the_baseline_finds_nothing_to_complain_about(baseline: Path) -> None:
    document = answer("validate", *OFFLINE)

    assert document["Valid"] is True
    assert document["Warnings"] == []


def test_validate_when_a_key_is_mistyped_names_file_line_and_the_right_key(baseline: Path) -> None:
    spec = baseline / "deployspec.yaml"
    spec.write_text(spec.read_text().replace("      StackName: baseline-access", "      StackNam: baseline-access"))

    code, error = refusal("validate", *OFFLINE)

    assert code == 2
    assert error["Code"] == "CORE-1004"
    assert error["Where"].startswith("deployspec.yaml:")
    assert "StackName" in error["Message"]


def test_validate_when_an_output_is_unknown_is_a_compile_error(baseline: Path) -> None:
    spec = baseline / "deployspec.yaml"
    spec.write_text(spec.read_text().replace("outputs.access.DeployRoleArn", "outputs.acces.DeployRoleArn"))

    code, error = refusal("validate", *OFFLINE)

    assert code == 3
    assert "acces" in error["Message"]


def test_compile_when_the_folder_is_empty_says_what_is_missing(baseline: Path, elsewhere: Path) -> None:
    (elsewhere / "empty").mkdir()

    code, error = refusal("compile", str(elsewhere / "empty"), *OFFLINE)

    assert (code, error["Code"]) == (2, "CORE-1006")


def test_compile_without_a_deployment_says_how_to_name_one(baseline: Path) -> None:
    (baseline / "core.toml").unlink()

    code, error = refusal("compile", *OFFLINE, "--client", "acme")

    assert (code, error["Code"]) == (2, "CORE-1005")
    assert "--prn" in error["Hint"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--prn", "nonsense"), 2),
        (("--fact", "novalue"), 2),
        (("--fact", "A=1", "--fact", "A.B=2"), 2),
        (("--tag", "novalue"), 2),
        (("--config", "nonsense"), 2),
        (("--config", "aws.regoin=eu-west-1"), 2),
        (("--account", "nobody"), 3),
        (("--registry", "missing.yaml"), 2),
    ],
)
def test_compile_when_an_option_is_wrong_refuses_with_a_code(baseline: Path, arguments: tuple[str, ...], code: int) -> None:
    found, error = refusal("compile", *OFFLINE, *arguments)

    assert found == code
    assert error["Code"].startswith("CORE-")


def test_targets_resolve_lists_each_target_with_its_actions(baseline: Path) -> None:
    targets = answer("targets", "resolve", *OFFLINE, "--region", "eu-west-1")["Targets"]

    assert [(target["AccountName"], target["Actions"]) for target in targets] == [
        ("network", ["hub"]),
        ("workload-001", ["access", "storage", "alarms", "directory"]),
        ("workload-002", ["access", "storage", "alarms", "directory"]),
        ("workload-003", ["access", "storage", "alarms", "directory"]),
    ]


def test_targets_explain_says_why_an_account_is_out(baseline: Path) -> None:
    lines = answer("targets", "explain", *OFFLINE, "--action", "access")["Accounts"]

    reasons = {line["AccountName"]: (line["Included"], line["Reason"]) for line in lines}
    assert reasons["workload-001"] == (True, "in the unit /workloads")
    assert reasons["workload-004"] == (False, "account is suspended")
    assert reasons["audit"][0] is False


def test_targets_when_the_action_is_unknown_lists_the_known_ones(baseline: Path) -> None:
    code, error = refusal("targets", "resolve", *OFFLINE, "--action", "hubb")

    assert code == 3
    assert "hub, access, storage" in error["Hint"]


@pytest.mark.parametrize(
    ("account", "winner"),
    [("400000000001/eu-west-1", "365"), ("400000000002/us-east-1", "7"), ("400000000003/us-east-1", "60")],
)
def test_why_names_the_layer_that_wins(baseline: Path, account: str, winner: str) -> None:
    document = answer("why", f"storage@{account}", "Parameters.RetentionDays", *OFFLINE, "--fact", "RetentionDays=60")

    assert str(document["Origins"][0]["Value"]) == winner
    assert document["Origins"][0]["Where"].startswith("deployspec.yaml:")


def test_init_makes_a_package_that_compiles_at_once(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert answer("init", "shop")["Files"] == ["shop/core.toml", "shop/deployspec.yaml", "shop/templates/storage.yaml",
                                               "shop/registry.yaml"]  # fmt: skip
    monkeypatch.chdir(elsewhere / "shop")

    document = answer("compile", "--registry", "registry.yaml")

    assert document["Plans"][0]["Actions"] == 2
    assert document["Warnings"] == []


def test_init_when_files_are_there_touches_none(elsewhere: Path) -> None:
    (elsewhere / "core.toml").write_text("client = 'mine'\n")

    code, error = refusal("init")

    assert code == 2
    assert "core.toml" in error["Message"]
    assert [path.name for path in elsewhere.iterdir()] == ["core.toml"]
    assert (elsewhere / "core.toml").read_text() == "client = 'mine'\n"


def test_info_names_the_origin_of_each_value(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (elsewhere / "core.toml").write_text("client = 'acme'\n[aws]\nregion = 'eu-west-1'\n")
    monkeypatch.setenv("CORE_LOG__LEVEL", "DEBUG")

    rows = {row["Name"]: row for row in answer("info", "--config", "limits.concurrency=5")}

    assert rows["client"]["Value"] == "acme"
    assert rows["client"]["Origin"].endswith("core.toml:1")
    assert "CORE_LOG__LEVEL" in rows["log.level"]["Origin"]
    assert rows["limits.concurrency"]["Value"] == "5"
    assert rows["aws.deploy_role"]["Origin"] == "default"


def test_info_when_a_name_is_given_shows_only_those(elsewhere: Path) -> None:
    assert {row["Name"].split(".")[0] for row in answer("info", "polling")} == {"polling"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(shell: str) -> None:
    assert f"_CORE_COMPLETE=complete_{shell}" in core("completion", shell).stdout


def test_status_when_nothing_runs_ends_with_the_platform_code(elsewhere: Path) -> None:
    result = core("status", "--json")

    assert result.exit_code == 6
    assert json.loads(result.stdout)["Running"] is False


def test_up_when_endpoint_and_aws_are_both_asked_for_is_refused() -> None:
    assert refusal("up", "--aws", "--endpoint", "http://127.0.0.1:1")[0] == 2


def in_waves(folder: Path) -> None:
    """Put the baseline into waves."""
    spec = folder / "deployspec.yaml"
    spec.write_text("Waves:\n  - {Share: 10%, Soak: PT30M}\n" + spec.read_text())


def test_compile_of_waves_shows_them(baseline: Path) -> None:
    in_waves(baseline)
    lines = core("compile", *OFFLINE).stdout.splitlines()
    first, last = (line for line in lines if line.startswith("  wave "))
    assert first.split()[:3] == ["wave", "10%", "2"]
    assert first.endswith("; then: at most 0 of 2 targets failed, wait 30 min")
    assert last.split()[:3] == ["wave", "rest", "4"]
    assert [wave["Name"] for wave in answer("compile", *OFFLINE)["Plans"][0]["Waves"]] == ["10%", "rest"]


def test_targets_explain_says_which_wave_an_account_is_in(baseline: Path) -> None:
    assert all(account["Waves"] == [] for account in answer("targets", "explain", *OFFLINE)["Accounts"])
    in_waves(baseline)
    found = [account["Waves"] for account in answer("targets", "explain", *OFFLINE)["Accounts"] if account["Waves"]]
    assert found.count(["10%"]) == 1
    assert ["rest"] in found
    assert "wave" in core("targets", "explain", *OFFLINE).stdout.splitlines()[0]
