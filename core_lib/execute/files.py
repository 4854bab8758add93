"""Templates and policies of a plan, read once, and only believed when their content hash is right."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict

from core_lib.execute.ports import Store
from core_lib.framework.errors import ArtefactError
from core_lib.framework.models import FileRef, Plan

LARGEST_CACHE = 64 * 1024 * 1024


class PlanFiles:
    """Files by their path in the package. Safe for threads; keeps the most recently used in memory."""

    def __init__(self, plan: Plan, store: Store) -> None:
        self._plan = plan
        self._store = store
        self._cache: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def read(self, path: str) -> bytes:
        """Content of a file. Raises ArtefactError when it is unknown, missing or not what the plan was made with."""
        file = self._find(path)
        with self._lock:
            if (known := self._cache.get(file.sha256)) is not None:
                self._cache.move_to_end(file.sha256)
                return known
        body = self._store.get(file.key)
        if hashlib.sha256(body).hexdigest() != file.sha256:
            raise ArtefactError(
                f"the stored content of {path} is not what the plan was made with",
                where=file.key,
                hint="compile and upload again",
            )
        self._remember(file.sha256, body)
        return body

    def url(self, path: str) -> str:
        """A URL that CloudFormation can read the file from."""
        return self._store.url(self._find(path).key)

    def sha256(self, path: str) -> str:
        """Content hash of a file, without reading it."""
        return self._find(path).sha256

    def ref(self, path: str) -> FileRef:
        """Where a file lies, and its content hash."""
        return self._find(path)

    def _find(self, path: str) -> FileRef:
        found = self._plan.file_by_path.get(path)
        if found is None:
            raise ArtefactError(f"the plan has no file {path!r}", hint="compile the package again")
        return found

    def _remember(self, sha256: str, body: bytes) -> None:
        with self._lock:
            if sha256 not in self._cache:
                self._cache[sha256] = body
                self._size += len(body)
            while self._size > LARGEST_CACHE and len(self._cache) > 1:
                _, dropped = self._cache.popitem(last=False)
                self._size -= len(dropped)
