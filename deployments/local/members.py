"""What a stack consists of: the members, what each needs first, how its health shows and how it is stopped."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deployments.local.ports import port_of

PROJECT_ROOT = Path(__file__).resolve().parents[2]
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER", "SSL_CERT_FILE", "LOG_LEVEL", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Member:
    """One process of the stack.

    `{fd}` in `argv` becomes the number of the inherited listening socket. `health` is a path that answers 200 when the
    member is ready; a member without one writes its pid into `ready_file` instead.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    listener: socket.socket | None = None
    health: str | None = None
    stop_signal: int = signal.SIGTERM
    stop_seconds: float = 8.0
    ready_file: Path | None = None
    folder: Path = PROJECT_ROOT

    @property
    def port(self) -> int | None:
        """The port it listens on."""
        return port_of(self.listener) if self.listener else None

    @property
    def url(self) -> str | None:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}" if self.port else None

    def command(self) -> list[str]:
        """The command line with the socket's number filled in."""
        return [part.replace("{fd}", "".join(map(str, self.descriptors()))) for part in self.argv]

    def descriptors(self) -> tuple[int, ...]:
        """The file descriptors it inherits."""
        return (self.listener.fileno(),) if self.listener else ()


SECRET_KEY = "embedded"  # noqa: S105 - what every client of the embedded cloud signs with; presigned addresses are checked
"""The secret key of every account number, which MiniStack must know to check presigned addresses."""


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """A small environment for emulators: nothing of the user's AWS or Prefect settings leaks in."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {"PYTHONPATH": str(PROJECT_ROOT), "PYTHONUNBUFFERED": "1"} | dict(extra)


def emulators(
    *,
    gateway: socket.socket,
    ministack: socket.socket,
    moto: socket.socket,
    account: str,
    state: Path | None,
    environment: Mapping[str, str],
) -> list[Member]:
    """MiniStack, moto and the gateway in front of them; without a `state` folder they keep nothing."""

    def run(module: str, *arguments: str) -> tuple[str, ...]:
        return (sys.executable, "-m", f"deployments.local.{module}", "--fd", "{fd}", *arguments)

    def kept(name: str) -> tuple[str, ...]:
        return ("--state", str(state / name)) if state else ()

    settings = clean_environment(environment)
    first = Member(
        "ministack",
        run("emulators.ministack_server", "--public-port", str(port_of(gateway)), "--account", account, *kept("ministack")),
        settings | {"AWS_SECRET_ACCESS_KEY": SECRET_KEY},
        listener=ministack,
        health="/_ministack/health",
    )
    second = Member("moto", run("emulators.moto_server", *kept("moto")), settings, listener=moto, health="/_core/health")
    sessions = ("--sessions", str(state / "sessions.jsonl")) if state else ()
    third = Member(
        "gateway",
        run("gateway", "--ministack", str(first.url), "--moto", str(second.url), "--account", account, *sessions),
        settings,
        listener=gateway,
        health="/_gateway/health",
        stop_seconds=4.0,
    )
    return [first, second, third]
