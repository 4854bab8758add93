"""A CMDB on an in-process DynamoDB, empty for each test: for rules that need no concurrency."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from core_lib.db import ClientCmdb, Cmdb
from core_lib.framework.settings import load_settings


@pytest.fixture(scope="session")
def opened() -> Iterator[Cmdb]:
    """One connection for all tests: making a botocore client is the slow part."""
    with Cmdb(load_settings({"aws.region": "eu-west-1"})) as cmdb:
        with pytest.MonkeyPatch.context() as patch, mock_aws():
            patch.delenv("AWS_ENDPOINT_URL", raising=False)
            cmdb.create_tables()
        yield cmdb


@pytest.fixture
def cmdb(opened: Cmdb) -> Iterator[Cmdb]:
    with mock_aws():
        opened.create_tables("acme")
        yield opened


@pytest.fixture
def acme(cmdb: Cmdb) -> ClientCmdb:
    return cmdb.for_client("acme")
