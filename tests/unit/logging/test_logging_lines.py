"""Log lines: their form, their levels, what they carry, what they never show."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core_lib.framework.settings import Settings
from core_lib.logging import STATUS, TRACE, bind, configure, get_logger

Configure = Callable[..., io.StringIO]


@pytest.fixture
def output() -> Iterator[Configure]:
    """Configures logging into a buffer; afterwards logging is as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def set_up(**log: Any) -> io.StringIO:
        stream = io.StringIO()
        configure(Settings(log={"format": "json", **log}), stream)  # type: ignore[arg-type]
        return stream

    with warnings.catch_warnings():
        yield set_up
        logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_line_has_time_level_logger_event_and_values(output: Configure) -> None:
    stream = output()
    get_logger("core.test").info("stack created", stack="net", seconds=1.5)
    (line,) = _lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"level": "info", "event": "stack created", "logger": "core.test", "stack": "net", "seconds": 1.5}


def test_json_line_is_one_line_whatever_is_in_it(output: Configure) -> None:
    stream = output()
    get_logger("core.test").info("a\nb", value="c\r\nd\u2028", thing=object())
    assert len(stream.getvalue().rstrip("\n").split("\n")) == 1


def test_every_line_carries_what_is_bound(output: Configure) -> None:
    stream = output()
    with bind(correlation_id="run-1", prn="prn:a:b", target=None):
        get_logger("core.test").info("ours")
        logging.getLogger("other.library").warning("theirs %d", 7)
    get_logger("core.test").info("outside")
    ours, theirs, outside = _lines(stream)
    assert (ours["correlation_id"], ours["prn"]) == ("run-1", "prn:a:b") == (theirs["correlation_id"], theirs["prn"])
    assert theirs["event"] == "theirs 7"
    assert "target" not in ours
    assert "correlation_id" not in outside


def test_status_tells_code_message_and_details(output: Configure) -> None:
    stream = output()
    get_logger("core.test").status("DEPLOY_RUNNING", "deploying", details={"targets": 120})
    (line,) = _lines(stream)
    assert (line["level"], line["status"], line["event"], line["details"]) == (
        "status",
        "DEPLOY_RUNNING",
        "deploying",
        {"targets": 120},
    )


@pytest.mark.parametrize(("level", "seen"), [
    ("TRACE", ["trace", "debug", "info", "status", "warning", "error"]),
    ("DEBUG", ["debug", "info", "status", "warning", "error"]),
    ("INFO", ["info", "status", "warning", "error"]),
    ("STATUS", ["status", "warning", "error"]),
    ("WARNING", ["warning", "error"]),
    ("ERROR", ["error"]),
])  # fmt: skip
def test_level_decides_what_is_written(output: Configure, level: str, seen: list[str]) -> None:
    stream = output(level=level)
    log = get_logger("core.test")
    log.trace("x")
    log.debug("x")
    log.info("x")
    log.status("X", "x")
    log.warning("x")
    log.error("x")
    assert [line["level"] for line in _lines(stream)] == seen


def test_levels_lie_where_they_are_documented() -> None:
    assert logging.DEBUG > TRACE > 0
    assert logging.INFO < STATUS < logging.WARNING


def test_logger_made_before_configure_follows_it(output: Configure) -> None:
    log = get_logger("core.early")
    stream = output(level="DEBUG")
    log.debug("late")
    assert log.is_enabled_for(logging.DEBUG)
    assert [line["event"] for line in _lines(stream)] == ["late"]


def test_configure_again_replaces_the_former_output(output: Configure) -> None:
    first, second = output(), output()
    get_logger("core.test").info("once")
    assert first.getvalue() == ""
    assert len(_lines(second)) == 1


def test_secrets_are_masked_in_our_lines_and_in_others(output: Configure) -> None:
    stream = output()
    get_logger("core.test").info("key AKIAIOSFODNN7EXAMPLE", password="hunter22", nested={"api_key": "abc", "ok": 1})
    logging.getLogger("other").error("login with password=hunter22 failed")
    text = stream.getvalue()
    assert "AKIA" not in text
    assert "hunter22" not in text
    assert '"ok":1' in text


def test_exception_line_has_the_traceback_but_no_local_values(output: Configure) -> None:
    stream = output()
    secret_value = "do-not-show"
    try:
        raise ValueError("bad")
    except ValueError:
        get_logger("core.test").exception("failed", n=len(secret_value))
    (line,) = _lines(stream)
    assert line["exception"][0]["exc_type"] == "ValueError"
    assert "do-not-show" not in stream.getvalue()


def test_text_lines_are_for_people(output: Configure) -> None:
    stream = output(format="text")
    with bind(correlation_id="run-1"):
        get_logger("core.test").info("stack created", stack="net")
    text = stream.getvalue()
    assert "[info" in text
    assert "stack created" in text
    assert "stack_name=net" in text
    assert "correlation_id=run-1" in text
    assert "\x1b[" not in text


def test_text_lines_on_a_terminal_are_coloured(output: Configure) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    output()
    configure(Settings(log={"format": "text"}), terminal)  # type: ignore[arg-type]
    get_logger("core.test").status("X", "going")
    assert "\x1b[" in terminal.getvalue()


def test_chatty_libraries_are_quiet_unless_trace_is_wanted(output: Configure) -> None:
    stream = output(level="DEBUG")
    logging.getLogger("botocore.hooks").debug("noise")
    logging.getLogger("urllib3.connectionpool").info("noise")
    assert stream.getvalue() == ""
    stream = output(level="TRACE")
    logging.getLogger("botocore.hooks").debug("noise")
    assert len(_lines(stream)) == 1
    output()


def test_very_long_line_is_cut_but_stays_json(output: Configure) -> None:
    stream = output()
    with bind(correlation_id="run-1"):
        get_logger("core.test").info("long", value=["x" * 1000] * 500)
    (line,) = _lines(stream)
    assert (line["event"], line["correlation_id"]) == ("long", "run-1")
    assert len(stream.getvalue()) < 200_000 < line["cut"]


def test_bound_logger_adds_its_values(output: Configure) -> None:
    stream = output()
    get_logger("core.test").bind(action="net@1/eu").warning("slow")
    assert _lines(stream)[0]["action"] == "net@1/eu"
