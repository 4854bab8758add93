"""Exit codes are a promise to scripts: this table is the promise, written down a second time."""

from __future__ import annotations

import pytest

from cli.exit_codes import MEANING, ExitCode, exit_code_of, exit_code_of_run
from core_lib.framework import errors


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InputError, 2),
        (errors.PackageError, 2),
        (errors.SettingsError, 2),
        (errors.CompileError, 3),
        (errors.TargetError, 3),
        (errors.NotFoundError, 7),
        (errors.AmbiguousError, 7),
        (errors.IsolationError, 7),
        (errors.ConflictError, 4),
        (errors.AssumeRoleError, 8),
        (errors.ArtefactError, 8),
        (errors.ActionFailedError, 1),
        (errors.LockedError, 4),
        (errors.MovedError, 4),
        (errors.FencedError, 4),
        (errors.RunStateError, 4),
        (errors.CancelledError, 5),
        (errors.PortTakenError, 6),
        (errors.NotRunningError, 6),
        (errors.CoreError, 70),
    ],
)
def test_exit_code_of_an_error_is_the_promised_one(error: type[errors.CoreError], code: int) -> None:
    assert exit_code_of(error) == code
    assert exit_code_of(error("it failed")) == code


def test_exit_code_of_a_new_error_is_that_of_its_parent() -> None:
    class NewError(errors.MovedError):
        code = "CORE-5999"

    assert exit_code_of(NewError) is ExitCode.REFUSED


@pytest.mark.parametrize(("status", "code"), [("succeeded", 0), ("failed", 1), ("cancelled", 5), ("running", 0)])
def test_exit_code_of_a_run_follows_its_status(status: str, code: int) -> None:
    assert exit_code_of_run(status) == code


def test_every_exit_code_has_a_meaning() -> None:
    assert set(MEANING) == set(ExitCode)
