"""What every test may ask for: a cloud of its own kind, and fresh accounts in it."""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator

import pytest
from hypothesis import HealthCheck, settings

from deployments.local import EmbeddedCloud
from tests.builders.claims import held_to

# The machines are shared: how long an example takes says nothing.
settings.register_profile("core", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("core")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Tests that claim to run a kind's example, undo or cancel are held to it."""
    with held_to(item.iter_markers()):
        yield


@pytest.fixture(scope="session")
def cloud() -> Iterator[EmbeddedCloud]:
    """The embedded cloud, one for each test process. Tests share it: take a fresh `account_id` instead of resetting it."""
    with EmbeddedCloud() as running:
        yield running


@pytest.fixture
def account_id() -> str:
    """A fresh account: nothing exists in it. Its number is also the access key that acts as its root."""
    return str(random.SystemRandom().randrange(200_000_000_000, 999_999_999_999))


@pytest.fixture
def aws(cloud: EmbeddedCloud, account_id: str, monkeypatch: pytest.MonkeyPatch) -> EmbeddedCloud:
    """The embedded cloud as the SDKs' default endpoint, acting in a fresh account, without faults and counted from zero."""
    for name, value in (cloud.environment | {"AWS_ACCESS_KEY_ID": account_id}).items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    cloud.faults([])
    cloud.reset_calls()
    return cloud
