"""Gathering the layers of facts for one deployment from the registry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, TypeVar

from core_lib.db.fact_models import AppFact, ClientFact, Fact, PortfolioFact, plain
from core_lib.db.facts import Facts, merge_layers
from core_lib.db.zone_facts import ZoneFact
from core_lib.framework.errors import AmbiguousError, NotFoundError
from core_lib.framework.models import LEVELS, DeploymentDetails, Level, Prn

_PRODUCTION_BRANCHES = ("main", "master")
_SHOWN = 20

F = TypeVar("F", bound=Fact)


class RecordSource(Protocol):
    """Where registry records are looked up: the CMDB's registry, or a registry file."""

    def get(self, kind: type[F], *names: str) -> F:
        """One record; NotFoundError when there is none."""

    def all(self, kind: type[F], *parents: str) -> Iterator[F]:
        """Every record of a kind."""


def gather_facts(registry: RecordSource, details: DeploymentDetails, overrides: Mapping[str, Any] | None = None) -> Facts:
    """The merged facts of a deployment.

    Raises:
        NotFoundError: the client, portfolio, zone or region alias is not registered, or no app fits the deployment.
        AmbiguousError: more than one app fits; lists them.
    """
    client = registry.get(ClientFact)
    portfolio = registry.get(PortfolioFact, details.portfolio)
    app = find_app(registry, details.prn)
    zone = registry.get(ZoneFact, app.zone) if app and app.zone else None
    layers: list[tuple[str, Mapping[str, Any]]] = [
        ("default", _defaults(client, details)),
        (f"client {client.client}", client.facts()),
    ]
    if zone:
        layers.append((f"zone {zone.zone}", zone.facts()))
        layers.append((f"account of zone {zone.zone}", plain(zone.account_facts)))
        layers += _region_layer(zone, app, details)
    layers.append((f"portfolio {portfolio.portfolio}", portfolio.facts()))
    if app:
        layers.append((f"app {app.portfolio}:{app.app}", app.facts()))
    layers += [("deployment", deployment_facts(details)), ("payload", overrides or {})]
    return merge_layers(layers)


def find_app(registry: RecordSource, prn: Prn) -> AppFact | None:
    """The one app of the portfolio whose pattern fits; None for a deployment of a whole portfolio.

    Raises:
        NotFoundError: no app fits; lists those that were tried.
        AmbiguousError: several fit.
    """
    if prn.app is None:
        return None
    apps = list(registry.all(AppFact, prn.portfolio))
    fitting = [app for app in apps if app.fits(prn)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise AmbiguousError(
            f"more than one app fits: {_patterns(fitting)}", where=str(prn), hint="make their patterns exclude each other"
        )
    tried = f"tried: {_patterns(apps)}" if apps else f"portfolio {prn.portfolio} has no apps yet"
    raise NotFoundError("no registered app fits this deployment", where=str(prn), hint=tried)


def _patterns(apps: list[AppFact]) -> str:
    shown = ", ".join(f"{app.app} ({app.pattern})" for app in apps[:_SHOWN])
    return shown + (" ..." if len(apps) > _SHOWN else "")


def _region_layer(zone: ZoneFact, app: AppFact | None, details: DeploymentDetails) -> list[tuple[str, dict[str, Any]]]:
    """The region facts: of the app's alias, else of the alias in the branch name (`dev-sin`), else of the only region."""
    aliases = zone.region_facts
    alias = app.region if app else None
    if alias is None:
        parts = (details.branch_short or "").split("-")[1:]
        alias = next((part for part in parts if part in aliases), None) or (next(iter(aliases)) if len(aliases) == 1 else None)
    if alias is None:
        return []
    if alias not in aliases:
        known = ", ".join(sorted(aliases)) or "none"
        owner = f"app {app.portfolio}:{app.app}" if app else str(details.prn)
        raise NotFoundError(f"zone {zone.zone} has no region {alias}", where=owner, hint=f"its regions: {known}")
    return [(f"region {alias} of zone {zone.zone}", {"Region": alias} | plain(aliases[alias]))]


def _defaults(client: ClientFact, details: DeploymentDetails) -> dict[str, Any]:
    """What follows from other facts when nobody says otherwise."""
    values: dict[str, Any] = {"SharedFilesPrefix": "files/shared"}
    region = client.bucket_region or client.client_region or client.master_region
    for area, bucket in (("Artefact", client.artefact_bucket_name or client.bucket_name), ("Files", client.bucket_name)):
        if bucket:
            values[f"{area}BucketName"] = bucket
            values |= _address(area, bucket, region) if region else {}
    if details.branch_short:
        values["Environment"] = _environment(details.branch_short)
    return values


def _address(area: str, bucket: str, region: str) -> dict[str, str]:
    return {f"{area}BucketRegion": region, f"{area}BucketUrl": f"https://{bucket}.s3.{region}.amazonaws.com"}


def _environment(branch: str) -> str:
    """The environment that a branch is for by convention: main and master are prod, `dev-sin` is dev."""
    return "prod" if branch in _PRODUCTION_BRANCHES else branch.split("-")[0]


def deployment_facts(details: DeploymentDetails) -> dict[str, Any]:
    """Facts that the deployment itself says: names, PRNs, and prefixes of artefact keys as deep as it goes."""
    prn = details.prn
    values: dict[str, Any] = {
        "Portfolio": details.portfolio, "App": details.app, "Branch": details.branch, "BranchShortName": details.branch_short,
        "Build": details.build, "Component": details.component, "Environment": details.environment,
        "Scope": details.effective_scope.value, "Prn": str(prn), "Tags": details.tags or None,
        "PackagesPrefix": details.key_prefix("packages"), "FilesPrefix": details.key_prefix("files"),
        "ArtefactsPrefix": details.key_prefix("artefacts"),
    }  # fmt: skip
    for level, ancestor in zip(LEVELS, prn.ancestors(), strict=False):
        values[f"{level.value.capitalize()}Prn"] = str(ancestor)
        if level is not Level.COMPONENT:
            values[f"{level.value.capitalize()}FilesPrefix"] = details.but(scope=level).key_prefix("files")
    if details.build:
        values["ArtefactKeyBuildPrefix"] = details.but(scope=Level.BUILD).key_prefix("artefacts")
    return {key: value for key, value in values.items() if value is not None}
