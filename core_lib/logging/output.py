"""Where lines go and what they look like: one handler on stderr, JSON for machines, text for people."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import Processor

from core_lib.framework.redaction import redact
from core_lib.framework.settings import Settings
from core_lib.logging.levels import TRACE

EventDict = MutableMapping[str, Any]
_NOISY = ("asyncio", "boto3", "botocore", "httpcore", "httpx", "s3transfer", "urllib3", "websockets")
_SILENCED = ("botocore.credentials",)
_HANDLER_NAME = "core"
_FIRST = ("timestamp", "level", "event", "status", "correlation_id", "prn")
_LONGEST_LINE = 200_000


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Send all log lines of the process to `stream` (default: stderr) as the settings say. May be called again.

    Lines of other libraries get the same form and the same masking; the chatty ones are kept at WARNING, unless TRACE is wanted.
    """
    output = stream or sys.stderr
    handler = logging.StreamHandler(output)
    handler.set_name(_HANDLER_NAME)
    handler.setFormatter(_json_formatter() if settings.log.format == "json" else _text_formatter(output))
    root = logging.getLogger()
    for former in [known for known in root.handlers if known.get_name() == _HANDLER_NAME]:
        root.removeHandler(former)
    root.addHandler(handler)
    level = logging.getLevelName(settings.log.level)
    root.setLevel(level)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.DEBUG if level <= TRACE else max(level, logging.WARNING))
    for name in _SILENCED:
        logging.getLogger(name).setLevel(logging.DEBUG if level <= TRACE else logging.CRITICAL)
    logging.captureWarnings(capture=True)


def _shared() -> list[Processor]:
    """Steps for all lines, ours and others'."""
    return [
        structlog.contextvars.merge_contextvars,
        _level_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
    ]


def _json_formatter() -> logging.Formatter:
    final: list[Processor] = [
        _from_record,
        ProcessorFormatter.remove_processors_meta,
        structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
        _masked,
        _ordered,
        structlog.processors.JSONRenderer(serializer=_json_line),
    ]
    return ProcessorFormatter(foreign_pre_chain=_shared(), processors=final)


def _text_formatter(stream: TextIO) -> logging.Formatter:
    colours = bool(getattr(stream, "isatty", lambda: False)())
    styles = structlog.dev.ConsoleRenderer.get_default_level_styles(colours)
    styles |= {"trace": styles["debug"], "status": "\x1b[36m\x1b[1m" if colours else ""}
    renderer = structlog.dev.ConsoleRenderer(
        colors=colours,
        level_styles=styles,
        pad_event_to=0,
        exception_formatter=structlog.dev.plain_traceback,
        sort_keys=False,
    )
    final: list[Processor] = [
        _from_record,
        ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        _masked,
        _ordered,
        _stack_is_a_value,
        renderer,
    ]
    return ProcessorFormatter(foreign_pre_chain=_shared(), processors=final)


def _from_record(logger: Any, name: str, event: EventDict) -> EventDict:
    """Time, level and logger of our own lines, as the record has them; those of other libraries already have theirs."""
    record: logging.LogRecord = event["_record"]
    if not event.get("_from_structlog"):
        return event
    event["level"] = record.levelname.lower()
    event["logger"] = record.name
    return structlog.processors.TimeStamper(fmt="iso", utc=True)(logger, name, event)


def _level_name(_: Any, __: str, event: EventDict) -> EventDict:
    event["level"] = event["_record"].levelname.lower()
    return event


def _masked(_: Any, __: str, event: EventDict) -> EventDict:
    return redact(dict(event))  # type: ignore[no-any-return]


def _ordered(_: Any, __: str, event: EventDict) -> EventDict:
    first = {key: event[key] for key in _FIRST if key in event}
    return {**first, **{key: value for key, value in event.items() if key not in first}}


def _stack_is_a_value(_: Any, __: str, event: EventDict) -> EventDict:
    """structlog prints a value of the name `stack` as a traceback; ours is a CloudFormation stack."""
    if "stack" in event:
        event["stack_name"] = event.pop("stack")
    return event


def _json_line(event: Any, **_: Any) -> str:
    """One line of JSON; CloudWatch takes 256 KB per event at most, so what is longer loses everything but its head."""
    line = json.dumps(event, default=str, ensure_ascii=False, separators=(",", ":"))
    if len(line) <= _LONGEST_LINE:
        return line
    head = {key: event[key] for key in _FIRST if key in event and key != "event"}
    return json.dumps({**head, "event": str(event.get("event"))[: _LONGEST_LINE // 4], "cut": len(line)}, default=str)
