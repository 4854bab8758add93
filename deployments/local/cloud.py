"""The embedded cloud for tests and short programs: the emulators and their gateway, without a supervisor."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from core_lib.framework.errors import PlatformError, StartError
from deployments.local.health import LOCAL, healthy, last_lines
from deployments.local.members import PROJECT_ROOT, Member, emulators
from deployments.local.ports import listen
from deployments.local.processes import end, spawn

MANAGEMENT_ACCOUNT = "100000000000"
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class CallCount:
    """How often one operation was called in one account and region."""

    service: str
    operation: str
    account: str
    region: str
    count: int


class EmbeddedCloud:
    """An AWS endpoint of one's own on a free port; a context manager that ends everything it has started.

    Without a folder it works in a temporary one and keeps nothing; with `folder` it keeps its state there, so that a second
    cloud on the same folder finds what the first one left. Raises StartError when a member does not become healthy.
    """

    def __init__(self, folder: Path | None = None, *, account: str = MANAGEMENT_ACCOUNT, port: int = 0) -> None:
        self.account = account
        self._kept = folder is not None
        self._folder = folder if folder is not None else Path(tempfile.mkdtemp(prefix="core-cloud-"))
        self._port = port
        self._running: list[tuple[Member, subprocess.Popen[bytes]]] = []
        self._members: list[Member] = []

    @property
    def endpoint(self) -> str:
        """The endpoint URL for every service."""
        return str(self._members[-1].url)

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that make any SDK use this cloud as the management account."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.account,
            "AWS_SECRET_ACCESS_KEY": "embedded",
            "AWS_DEFAULT_REGION": "eu-west-1",
        }

    def pid(self, member: str) -> int:
        """The process of one member: `ministack`, `moto` or `gateway`."""
        return next(child.pid for known, child in self._running if known.name == member)

    def __enter__(self) -> Self:
        listeners = {name: listen(name, 0) for name in ("ministack", "moto")}
        listeners["gateway"] = listen("gateway", self._port)
        self._members = emulators(
            **listeners, account=self.account, state=self._folder / "state" if self._kept else None, environment={}
        )
        try:
            for member in self._members:
                self._start(member)
            self._await_health()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End every process, in reverse order, and remove a temporary folder."""
        for member, child in reversed(self._running):
            end(child, member.stop_signal, member.stop_seconds if self._kept else 0.5)
        self._running.clear()
        for member in self._members:
            if member.listener is not None:
                member.listener.close()
        if not self._kept:
            shutil.rmtree(self._folder, ignore_errors=True)

    def faults(self, rules: Sequence[dict[str, Any]]) -> None:
        """Replace the fault rules (see `deployments.local.gateway.faults`); an empty list ends all faults."""
        self._admin("POST", "faults", list(rules))

    def fault_statistics(self) -> list[dict[str, Any]]:
        """The rules in force with how many calls each has met (`matched`) and how often it has fired (`fired`)."""
        found: list[dict[str, Any]] = self._admin("GET", "faults")
        return found

    def calls(self, service: str | None = None, operation: str | None = None) -> list[CallCount]:
        """How often each operation was called since the last `reset_calls`."""
        counts = (CallCount(**entry) for entry in self._admin("GET", "log?limit=0")["counts"])
        return [
            count
            for count in counts
            if (service is None or count.service == service) and (operation is None or count.operation == operation)
        ]

    def count(self, service: str | None = None, operation: str | None = None) -> int:
        """How many calls there were since the last `reset_calls`."""
        return sum(count.count for count in self.calls(service, operation))

    def log(self, limit: int = 1000) -> list[dict[str, Any]]:
        """The last calls, oldest first: service, operation, account, region, status, fault, duration."""
        found: list[dict[str, Any]] = self._admin("GET", f"log?limit={limit}")["recent"]
        return found

    def reset_calls(self) -> None:
        """Start counting again."""
        self._admin("DELETE", "log")

    def reset(self) -> None:
        """Wipe everything: resources of all accounts, organizations, sessions, faults, counters."""
        self._admin("POST", "reset")

    def add_role(self, account: str, role: str, *, trusts: str | None = None, external_id: str | None = None) -> str:
        """Create an administrator role in an account that trusts another (default: the management account); its ARN."""
        principal = {"AWS": f"arn:aws:iam::{trusts or self.account}:root"}
        statement: dict[str, Any] = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        if external_id is not None:
            statement["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        fields = {"Action": "CreateRole", "Version": "2010-05-08", "RoleName": role, "AssumeRolePolicyDocument": trust}
        scope = f"Credential={account}/20260101/us-east-1/iam/aws4_request"
        headers = {
            "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self._http("POST", "/", urlencode(fields).encode(), headers)
        return f"arn:aws:iam::{account}:role/{role}"

    def _start(self, member: Member) -> None:
        child = spawn(
            member.command(),
            environment=member.environment,
            log=self._log_of(member),
            folder=PROJECT_ROOT,
            sockets=member.descriptors(),
        )
        self._running.append((member, child))

    def _await_health(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not healthy(f"{self.endpoint}/_gateway/health"):
            for member, child in self._running:
                if child.poll() is not None:
                    raise StartError(f"{member.name} ended with {child.returncode}: {last_lines(self._log_of(member))}")
            if time.monotonic() > deadline:
                raise StartError(f"the embedded cloud was not healthy within {_START_SECONDS:.0f} s")
            time.sleep(0.05)

    def _log_of(self, member: Member) -> Path:
        return self._folder / "logs" / f"{member.name}.log"

    def _admin(self, method: str, path: str, document: object = None) -> Any:
        body = None if document is None else json.dumps(document).encode()
        return json.loads(self._http(method, f"/_gateway/{path}", body, {"Content-Type": "application/json"}))

    def _http(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        request = urllib.request.Request(self.endpoint + path, data=body, method=method, headers=headers)  # noqa: S310
        try:
            with LOCAL.open(request, timeout=30) as answer:
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise PlatformError(f"the gateway refused {method} {path}: {refusal.read().decode()}") from refusal
