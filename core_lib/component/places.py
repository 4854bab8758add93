"""Where files are: facts that follow from the artefact store, for whoever gives no others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core_lib.db import FactOrigin, Facts

LAYER = "artefact store"
_PREFIXES = ("SharedFilesPrefix", "PortfolioFilesPrefix", "AppFilesPrefix", "BranchFilesPrefix", "BuildFilesPrefix")


def with_store(facts: Facts, location: str, region: str, account: str) -> Facts:
    """The facts with the places of files in the artefact store; those that somebody gave win.

    Args:
        facts: the merged facts of a deployment.
        location: where the store is; only one on S3 can be read by stacks and instances.
        region: of its bucket.
        account: that owns it.
    """
    if not location.startswith("s3://"):
        return facts
    bucket, _, folder = location.removeprefix("s3://").partition("/")
    values = facts.values
    ours = values.get("FilesBucketName", bucket) == bucket
    added: dict[str, Any] = {"ArtefactsBucketName": bucket}
    if ours:
        added |= {
            "FilesBucketName": bucket,
            "FilesBucketRegion": region,
            "FilesBucketAccount": account,
            "FilesBucketUrl": f"https://{bucket}.s3.{region}.amazonaws.com",
            "SharedFilesPrefix": "files/shared",
        }
    known = {**added, **values}
    if ours and folder:
        known |= {name: f"{folder.strip('/')}/{known[name]}" for name in _PREFIXES if name in known}
    return _with(facts, known)


def _with(facts: Facts, values: Mapping[str, Any]) -> Facts:
    changed = {name: value for name, value in values.items() if facts.values.get(name) != value}
    origins: dict[tuple[str, ...], FactOrigin] = {(name,): FactOrigin(name, value, (LAYER,)) for name, value in changed.items()}
    return replace(facts, values=dict(values), origins={**facts.origins, **origins})
