"""A CMDB on an in-process DynamoDB, empty for each test: for rules that need no concurrency."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from core_lib.db import ClientCmdb, Cmdb
from core_lib.framework.settings import load_settings
from tests.builders.memory_dynamo import MemoryTables, memory_cmdb


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


@pytest.fixture(params=["moto", "memory"])
def acme(request: pytest.FixtureRequest) -> ClientCmdb:
    """A client's CMDB, on moto and on the stand-in that the rehearsals of locks and runs use: both must obey the same rules."""
    if request.param == "memory":
        return memory_cmdb(MemoryTables())[0]
    cmdb: Cmdb = request.getfixturevalue("cmdb")
    return cmdb.for_client("acme")
