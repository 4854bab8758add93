"""A CMDB on the embedded cloud, whose DynamoDB keeps its promises under concurrency."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from core_lib.db import ClientCmdb, Cmdb
from core_lib.framework.settings import load_settings
from deployments.local import EmbeddedCloud


@pytest.fixture
def cmdb(aws: EmbeddedCloud) -> Iterator[Cmdb]:
    chosen = {"aws.region": "eu-west-1", "aws.max_attempts": 3, "cmdb.table_prefix": f"t{uuid.uuid4().hex[:8]}-"}
    with Cmdb(load_settings(chosen)) as opened:
        yield opened


@pytest.fixture
def acme(cmdb: Cmdb) -> ClientCmdb:
    cmdb.create_tables("acme")
    return cmdb.for_client("acme")
