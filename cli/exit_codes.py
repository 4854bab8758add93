"""Exit codes of `core`: one table, stable, printed in the manual. Scripts may rely on them."""

from __future__ import annotations

from enum import IntEnum

from core_lib.framework import errors


class ExitCode(IntEnum):
    """What a shell sees when a command ends."""

    OK = 0
    RUN_FAILED = 1
    BAD_INPUT = 2
    COMPILE_ERROR = 3
    REFUSED = 4
    CANCELLED = 5
    PLATFORM = 6
    REGISTRY = 7
    AWS = 8
    INTERNAL = 70
    INTERRUPTED = 130


MEANING: dict[ExitCode, str] = {
    ExitCode.OK: "the command did what it was asked to do",
    ExitCode.RUN_FAILED: "a run ended with failed or blocked actions; `core runs resume` continues it",
    ExitCode.BAD_INPUT: "wrong usage, or input that cannot be read (CORE-1xxx)",
    ExitCode.COMPILE_ERROR: "definitions that cannot become a plan (CORE-2xxx); nothing was started",
    ExitCode.REFUSED: "refused: a stack is locked, the world moved since the review, somebody was first (CORE-5xxx, CORE-3002)",
    ExitCode.CANCELLED: "a run was cancelled, or the question was answered with no (CORE-5003)",
    ExitCode.PLATFORM: "the platform's own processes: not running, a port taken, a part not healthy (CORE-6xxx)",
    ExitCode.REGISTRY: "the CMDB knows nothing, or too much, under that name (CORE-3xxx)",
    ExitCode.AWS: "AWS said no: a role, the artefact store, an API (CORE-4xxx)",
    ExitCode.INTERNAL: "a fault of the platform itself; the message names the log file with the details",
    ExitCode.INTERRUPTED: "Ctrl-C; a run that was being watched goes on",
}

_BY_CLASS: dict[type[errors.CoreError], ExitCode] = {
    errors.CoreError: ExitCode.INTERNAL,
    errors.InputError: ExitCode.BAD_INPUT,
    errors.CompileError: ExitCode.COMPILE_ERROR,
    errors.RegistryError: ExitCode.REGISTRY,
    errors.ConflictError: ExitCode.REFUSED,
    errors.AwsError: ExitCode.AWS,
    errors.ActionFailedError: ExitCode.RUN_FAILED,
    errors.RunError: ExitCode.REFUSED,
    errors.CancelledError: ExitCode.CANCELLED,
    errors.PlatformError: ExitCode.PLATFORM,
}


def exit_code_of(error: errors.CoreError | type[errors.CoreError]) -> ExitCode:
    """The exit code for an error: that of its nearest ancestor in the table."""
    kind = error if isinstance(error, type) else type(error)
    return next(_BY_CLASS[ancestor] for ancestor in kind.__mro__ if ancestor in _BY_CLASS)


_BY_RUN_STATUS = {"succeeded": ExitCode.OK, "failed": ExitCode.RUN_FAILED, "cancelled": ExitCode.CANCELLED}


def exit_code_of_run(status: str) -> ExitCode:
    """The exit code for a run that ended with this status; a run that has not ended counts as fine."""
    return _BY_RUN_STATUS.get(status, ExitCode.OK)
