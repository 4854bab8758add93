"""Processes are known for good, and end when they should."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from core_lib.framework.errors import PlatformError, PortTakenError
from deployments.local.ports import holder, listen, port_of
from deployments.local.processes import STACK_VARIABLE, ProcessId, end, members_of, process_id, spawn
from deployments.local.state import StateFolder

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
DEAF = [sys.executable, "-c", "import signal,time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"]


def started(argv: list[str], folder: Path, **environment: str) -> subprocess.Popen[bytes]:
    child = spawn(argv, environment={**os.environ, **environment}, log=folder / "log", folder=folder)
    while "up" not in (folder / "log").read_text():
        assert child.poll() is None
    return child


def test_process_when_the_pid_belongs_to_another_start_then_it_is_not_alive_and_not_signalled(tmp_path: Path) -> None:
    child = started(SLEEP, tmp_path)
    known = process_id(child.pid)
    assert known is not None
    stranger = ProcessId(known.pid, known.started + 1)
    stranger.send(signal.SIGKILL)
    assert (known.alive(), stranger.alive(), child.poll()) == (True, False, None)
    end(child, signal.SIGKILL, 5)
    assert not known.alive()


def test_end_when_the_child_ignores_the_signal_then_it_is_killed(tmp_path: Path) -> None:
    assert end(started(DEAF, tmp_path), signal.SIGTERM, 0.2) == -signal.SIGKILL


def test_end_when_the_child_obeys_then_the_signal_is_its_exit(tmp_path: Path) -> None:
    assert end(started(SLEEP, tmp_path), signal.SIGTERM, 10) == -signal.SIGTERM


def test_members_when_they_carry_the_mark_then_they_and_their_children_are_found(tmp_path: Path) -> None:
    nested = [sys.executable, "-c", f"import subprocess; print('up', flush=True); subprocess.run({SLEEP!r})"]
    child = started(nested, tmp_path, **{STACK_VARIABLE: "mark-of-this-test"})
    while len(found := members_of("mark-of-this-test")) < 2:
        assert child.poll() is None
    assert child.pid in {process.pid for process in found}
    end(child, signal.SIGKILL, 5)
    assert members_of("another-mark") == []


def test_listen_when_the_port_is_taken_then_port_and_holder_are_named() -> None:
    with listen("first", 0) as taken:
        port = port_of(taken)
        assert holder(port) == os.getpid()
        with pytest.raises(PortTakenError, match=rf"port {port} for second .* held by process {os.getpid()}"):
            listen("second", port)


def test_listen_when_the_port_is_zero_then_a_free_one_on_loopback_is_taken() -> None:
    with listen("any", 0) as listener, socket.create_connection(("127.0.0.1", port_of(listener))):
        assert listener.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize("content", ["", "{", '{"launch": 1}', "[]", "\x00"], ids=["empty", "torn", "foreign", "list", "zero"])
def test_record_when_it_is_not_readable_then_there_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "state.json").write_text(content)
    assert StateFolder(tmp_path).read() is None


def test_folder_when_locked_then_a_second_supervisor_is_refused(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    with folder.lock(), pytest.raises(PlatformError, match="another supervisor"):
        folder.lock()
    folder.lock().close()


def test_secret_when_asked_for_twice_then_it_is_the_same_and_private(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    assert folder.secret("word") == folder.secret("word")
    assert (tmp_path / "word").stat().st_mode & 0o777 == 0o600
