"""Facts of a deployment, gathered from the registry."""

from __future__ import annotations

import pytest

from core_lib.db import AppFact, ClientCmdb, ClientFact, PortfolioFact, ZoneFact, deployment_facts
from core_lib.framework.errors import AmbiguousError, NotFoundError
from core_lib.framework.models import DeploymentDetails
from tests.unit.db.builders import details


@pytest.fixture
def registered(acme: ClientCmdb) -> ClientCmdb:
    acme.registry.put(
        ClientFact(
            client="acme", master_region="eu-west-1", bucket_name="acme-core", client_secret="hush", tags={"Owner": "client"}
        )
    )
    acme.registry.put(PortfolioFact(portfolio="payments", tags={"Owner": "portfolio", "Cost": "9"}))
    acme.registry.put(AppFact(portfolio="payments", app="ledger", zone="prod", region="irl", tags={"Owner": "app"}))
    zone = {
        "Zone": "prod",
        "AccountFacts": {"AwsAccountId": "012345678901", "ResourceNamespace": "pay"},
        "RegionFacts": {"irl": {"AwsRegion": "eu-west-1", "AzCount": 3}, "sin": {"AwsRegion": "ap-southeast-1"}},
        "Tags": {"Zone": "prod"},
    }
    acme.registry.put(ZoneFact.model_validate(zone))
    return acme


def test_facts_when_everything_is_registered_then_all_layers_meet(registered: ClientCmdb) -> None:
    values = registered.facts(details(), {"Extra": True}).values
    expected = {
        "Client": "acme", "Portfolio": "payments", "App": "ledger", "Branch": "main", "BranchShortName": "main", "Build": "7",
        "Environment": "prod", "AwsAccountId": "012345678901", "AwsRegion": "eu-west-1", "AzCount": 3, "Zone": "prod",
        "Region": "irl", "ResourceNamespace": "pay", "Extra": True, "ArtefactsPrefix": "artefacts/payments/ledger/main/7",
        "PackagesPrefix": "packages/payments/ledger/main/7", "AppFilesPrefix": "files/payments/ledger",
        "ArtefactBucketName": "acme-core", "FilesBucketUrl": "https://acme-core.s3.eu-west-1.amazonaws.com",
        "BuildPrn": "prn:payments:ledger:main:7", "Tags": {"Owner": "app", "Cost": "9", "Zone": "prod"},
    }  # fmt: skip
    assert {key: values.get(key) for key in expected} == expected
    assert "RegionFacts" not in values
    assert "AccountFacts" not in values


def test_facts_when_the_client_has_secrets_then_they_are_no_facts(registered: ClientCmdb) -> None:
    values = registered.facts(details()).values
    assert "ClientSecret" not in values
    assert "hush" not in str(values)


def test_facts_when_explained_then_layers_have_names(registered: ClientCmdb) -> None:
    origin = registered.facts(details()).explain("Tags.Owner")[0]
    assert origin.layers == ("app payments:ledger",)
    assert [source.layer for source in origin.hidden] == ["portfolio payments", "client acme"]


def test_facts_when_gathered_twice_then_they_are_the_same(registered: ClientCmdb) -> None:
    assert registered.facts(details()) == registered.facts(details())


def test_facts_when_the_environment_is_given_then_it_beats_the_branch(registered: ClientCmdb) -> None:
    assert registered.facts(details(branch="dev-sin")).values["Environment"] == "dev"
    assert registered.facts(details(environment="test")).values["Environment"] == "test"


def test_facts_when_only_the_branch_names_a_region_then_its_alias_counts(registered: ClientCmdb) -> None:
    app = registered.registry.get(AppFact, "payments", "ledger")
    registered.registry.put(app.but(region=None))
    assert registered.facts(details(branch="dev-sin")).values["AwsRegion"] == "ap-southeast-1"
    assert "AwsRegion" not in registered.facts(details()).values


def test_facts_when_the_deployment_is_a_portfolio_then_no_app_is_needed(registered: ClientCmdb) -> None:
    values = registered.facts(DeploymentDetails(portfolio="payments")).values
    assert values["Scope"] == "portfolio"
    assert "App" not in values


def test_facts_when_no_app_fits_then_the_error_lists_what_was_tried(registered: ClientCmdb) -> None:
    with pytest.raises(NotFoundError, match=r"ledger \(prn:payments:ledger\)"):
        registered.facts(details(app="unknown"))


def test_facts_when_several_apps_fit_then_the_error_lists_them(registered: ClientCmdb) -> None:
    registered.registry.put(AppFact(portfolio="payments", app="rest", prn_pattern="prn:payments:*"))
    with pytest.raises(AmbiguousError, match=r"ledger .*rest \(prn:payments:\*\)"):
        registered.facts(details())


@pytest.mark.parametrize(
    ("fields", "fits"),
    [
        ({}, True),
        ({"prn_pattern": "prn:payments:*:main"}, True),
        ({"prn_pattern": "prn:payments:*:dev"}, False),
        ({"app_regex": "^prn:payments:ledger:[^:]+:[^:]+$"}, True),
        ({"app_regex": "ledger"}, False),
    ],
)
def test_app_when_its_pattern_is_asked_then_it_fits_the_prn_or_not(fields: dict[str, str], fits: bool) -> None:
    assert AppFact(portfolio="payments", app="ledger", **fields).fits(details().prn) is fits


def test_app_when_a_component_is_deployed_then_the_pattern_sees_the_build_only() -> None:
    app = AppFact(portfolio="payments", app="ledger", app_regex="^prn:payments:ledger:main:7$")
    assert app.fits(details(component="db").prn)


@pytest.mark.parametrize(("missing", "name"), [("zone", "prod"), ("portfolio", "payments")])
def test_facts_when_a_record_is_missing_then_the_error_names_it(registered: ClientCmdb, missing: str, name: str) -> None:
    if missing == "zone":
        registered.registry.delete(ZoneFact, name)
    else:
        registered.registry.delete(AppFact, "payments", "ledger")
        registered.registry.delete(PortfolioFact, name)
    with pytest.raises(NotFoundError, match=f"no {missing} named {name}"):
        registered.facts(details())


def test_facts_when_the_region_alias_is_unknown_then_the_error_lists_the_zones_regions(registered: ClientCmdb) -> None:
    app = registered.registry.get(AppFact, "payments", "ledger")
    registered.registry.put(app.but(region="mars"))
    with pytest.raises(NotFoundError, match="irl, sin"):
        registered.facts(details())


def test_deployment_facts_when_the_branch_is_long_then_prefixes_use_its_short_name() -> None:
    values = deployment_facts(details(branch="feature/A-very-long-name-indeed"))
    assert values["Branch"] == "feature/A-very-long-name-indeed"
    assert values["BranchShortName"] == "feature-a-very-long"
    assert values["BranchFilesPrefix"] == "files/payments/ledger/feature-a-very-long"
