"""Malformed requests to a platform that could carry them out: refused before anything is registered, touched or written."""
# ruff: noqa: E501 - one case, one line

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from core_lib.db import Cmdb
from core_lib.framework.settings import load_settings
from deployments.local import EmbeddedCloud
from tests.malformed.case import Case, cases, check_expected, check_words, refusal
from tests.malformed.doors import BASELINE, request
from tests.malformed.test_command_line import edited

READS = {("dynamodb", name) for name in ("GetItem", "Query", "BatchGetItem", "DescribeTable")}
POLLS = {("states", "GetActivityTask")}
"""What the activity worker of a session fixture asks all the time, if one lives in this process; nobody's call here."""
CLIENT = "acme"


@pytest.fixture
def platform(cloud: EmbeddedCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EmbeddedCloud:
    """The example's registry in a CMDB, a copy of the example as working directory, and an account's counters at zero."""
    for name, value in (cloud.environment | {"XDG_CACHE_HOME": str(tmp_path / "cache")}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CORE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("CORE_PREFECT__API_URL", "http://127.0.0.1:9/api")
    monkeypatch.setenv("CORE_ARTEFACTS__LOCATION", str(tmp_path / "artefacts"))
    folder = tmp_path / "baseline"
    shutil.copytree(BASELINE, folder, ignore=shutil.ignore_patterns(".core"))
    monkeypatch.chdir(folder)
    registry = folder / "registry.yaml"
    registry.write_text(registry.read_text() + (folder / "accounts.yaml").read_text())
    result = CliRunner().invoke(app, ["registry", "import", "registry.yaml"])
    assert result.exit_code == 0, result.output
    return cloud


@contextmanager
def nothing_happens(cloud: EmbeddedCloud, folder: Path) -> Iterator[None]:
    """Whatever is done inside, only reads of the CMDB arrive at AWS, no run exists afterwards, and no artefact."""
    cloud.reset_calls()
    yield
    calls = {(count.service, count.operation) for count in cloud.calls()}
    assert calls <= READS | POLLS, calls - READS - POLLS
    with Cmdb(load_settings(start=folder)) as cmdb:
        assert list(cmdb.for_client(CLIENT).runs.list(limit=10).items) == []
    artefacts = folder / "artefacts"
    assert not artefacts.exists() or not [path for path in artefacts.rglob("*") if path.is_file()]


REQUESTS: tuple[Case, ...] = (
    Case("unknown-key", "CORE-1004", "did you mean 'StackName'", edited("deployspec.yaml", "StackName: reg", "StackNam: reg")),
    Case("yaml-bomb", "CORE-1003", "aliases included",
         lambda folder: (folder / "deployspec.yaml").write_text(
             "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
                 f"{name}: &{name} [{','.join([f'*{below}'] * 10)}]\n" for below, name in zip("abcdefgh", "bcdefghi", strict=True)))),
    Case("ring", "CORE-2002", "waits for itself", edited("deployspec.yaml", "[storage, alarms]", "[storage, directory]")),
    Case("unknown-account", "CORE-2001", "did you mean 'network'", edited("deployspec.yaml", "[network]", "[netwrk]")),
    Case("unknown-output", "CORE-2003", "did you mean", edited("deployspec.yaml", "outputs.hub.NetworkId", "outputs.hub.NetwrkId")),
    Case("escape", "CORE-1007", "not allowed", edited("deployspec.yaml", "{{ AutomationAccount }}", "{{ ''.__class__ }}")),
    Case("last-template-broken", "CORE-2004", "directory.yaml", edited("templates/directory.yaml", "Resources:", "Resources: [")),
    Case("link", "CORE-1006", "is a link", lambda folder: (folder / "x.yaml").symlink_to("/etc/passwd")),
    Case("settings", "CORE-1005", "did you mean", edited("core.toml", "region", "regoin")),
)  # fmt: skip


def refused(*arguments: str) -> dict[str, str]:
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code not in (0, 70), result.output
    error: dict[str, str] = json.loads(result.stdout)["Error"]
    check_words(error)
    return error


@cases(*REQUESTS)
def test_run_when_the_package_is_malformed_then_nothing_is_registered_or_touched(
    case: Case, platform: EmbeddedCloud, tmp_path: Path
) -> None:
    spoil: Callable[[Path], object] = case.given
    spoil(tmp_path / "baseline")
    for words in (("deploy", "--yes"), ("teardown", "--yes")):
        with nothing_happens(platform, tmp_path):
            check_expected(refused(*words), case)


OPTIONS = (
    Case("tolerance", "CORE-1001", "a percentage", ("--tolerance", "lots")),
    Case("concurrency", "CORE-1000", "--concurrency", ("--concurrency", "0")),
    Case("prn", "CORE-1002", "not valid", ("--prn", "prn:platform:base line")),
    Case("portfolio", "CORE-3001", "known: platform", ("--prn", "prn:zebra:baseline:main:1")),
    Case("app", "CORE-3001", "tried: baseline", ("--prn", "prn:platform:zebra:main:1")),
    Case("client", "CORE-3001", "no client named nobody", ("--client", "nobody")),
    Case("account", "CORE-2001", "did you mean", ("--account", "workload-01")),
    Case("account-outside", "CORE-2000", "leave none", ("--account", "audit")),
    Case("fact", "CORE-1000", "KEY=VALUE", ("--fact", "Size")),
)  # fmt: skip


@cases(*OPTIONS)
def test_run_when_an_option_is_malformed_then_nothing_is_registered_or_touched(
    case: Case, platform: EmbeddedCloud, tmp_path: Path
) -> None:
    for words in (("plan",), ("apply", "--yes")):
        with nothing_happens(platform, tmp_path):
            check_expected(refused(*words, *case.given), case)


def test_registry_when_a_record_is_malformed_then_none_is_imported(platform: EmbeddedCloud, tmp_path: Path) -> None:
    edited("registry.yaml", "Zone: home\n    AccountFacts", "Zoen: home\n    AccountFacts")(tmp_path / "baseline")
    with nothing_happens(platform, tmp_path):
        assert refused("registry", "import", "registry.yaml")["Code"] == "CORE-1004"


SUBMITTED = (
    Case("climbing", "CORE-1006", "leaves the package", {"inline": {"files": {"deployspec.yaml": "[]", "../x": "y"}}}),
    Case("two-cases-of-a-name", "CORE-1006", "differ only in case", {"inline": {"files": {"a.yaml": "[]", "A.yaml": "y"}}}),
    Case("nothing-in-it", "CORE-1006", "is empty", {"inline": {"files": {}}}),
    Case("nowhere", "CORE-1006", "cannot be read", {"path": "nowhere"}),
    Case("no-path", "CORE-1006", "not a path", {"path": "a\x00b"}),
)


@cases(*SUBMITTED)
def test_submit_when_the_package_is_malformed_then_it_goes_nowhere(case: Case, platform: EmbeddedCloud, tmp_path: Path) -> None:
    from flows import door

    with nothing_happens(platform, tmp_path):
        refusal(lambda: door.submit(request(package=case.given)), case)
