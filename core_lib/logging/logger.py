"""The logger: an event with named values, on top of Python's logging, with TRACE and STATUS."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import structlog
from structlog.stdlib import ProcessorFormatter

from core_lib.logging.levels import STATUS, TRACE


class CoreLogger(structlog.BoundLoggerBase):
    """A structured logger. Values are named: `log.info("stack created", stack=name)`; there is no %-formatting.

    `bind(**values)` gives a logger that adds these to each of its lines.
    """

    def trace(self, event: str, **values: Any) -> None:
        """What even DEBUG hides: every step of every action, every AWS call."""
        self._write(TRACE, event, values)

    def debug(self, event: str, **values: Any) -> None:
        """For whoever looks for a fault."""
        self._write(logging.DEBUG, event, values)

    def info(self, event: str, **values: Any) -> None:
        """What happens."""
        self._write(logging.INFO, event, values)

    def status(self, code: str, message: str, details: Mapping[str, Any] | None = None, **values: Any) -> None:
        """A stage of the run's story: a stable code (`DEPLOY_RUNNING`), a sentence, details."""
        extra = {"details": dict(details)} if details else {}
        self._write(STATUS, message, {"status": code, **extra, **values})

    def warning(self, event: str, **values: Any) -> None:
        """Something a person should look at some time."""
        self._write(logging.WARNING, event, values)

    def error(self, event: str, **values: Any) -> None:
        """Something failed."""
        self._write(logging.ERROR, event, values)

    def exception(self, event: str, **values: Any) -> None:
        """Something failed in a way nobody thought of; with traceback, for the log only."""
        self._write(logging.ERROR, event, {"exc_info": True, **values})

    def log(self, level: int, event: str, **values: Any) -> None:
        """A line of any level."""
        self._write(level, event, values)

    def is_enabled_for(self, level: int) -> bool:
        """Whether lines of this level are written; asks before costly values are computed."""
        return bool(self._logger.isEnabledFor(level))

    def _write(self, level: int, event: str, values: dict[str, Any]) -> None:
        if self._logger.isEnabledFor(level):
            arguments, extra = self._process_event(logging.getLevelName(level).lower(), event, values)
            self._logger.log(level, *arguments, **extra)


def get_logger(name: str) -> CoreLogger:
    """A logger of that name (usually `__name__`). Works before `configure` and follows it afterwards."""
    processors: list[Any] = [structlog.contextvars.merge_contextvars, ProcessorFormatter.wrap_for_formatter]
    return CoreLogger(logging.getLogger(name), processors, {})
