"""Registry, facts and accounts on real tables: what is imported comes back, and can be compiled with."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from cli.main import app
from deployments.local import EmbeddedCloud

BASELINE = Path(__file__).parents[3] / "examples" / "baseline"
ACCOUNTS = str(BASELINE / "accounts.yaml")
REGISTRY = str(BASELINE / "registry.yaml")


@pytest.fixture(autouse=True)
def surroundings(aws: EmbeddedCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded cloud, tables of our own, and no state folder."""
    for name in [name for name in os.environ if name.startswith("CORE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CORE_STATE_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("CORE_CMDB__TABLE_PREFIX", f"t{uuid.uuid4().hex[:8]}-")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(BASELINE)


def core(*arguments: str) -> tuple[int, Any]:
    """Exit code and JSON document of a command."""
    result = CliRunner().invoke(app, [*arguments, "--json"])
    return result.exit_code, json.loads(result.stdout)


def test_import_twice_changes_nothing_the_second_time() -> None:
    first = core("registry", "import", REGISTRY, ACCOUNTS)
    second = core("registry", "import", REGISTRY, ACCOUNTS)

    assert first[0] == second[0] == 0
    assert first[1]["Changed"] == ["client acme", "portfolio platform", "zone home", "app baseline"]
    assert second[1]["Changed"] == []


def test_export_gives_a_file_that_compiles_like_the_registry(tmp_path: Path) -> None:
    core("registry", "import", REGISTRY, ACCOUNTS)
    exported = tmp_path / "exported.yaml"

    assert core("registry", "export", "--out", str(exported))[0] == 0

    _, online = core("compile")
    _, offline = core("compile", "--registry", str(exported))
    assert online["Plans"] == offline["Plans"]
    assert online["Plans"][0]["Actions"] == 26


def test_list_shows_each_part() -> None:
    core("registry", "import", REGISTRY, ACCOUNTS)

    assert [account["Name"] for account in core("registry", "list", "accounts")[1]["Accounts"]][:2] == ["management", "audit"]
    assert [app["App"] for app in core("registry", "list", "apps")[1]["Apps"]] == ["baseline"]
    assert [zone["Zone"] for zone in core("registry", "list", "zones")[1]["Zones"]] == ["home"]
    assert [entry["Portfolio"] for entry in core("registry", "list", "portfolios")[1]["Portfolios"]] == ["platform"]


def test_facts_explain_names_layer_and_what_it_hides() -> None:
    core("registry", "import", REGISTRY)

    _, rows = core("facts", "--environment", "test", "--explain", "--key", "Environment")

    assert rows[0]["Value"] == "test"
    assert rows[0]["From"] == ["deployment"]
    assert {"From": "account of zone home", "Value": "prod"} in rows[0]["Hides"]


def test_facts_of_an_app_that_nobody_registered_end_with_the_registry_code() -> None:
    core("registry", "import", REGISTRY)

    code, document = core("facts", "prn:platform:nope:main:1")

    assert (code, document["Error"]["Code"]) == (7, "CORE-3001")


def test_command_before_anything_is_registered_says_what_to_do() -> None:
    code, document = core("runs", "list")

    assert code == 7
    assert "register the client first" in document["Error"]["Hint"]


def test_runs_of_a_new_client_are_an_empty_list_and_last_is_not_found() -> None:
    core("registry", "import", REGISTRY)

    assert core("runs", "list") == (0, {"Runs": [], "Cursor": None})
    assert core("runs", "show", "last")[0] == 7


def test_import_for_another_client_is_refused() -> None:
    code, document = core("registry", "import", REGISTRY, "--client", "globex")

    assert (code, document["Error"]["Code"]) == (2, "CORE-1005")


def test_sync_reads_the_organization(cloud: EmbeddedCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", cloud.account)
    organizations = boto3.client("organizations", region_name="us-east-1", endpoint_url=cloud.endpoint)
    with contextlib.suppress(organizations.exceptions.AlreadyInOrganizationException):
        organizations.create_organization(FeatureSet="ALL")
    core("registry", "import", REGISTRY)

    code, document = core("registry", "sync")

    assert code == 0
    assert document["Unchanged"] == 0
    assert core("registry", "sync")[1] == {
        "Added": [], "Changed": [], "Gone": [], "Unchanged": len(document["Added"]),
    }  # fmt: skip


def test_client_when_none_is_set_is_the_only_registered_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    core("registry", "import", REGISTRY)
    monkeypatch.chdir(tmp_path)
    assert core("runs", "list")[0] == 0

    other = tmp_path / "other.yaml"
    other.write_text("Client: {Client: globex}\n")
    core("registry", "import", str(other))

    code, document = core("runs", "list")
    assert code == 2
    assert document["Error"]["Message"] == "no client is set; registered: acme, globex"
