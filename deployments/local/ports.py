"""Listening sockets, bound by the parent and inherited by the members.

The parent binds, so a taken port is known before anything starts, nobody can take the port between the choice and the start,
and while a member is restarted its callers wait in the queue instead of being refused.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
from pathlib import Path

from core_lib.framework.errors import PortTakenError
from deployments.local.processes import process_name

_LISTEN = "0A"


def listen(name: str, port: int) -> socket.socket:
    """A socket that listens on the loopback interface; port 0 takes any free one.

    Raises PortTakenError, naming the port and, where the system shows it, its holder.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(1024)
    except OSError as problem:
        listener.close()
        raise PortTakenError(
            f"port {port} for {name} cannot be used: {problem.strerror}{_held_by(port)}",
            where=f"127.0.0.1:{port}",
            hint=f"stop what uses it, or choose another port for {name}",
        ) from problem
    return listener


def port_of(listener: socket.socket) -> int:
    """The port a socket listens on."""
    return int(listener.getsockname()[1])


def holder(port: int) -> int | None:
    """The pid of the process that listens on a local TCP port, as far as /proc shows it to this user."""
    inodes = _listening_inodes(port)
    if not inodes:
        return None
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            for descriptor in (entry / "fd").iterdir():
                found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(descriptor))
                if found and found[1] in inodes:
                    return int(entry.name)
    return None


def _held_by(port: int) -> str:
    pid = holder(port)
    return f", held by process {pid} ({process_name(pid)})" if pid else ""


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(fields[9])
    return inodes
