"""The session of one render: its budget, and the files that it may read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from core_lib.framework.errors import RenderError
from core_lib.renderer.limits import LIMITS

ReadFile = Callable[[str], str]
"""Gives the text of a file of the package; raises CoreError when there is none."""


class Session:
    """Counts what a render uses; every counter raises RenderError when its limit is passed.

    Time is the thread's own processor time, so that a busy or suspended machine never fails an honest render.
    """

    __slots__ = ("_deadline", "_steps", "_volume", "files", "includes", "line")

    def __init__(self, files: ReadFile | None = None, includes: ReadFile | None = None) -> None:
        self.files = files
        self.includes = includes
        self.line: int | None = None
        """Of a template of a whole file: the line where the literal text stands that comes next."""
        self._steps = 0
        self._volume = 0
        self._deadline = time.thread_time() + LIMITS.seconds

    def step(self) -> None:
        """One more loop round or call."""
        self._steps += 1
        if self._steps > LIMITS.steps:
            raise RenderError(f"more than {LIMITS.steps} loop rounds and calls")
        if self._steps & 63 == 0:
            self.check_time()

    def check_time(self) -> None:
        """Whether there is time left; asked before anything that may take long by itself."""
        if time.thread_time() > self._deadline:
            raise RenderError(f"takes longer than {LIMITS.seconds:g} seconds")

    def made(self, characters: int) -> None:
        """A text of this length was made."""
        self._volume += characters
        if characters > LIMITS.text or self._volume > LIMITS.volume:
            raise RenderError(f"makes more text than allowed ({LIMITS.text} characters at once, {LIMITS.volume} in total)")


_CURRENT: ContextVar[Session | None] = ContextVar("render_session", default=None)


def current() -> Session:
    """The session of the render that is going on; a fresh one while a text is being compiled."""
    return _CURRENT.get() or Session()


@contextmanager
def session(files: ReadFile | None = None, includes: ReadFile | None = None) -> Iterator[Session]:
    """Everything inside shares one budget."""
    fresh = Session(files, includes)
    token = _CURRENT.set(fresh)
    try:
        yield fresh
    finally:
        _CURRENT.reset(token)
