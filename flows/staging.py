"""Staging: a package that lies on this machine, or inside the request, goes into the artefact store before a worker gets it."""

from __future__ import annotations

from contextlib import closing

from core_lib.framework.models import PackageDetails, TaskPayload
from core_lib.framework.settings import Settings
from core_lib.helper import AwsSessions, open_store
from tasks.inputs import load_package, package_key


def staged(payload: TaskPayload, settings: Settings) -> TaskPayload:
    """The payload with its package in the artefact store, named by content; unchanged when it is there already.

    Raises:
        PackageError, ArtefactError: it cannot be read or stored.
    """
    if payload.package.path is None and payload.package.inline is None:
        return payload
    with closing(AwsSessions(settings, correlation_id=payload.correlation_id)) as sessions:
        store = open_store(settings, sessions)
        package = load_package(payload, store)
        key = package_key(payload, package)
        if not store.exists(key):
            store.put(key, package.to_zip(), content_type="application/zip")
    return payload.but(package=PackageDetails(key=key))
