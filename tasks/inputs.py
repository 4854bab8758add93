"""What a compile needs: the package, the merged facts, the accounts of the organization."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core_lib.db import Facts
from core_lib.framework.errors import PackageError
from core_lib.framework.models import Account, Plan, TaskPayload
from core_lib.framework.package import Package
from core_lib.framework.package_sources import open_package, read_archive
from core_lib.helper import ArtefactStore
from core_lib.runner import operation_of
from tasks.retries import aws_task
from tasks.workshop import Workshop


def load_package(payload: TaskPayload, store: ArtefactStore) -> Package:
    """The package of a payload: inline, from a path on this machine, or from the artefact store.

    Raises:
        PackageError: none is given, or it cannot be taken.
        ArtefactError: it is not in the store.
    """
    package = payload.package
    if package.inline is not None:
        return Package.from_files(package.inline.files)
    if package.path is not None:
        return open_package(Path(package.path))
    if package.key is not None:
        return read_archive(store.get(package.key), package.key)
    raise PackageError("the payload names no package", where="Package", hint="give one of Key (artefact store), Path or Inline")


def package_key(payload: TaskPayload, package: Package) -> str:
    """Where a package lies in the store: under its deployment, named by its content."""
    return f"{payload.deployment_details.key_prefix('packages')}/{package.sha256}.zip"


@aws_task("load plan")
async def load_operation(shop: Workshop, payload: TaskPayload) -> Plan:
    """The plan of an operation, see `core_lib.runner.operation_of`."""
    return await asyncio.to_thread(operation_of, payload, shop.store)


@aws_task("read package")
async def read_package(shop: Workshop, payload: TaskPayload) -> Package:
    """See `load_package`."""
    return await asyncio.to_thread(load_package, payload, shop.store)


@aws_task("store package")
async def store_package(shop: Workshop, payload: TaskPayload, package: Package) -> str:
    """Put a package into the artefact store; its key."""
    key = package_key(payload, package)
    await asyncio.to_thread(shop.store.put, key, package.to_zip(), content_type="application/zip")
    return key


@aws_task("merge facts")
async def gather_facts(shop: Workshop, payload: TaskPayload) -> Facts:
    """Facts of the deployment, merged from all layers of the registry and the payload."""
    return await asyncio.to_thread(shop.cmdb.facts, payload.deployment_details, payload.facts)


@aws_task("list accounts")
async def list_accounts(shop: Workshop) -> tuple[Account, ...]:
    """Every account of the client's organization, from the CMDB's directory."""
    return await asyncio.to_thread(lambda: tuple(shop.cmdb.accounts.all()))
