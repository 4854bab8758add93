"""A CMDB on an in-process DynamoDB: for rules that need no concurrency."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from core_lib.db import ClientCmdb, Cmdb
from core_lib.framework.settings import Settings, load_settings


@pytest.fixture(scope="session")
def settings() -> Settings:
    return load_settings({"aws.region": "eu-west-1"})


@pytest.fixture
def cmdb(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cmdb]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws(), Cmdb(settings) as opened:
        opened.create_tables("acme")
        yield opened


@pytest.fixture
def acme(cmdb: Cmdb) -> ClientCmdb:
    return cmdb.for_client("acme")
