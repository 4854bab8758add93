"""moto's state on disk, so that an organization outlives its process, also after kill -9.

Every account that a request has changed is written as one file of pickled backends, by a thread that never spends more than a
tenth of the time on it: with a few hundred accounts the newest change is on disk within 0.1 s, with ten
thousand within a second or two. That moment is what kill -9 can lose; a clean stop loses nothing. The files are
written and read by this program only, in a folder of the user's own (pickle is not for untrusted files).
"""

from __future__ import annotations

import logging
import pickle
import threading
import time
from pathlib import Path
from typing import Any

from moto import backends
from moto.core.base_backend import BackendDict
from moto.organizations.models import organizations_backends

_LOG = logging.getLogger(__name__)
_SHORTEST_PAUSE = 0.05


class MotoState:
    """The folder `<account>.pickle` and the set of accounts that are newer in memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._changed: set[str] = set()
        self._wake = threading.Event()
        self._volatile: set[str] = set()
        folder.mkdir(parents=True, exist_ok=True)

    def touch(self, account: str) -> None:
        """A request has changed this account."""
        self._changed.add(account)
        self._wake.set()

    def keep_saving(self, lock: threading.RLock) -> None:
        """Save changed accounts for ever; `lock` keeps requests out meanwhile."""
        while True:
            self._wake.wait()
            self._wake.clear()
            started = time.monotonic()
            with lock:
                self.save()
            time.sleep(max(_SHORTEST_PAUSE, 9 * (time.monotonic() - started)))

    def save(self) -> None:
        """Write every changed account (the caller holds the lock)."""
        changed, self._changed = self._changed, set()
        for account in changed:
            content = {"backends": self._pickled(account), "masters": organizations_backends.master_accounts}
            target = self._folder / f"{account or 'none'}.pickle"
            fresh = target.with_suffix(".tmp")
            fresh.write_bytes(pickle.dumps(content, protocol=pickle.HIGHEST_PROTOCOL))
            fresh.replace(target)

    def restore(self) -> None:
        """Read every account that was saved."""
        for file in sorted(self._folder.glob("*.pickle"), key=lambda path: path.stat().st_mtime):
            content: dict[str, Any] = pickle.loads(file.read_bytes())  # noqa: S301  (our own file)
            organizations_backends.master_accounts.update(content["masters"])
            for (service, region), raw in content["backends"].items():
                backend = pickle.loads(raw)  # noqa: S301
                group: Any = backends.get_backend(service)
                group[file.stem][region] = backend

    def clear(self) -> None:
        """Forget everything (after a reset)."""
        self._changed.clear()
        for file in self._folder.glob("*.pickle"):
            file.unlink()

    def _pickled(self, account: str) -> dict[tuple[str, str], bytes]:
        saved: dict[tuple[str, str], bytes] = {}
        groups: list[BackendDict[Any]] = list(BackendDict._instances)  # type: ignore[misc]
        for group in groups:
            if account not in group:
                continue
            for region, backend in group[account].items():
                try:
                    saved[group.service_name, region] = pickle.dumps(backend, protocol=pickle.HIGHEST_PROTOCOL)
                except (pickle.PicklingError, TypeError, AttributeError) as problem:
                    self._warn(group.service_name, problem)
        return saved

    def _warn(self, service: str, problem: Exception) -> None:
        if service not in self._volatile:
            self._volatile.add(service)
            _LOG.warning("the state of %s cannot be kept across a restart: %s", service, problem)
