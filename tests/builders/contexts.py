"""Contexts for tests of single action kinds: parameters as users write them, clients by service, a memory of the run."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from core_lib.execute import Action, ActionContext, find_kind
from core_lib.execute.parameters import build_params
from core_lib.execute.stacks.view import StackView
from core_lib.framework.models import ActionState, FileRef, Target
from core_lib.framework.settings import Settings
from tests.builders.memory_cmdb import MemoryApprovals, MemoryStacks

ACCOUNT = "111111111111"
REGION = "eu-west-1"


class MemoryOfRun:
    """`ActionContext.run` in memory: what was kept and told stays here to be looked at."""

    def __init__(self, states: Mapping[str, ActionState] | None = None) -> None:
        self.rows_by_id = dict(states or {})
        self.events: list[dict[str, Any]] = []
        self.artefacts: dict[str, bytes] = {}
        self.client_name = "acme"
        self.prn = "prn:web:shop:main:7"
        self.requested_by: str | None = "ann"
        self.approvals = MemoryApprovals()

    def states(self, target: str | None = None) -> Mapping[str, ActionState]:
        return {key: row for key, row in self.rows_by_id.items() if target is None or key.endswith(f"@{target}")}

    def rows(self, action_ids: Iterable[str]) -> Mapping[str, ActionState]:
        return {key: self.rows_by_id[key] for key in action_ids if key in self.rows_by_id}

    def append_event(self, *, status: str, key: str, at: datetime | None = None, **fields: Any) -> None:
        event = {"status": status, "key": key, "at": at, **fields}
        if event not in self.events:
            self.events.append(event)

    def keep(self, name: str, body: bytes, *, first: bool = False) -> str:
        if not first or f"runs/run-1/{name}" not in self.artefacts:
            self.artefacts[f"runs/run-1/{name}"] = body
        return f"runs/run-1/{name}"

    def kept(self, name: str) -> bytes | None:
        return self.artefacts.get(f"runs/run-1/{name}")

    def fetch(self, key: str) -> bytes:
        return self.artefacts[key]

    def url(self, key: str) -> str:
        return f"https://bucket/{key}"


def context_of(
    kind: str | type[Action[Any]],
    clients: Mapping[str, Any] | None = None,
    *,
    scratch: Mapping[str, Any] | None = None,
    attempt: int = 1,
    force: bool = False,
    run: MemoryOfRun | None = None,
    files: Mapping[str, bytes] | None = None,
    settings: Settings | None = None,
    **params: Any,
) -> ActionContext[Any]:
    """A context for one action. `clients`: by service, or by `service@account`, `service@region`, `service@account/region`."""
    found = find_kind(kind) if isinstance(kind, str) else kind
    known = dict(clients or {})

    def client(service: str, *, region: str | None = None, account: str | None = None) -> Any:
        for key in (f"{service}@{account}/{region}", f"{service}@{account}", f"{service}@{region}", service):
            if key in known:
                return known[key]
        raise AssertionError(f"nobody should need a client for {service} in {account or ACCOUNT}/{region or REGION}")

    content = dict(files or {})
    return ActionContext(
        params=build_params(found, params), target=Target(account=ACCOUNT, region=REGION), run_id="run-1",
        action_id=f"it@{ACCOUNT}/{REGION}", attempt=attempt, scratch=dict(scratch or {}), client=client,
        files=content.__getitem__, file_url=lambda path: f"https://bucket/{path}", file_sha256=lambda path: "0" * 64,
        file_ref=lambda path: FileRef(path=path, key=path, sha256="0" * 64, size=len(content[path])),
        stacks=StackView(f"{ACCOUNT}/{REGION}", lambda: client("cloudformation"), MemoryStacks()), run=run or MemoryOfRun(),
        log=logging.getLogger("test"), settings=settings or Settings.model_construct(), force=force,
    )  # fmt: skip
