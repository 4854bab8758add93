"""A client whose CMDB lies in the embedded cloud, and fleets of fresh accounts."""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core_lib.db import ClientCmdb, Cmdb
from core_lib.framework.settings import load_settings
from deployments.local import EmbeddedCloud, Ports, UpOptions, down, environment, up
from deployments.local.members import PROJECT_ROOT
from tests.e2e.fleet import Fleet
from tests.e2e.outside import OutsideCloud
from tests.e2e.site import QUICK, Site, slow_looks
from tests.integration.flows import world

MakeFleet = Callable[[int], Fleet]


@pytest.fixture(scope="session")
def table_prefix(cloud: EmbeddedCloud) -> str:
    """Names of the tables of all end-to-end tests of this process."""
    return f"e{uuid.uuid4().hex[:8]}-"


@pytest.fixture(scope="session")
def platform_account() -> str:
    """The account that the CMDB of these tests lies in."""
    return str(random.SystemRandom().randrange(200_000_000_000, 999_999_999_999))


@pytest.fixture
def acme(
    cloud: EmbeddedCloud, table_prefix: str, platform_account: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ClientCmdb]:
    """The CMDB of a client; this process and its children find it in their environment. Quick heartbeats."""
    for name, value in cloud.environment.items() | {
        ("AWS_ACCESS_KEY_ID", platform_account),
        ("CORE_CMDB__TABLE_PREFIX", table_prefix),
        ("CORE_CMDB__HEARTBEAT_SECONDS", "0.5"),
        ("CORE_CMDB__LOCK_LEASE_SECONDS", "20"),
        ("CORE_STATE_DIR", str(tmp_path / "no-platform")),
        ("CORE_ARTEFACTS__LOCATION", str(tmp_path / "artefacts")),
        ("CORE_POLLING__INITIAL_SECONDS", "0.05"),
        ("CORE_POLLING__LONGEST_SECONDS", "0.3"),
        ("CORE_LIMITS__PACING", "false"),
        ("CORE_LOG__LEVEL", "WARNING"),
    }:
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with Cmdb(load_settings()) as opened:
        opened.create_tables("acme")
        yield opened.for_client("acme")


@pytest.fixture
def make_fleet(cloud: EmbeddedCloud, acme: ClientCmdb, tmp_path: Path) -> MakeFleet:
    """Makes a fleet of so many fresh accounts. Calls are counted from then on."""

    def make(accounts: int) -> Fleet:
        fleet = Fleet.made(cloud, acme, tmp_path / "artefacts", accounts)
        cloud.faults([])
        cloud.reset_calls()
        return fleet

    return make


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A whole platform on ports of its own; this process's environment leads to it."""
    folder = tmp_path_factory.mktemp("platform")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "CORE_", "PREFECT_"))]:
            patch.delenv(name)
        for name, value in (
            QUICK | {"XDG_CACHE_HOME": str(folder / "cache"), "CORE_ARTEFACTS__LOCATION": str(folder / "artefacts")}
        ).items():
            patch.setenv(name, value)
        up(UpOptions(state_dir=folder / "state", ports=Ports(gateway=0, prefect=0), project=PROJECT_ROOT))
        try:
            for name, value in environment(folder / "state").items():
                patch.setenv(name, value)
            yield folder / "state"
        finally:
            down(folder / "state")


@pytest.fixture
def site(platform: Path, tmp_path: Path) -> Iterator[Site]:
    cloud = OutsideCloud(os.environ["AWS_ENDPOINT_URL"])
    fleet = Fleet.made(cloud, None, tmp_path, 3)  # type: ignore[arg-type]
    with world.registered(fleet.accounts) as cmdb:
        made = Site(platform, cmdb, replace(fleet, cmdb=cmdb), tmp_path)
        made.write_package()
        cloud.reset_calls()
        cloud.faults(slow_looks(0.7))
        yield made
        cloud.faults([])
