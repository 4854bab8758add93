"""The command line, given everything that is malformed: one error, one exit code, nothing written, nothing sent."""
# ruff: noqa: E501 - one case, one line

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.malformed import archives
from tests.malformed.case import Case, cases, check_expected, check_words
from tests.malformed.doors import BASELINE

OFFLINE = ("--registry", "registry.yaml", "--registry", "accounts.yaml")
EXIT = {"CORE-1": 2, "CORE-2": 3, "CORE-3": 7, "CORE-4": 8, "CORE-5": 4, "CORE-6": 6}


@pytest.fixture(autouse=True)
def baseline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the example as working directory, and an environment without settings."""
    for name in [name for name in os.environ if name.startswith(("CORE_", "AWS_", "PREFECT_API"))]:
        monkeypatch.delenv(name)
    folder = tmp_path / "baseline"
    shutil.copytree(BASELINE, folder, ignore=shutil.ignore_patterns(".core"))
    monkeypatch.setenv("CORE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(folder)
    return folder


def files_in(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*")) if not path.is_fifo()}


def refused(*arguments: str, exit_code: int | None = None) -> dict[str, str]:
    """The one error of a command that must fail, after checking all that is the same for every failure."""
    before = files_in(Path.cwd())
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code != 0, result.output
    document = json.loads(result.stdout)
    assert set(document) == {"Error", "ExitCode"}
    error: dict[str, str] = document["Error"]
    assert error.get("Code") != "CORE-0000", error
    check_words(error)
    assert result.exit_code == document["ExitCode"] == (exit_code or EXIT[error["Code"][:6]])
    assert "Traceback" not in result.output
    assert files_in(Path.cwd()) == before
    return error


ARGUMENTS = (
    Case("client-with-a-space", "CORE-1001", "cannot be the name", ("compile", *OFFLINE, "--client", "a b")),
    Case("client-empty", "CORE-1001", "", ("compile", *OFFLINE, "--client", " ")),
    Case("client-that-climbs", "CORE-1001", "cannot be the name", ("compile", *OFFLINE, "--client", "../acme")),
    Case("prn-nonsense", "CORE-1002", "starts with 'prn:'", ("compile", *OFFLINE, "--prn", "nonsense")),
    Case("prn-with-a-gap", "CORE-1002", "segment ''", ("compile", *OFFLINE, "--prn", "prn:platform::main")),
    Case("prn-of-a-portfolio-nobody-has", "CORE-3001", "known: platform", ("compile", *OFFLINE, "--prn", "prn:zebra:baseline:main:1")),
    Case("prn-of-an-app-nobody-has", "CORE-3001", "tried: baseline", ("compile", *OFFLINE, "--prn", "prn:platform:zebra:main:1")),
    Case("fact-without-value", "CORE-1000", "KEY=VALUE", ("compile", *OFFLINE, "--fact", "A")),
    Case("fact-without-name", "CORE-1000", "KEY=VALUE", ("compile", *OFFLINE, "--fact", "=1")),
    Case("fact-through-a-value", "CORE-1000", "goes through a value", ("compile", *OFFLINE, "--fact", "A=1", "--fact", "A.B=2")),
    Case("fact-over-a-map", "CORE-1000", "a map before", ("compile", *OFFLINE, "--fact", "A.B=2", "--fact", "A=1")),
    Case("fact-with-an-empty-step", "CORE-1000", "A..B", ("compile", *OFFLINE, "--fact", "A..B=1")),
    Case("fact-not-yaml", "CORE-1003", "--fact A", ("compile", *OFFLINE, "--fact", "A=[")),
    Case("fact-a-bomb", "CORE-1003", "deeper than", ("compile", *OFFLINE, "--fact", "A=" + "[" * 1000)),
    Case("fact-of-a-thousand-steps", "CORE-1000", "deep", ("compile", *OFFLINE, "--fact", "A." * 2000 + "B=1")),
    Case("fact-adding-to-no-list", "CORE-1004", "no list that could be added to", ("compile", *OFFLINE, "--fact", "Client+=[a]")),
    Case("tag-without-value", "CORE-1000", "KEY=VALUE", ("compile", *OFFLINE, "--tag", "tier")),
    Case("tag-nobody-has", "CORE-2001", "did you mean 'tier'", ("compile", *OFFLINE, "--tag", "teir=1")),
    Case("account-nobody-has", "CORE-2001", "did you mean", ("compile", *OFFLINE, "--account", "workload-01")),
    Case("ou-nobody-has", "CORE-2001", "did you mean", ("compile", *OFFLINE, "--ou", "/workload")),
    Case("ou-empty", "CORE-2001", "empty", ("compile", *OFFLINE, "--ou", "")),
    Case("region-nobody-has", "CORE-2001", "did you mean 'eu-west-1'", ("compile", *OFFLINE, "--region", "eu-wst-1")),
    Case("region-outside", "CORE-2000", "leave none", ("compile", *OFFLINE, "--region", "ap-south-1")),
    Case("exclude-nobody", "CORE-2001", "nobody", ("compile", *OFFLINE, "--exclude-account", "nobody")),
    Case("config-without-value", "CORE-1000", "KEY=VALUE", ("compile", *OFFLINE, "--config", "aws.region")),
    Case("config-unknown", "CORE-1005", "did you mean 'aws.region'", ("compile", *OFFLINE, "--config", "aws.regoin=x")),
    Case("config-not-a-number", "CORE-1005", "limits.concurrency", ("info", "--config", "limits.concurrency=lots")),
    Case("registry-missing", "CORE-1003", "cannot be read", ("compile", "--registry", "none.yaml")),
    Case("registry-a-folder", "CORE-1003", "cannot be read", ("compile", "--registry", ".")),
    Case("registry-twice", "CORE-1004", "more than one", ("compile", "--registry", "registry.yaml", "--registry", "registry.yaml")),
    Case("registry-another-document", "CORE-1004", "unknown key", ("compile", "--registry", "deployspec.yaml")),
    Case("registry-of-another-type", "CORE-1003", "", ("compile", "--registry", "core.toml")),
    Case("package-missing", "CORE-1006", "cannot be read", ("compile", "nowhere", *OFFLINE)),
    Case("package-a-template", "CORE-1006", "no deployspec", ("compile", "templates/hub.yaml", *OFFLINE)),
    Case("package-no-archive", "CORE-1006", "not a zip", ("compile", "core.toml", *OFFLINE)),
    Case("package-a-device", "CORE-1006", "neither a folder nor", ("compile", "/dev/null", *OFFLINE)),
    Case("why-of-nobody", "CORE-2002", "did you mean 'storage'", ("why", "storag", "StackName", *OFFLINE)),
    Case("why-of-no-instance", "CORE-2001", "", ("why", "storage@nobody/eu-west-1", "StackName", *OFFLINE)),
    Case("why-of-half-an-instance", "CORE-2001", "", ("why", "storage@400000000001", "StackName", *OFFLINE)),
    Case("why-of-nothing", "CORE-1004", "declares no parameter", ("why", "storage", "Parameters.Nothing", *OFFLINE)),
    Case("targets-of-nobody", "CORE-2002", "hub, access", ("targets", "resolve", "--action", "zebra", *OFFLINE)),
    Case("schema-without-kind", "CORE-1000", "needs a kind", ("schema", "action")),
    Case("schema-of-an-unknown-kind", "CORE-2005", "did you mean AWS::CreateStack", ("schema", "action", "AWS::CreateStak")),
    Case("schema-with-a-kind-too-many", "CORE-1000", "takes no kind", ("schema", "plan", "AWS::CreateStack")),
    Case("up-in-two-ways", "CORE-1000", "exclude each other", ("up", "--aws", "--endpoint", "http://127.0.0.1:1")),
    Case("up-at-no-address", "CORE-1000", "endpoint", ("up", "--endpoint", "not a url")),
    Case("tolerance-in-words", "CORE-1001", "a percentage", ("deploy", "--tolerance", "some")),
    Case("tolerance-above-all", "CORE-1001", "a percentage", ("plan", "--tolerance", "900%")),
    Case("import-missing", "CORE-1003", "cannot be read", ("registry", "import", "none.yaml")),
    Case("import-without-client", "CORE-1004", "'Client' is missing", ("registry", "import", "accounts.yaml")),
    Case("init-in-a-file", "CORE-1000", "cannot be written", ("init", "accounts.yaml")),
    Case("init-with-a-name-that-is-none", "CORE-1002", "not valid", ("init", "new", "--app", "a: b")),
    Case("runs-of-a-client-that-is-none", "CORE-1002", "not valid", ("runs", "list", "--client", "a b")),
    Case("facts-of-a-prn-that-is-none", "CORE-1002", "not valid", ("facts", "prn:a b")),
    Case("init-where-files-are", "CORE-1000", "core.toml", ("init", ".")),
)  # fmt: skip


@cases(*ARGUMENTS)
def test_command_when_an_argument_is_malformed_then_one_error_and_nothing_else(case: Case) -> None:
    check_expected(refused(*case.given), case)


USAGE = (
    Case("no-such-command", "CORE-1000", "No such command", ("deplyo",)),
    Case("no-such-option", "CORE-1000", "--registery", ("compile", "--registery", "x")),
    Case("argument-too-many", "CORE-1000", "unexpected extra argument", ("compile", "a", "b")),
    Case("argument-missing", "CORE-1000", "Missing argument", ("why", "storage")),
    Case("number-in-words", "CORE-1000", "--concurrency", ("deploy", "--concurrency", "many")),
    Case("number-zero", "CORE-1000", "--concurrency", ("deploy", "--concurrency", "0")),
    Case("number-huge", "CORE-1000", "--concurrency", ("deploy", "--concurrency", "1" * 5000)),
    Case("choice-unknown", "CORE-1000", "wait", ("deploy", "--when-locked", "steal")),
    Case("schema-unknown", "CORE-1000", "deployspec", ("schema", "zebra")),
    Case("limit-negative", "CORE-1000", "--limit", ("runs", "list", "--limit", "-1")),
    Case("port-too-high", "CORE-1000", "--port", ("up", "--port", "70000")),
)  # fmt: skip


@cases(*USAGE)
def test_command_when_it_is_used_wrongly_then_one_error_and_nothing_else(case: Case) -> None:
    error = refused(*case.given, exit_code=2)
    check_expected({"Where": "usage"} | error, case)


def edited(name: str, old: str, new: str) -> Callable[[Path], object]:
    def edit(folder: Path) -> object:
        text = (folder / name).read_text()
        assert old in text
        return (folder / name).write_text(text.replace(old, new, 1))

    return edit


PACKAGES: tuple[Case, ...] = (
    Case("unknown-key", "CORE-1004", "did you mean 'StackName'", edited("deployspec.yaml", "StackName: reg", "StackNam: reg")),
    Case("unknown-kind", "CORE-2005", "did you mean", edited("deployspec.yaml", "AWS::CreateStack", "AWS::CreateStacks")),
    Case("unknown-output", "CORE-2003", "did you mean", edited("deployspec.yaml", "outputs.hub.NetworkId", "outputs.hub.NetwrkId")),
    Case("unknown-parameter", "CORE-2004", "did you mean", edited("deployspec.yaml", "BucketName:", "BuckettName:")),
    Case("ring", "CORE-2002", "wait for each other", edited("deployspec.yaml", "  - Name: hub\n", "  - Name: hub\n    DependsOn: [directory]\n")),
    Case("tab", "CORE-1003", "never with tabs", edited("deployspec.yaml", "Actions:\n", "Actions:\n\t- a\n")),
    Case("template-gone", "CORE-2004", "no file", lambda folder: (folder / "templates/hub.yaml").unlink()),
    Case("template-broken", "CORE-2004", "templates/hub.yaml", edited("templates/hub.yaml", "Resources:", "Resources: [")),
    Case("template-type", "CORE-2004", "cfn-lint", edited("templates/hub.yaml", "AWS::SNS::Topic", "AWS::SNS::Topik")),
    Case("link", "CORE-1006", "is a link", lambda folder: (folder / "x.yaml").symlink_to("/etc/passwd")),
    Case("settings-broken", "CORE-1005", "not TOML", lambda folder: (folder / "core.toml").write_text("client: x")),
    Case("settings-unknown", "CORE-1005", "did you mean 'client'", edited("core.toml", "client", "cilent")),
    Case("unknown-section", "CORE-1005", "zebra", edited("core.toml", "[deployment]", "[deployment]\n[zebra]")),
    Case("accounts-broken", "CORE-1004", "did you mean suspended", edited("accounts.yaml", "suspended", "suspendid")),
    Case("registry-broken", "CORE-1003", "registry.yaml", edited("registry.yaml", "Client: acme", "Client: [acme")),
    Case("zone-gone", "CORE-3001", "zone", edited("registry.yaml", "Zone: home\n    AccountFacts", "Zone: house\n    AccountFacts")),
)  # fmt: skip


@cases(*PACKAGES)
def test_package_when_malformed_then_it_is_not_valid(case: Case, baseline: Path) -> None:
    case.given(baseline)
    check_expected(refused("validate", *OFFLINE), case)


def test_compile_when_it_fails_then_the_folder_for_plans_is_not_made(baseline: Path) -> None:
    (baseline / "templates/hub.yaml").unlink()
    refused("compile", *OFFLINE, "--out", "plans")
    assert not (baseline / "plans").exists()


@pytest.mark.parametrize("out", ["core.toml", "core.toml/plans", "/dev/null/x", "/proc/plans"])
def test_compile_when_plans_cannot_be_written_then_it_says_so(out: str) -> None:
    error = refused("compile", *OFFLINE, "--out", out)
    assert error["Code"] == "CORE-1000"


PROCESSES: tuple[tuple[str, ...], ...] = (
    ("compile", "--registry", "registry.yaml", "--account", "nobody"),
    ("compile", "--registry", "registry.yaml", "--client", "a b"),
    ("compile", "--nonsense"),
    ("nonsense",),
    ("compile", os.fsdecode(b"caf\xe9.zip")),
    ("compile", "--prn", os.fsdecode(b"prn:\xff\xfe")),
    ("compile", "--fact", os.fsdecode(b"A=\xff")),
    ("compile", "--config", os.fsdecode(b"\xff=1")),
    ("compile", "bad.zip"),
    ("validate", "--registry", "\x1b[31mred.yaml"),
    ("why", "a"),
    ("schema", "action", "\u202eAWS"),
)  # fmt: skip


@pytest.mark.parametrize("arguments", PROCESSES, ids=range(len(PROCESSES)))
def test_process_when_its_input_is_malformed_then_one_document_and_an_exit_code(
    arguments: tuple[str, ...], baseline: Path
) -> None:
    (baseline / "bad.zip").write_bytes(archives.zipped("../x"))
    before = files_in(baseline)
    scripted = core(*arguments, "--json")

    document = json.loads(scripted.stdout.decode())
    assert document["ExitCode"] == scripted.returncode
    assert scripted.returncode in (2, 3)
    check_words(document["Error"])
    assert scripted.stderr == b""
    assert files_in(baseline) == before


@pytest.mark.parametrize("arguments", [PROCESSES[0], PROCESSES[2], PROCESSES[9]], ids=["compile", "usage", "terminal"])
def test_process_when_people_asked_then_a_few_lines_on_standard_error(arguments: tuple[str, ...]) -> None:
    done = core(*arguments)
    text = done.stderr.decode()
    assert done.returncode in (2, 3)
    assert done.stdout == b""
    assert text.startswith("Error CORE-")
    assert len(text.splitlines()) <= 4
    assert "\x1b" not in text


def core(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """`core`, as a process of its own, in a locale that can write nothing but ASCII."""
    environment: dict[str, Any] = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "NO_COLOR": "1"}
    root = str(BASELINE.parents[1])
    environment["PYTHONPATH"] = root
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments], env=environment, capture_output=True, timeout=60, check=False
    )
