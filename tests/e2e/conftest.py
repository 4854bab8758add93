"""A client whose CMDB lies in the embedded cloud, and fleets of fresh accounts."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core_lib.db import ClientCmdb, Cmdb
from core_lib.framework.settings import load_settings
from deployments.local import EmbeddedCloud
from tests.e2e.fleet import Fleet

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
