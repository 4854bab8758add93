"""Sync accounts: bring the CMDB's account directory to what AWS Organizations says."""

from __future__ import annotations

import asyncio
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from core_lib.db import SyncResult
from core_lib.db import sync_accounts as sync
from core_lib.runner import new_run_id
from tasks.retries import aws_task, told
from tasks.workshop import Workshop, opened


@flow(name="sync_accounts", flow_run_name="sync accounts of {client}")
@told
async def sync_accounts(client: str) -> State[Any]:
    """Read the organization with the platform's own credentials, and write the accounts that differ into the directory."""
    with opened(client, new_run_id()) as shop:
        result = await walk_organization(shop)
    return Completed(
        message=f"{len(result.added)} added, {len(result.changed)} changed, {len(result.gone)} gone, {result.unchanged} unchanged"
    )


@aws_task("walk organization")
async def walk_organization(shop: Workshop) -> SyncResult:
    """See `core_lib.db.sync_accounts`."""
    return await asyncio.to_thread(sync, shop.sessions.client("organizations"), shop.cmdb.accounts)
