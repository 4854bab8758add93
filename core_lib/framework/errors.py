"""Errors of the platform: one tree, each with a stable code that the documentation explains.

    CoreError
    ├── InputError              CORE-1000   what the user sent cannot be used
    │   ├── PayloadError        CORE-1001   a task payload breaks its schema
    │   ├── PrnError            CORE-1002   a PRN is malformed
    │   ├── CodecError          CORE-1003   YAML or JSON that cannot be read
    │   ├── SchemaError         CORE-1004   a document breaks its schema (unknown key, wrong type)
    │   ├── SettingsError       CORE-1005   a setting is missing or wrong
    │   ├── PackageError        CORE-1006   an archive or folder that cannot be taken as a package
    │   └── RenderError         CORE-1007   an expression cannot be rendered
    ├── CompileError            CORE-2000   definitions that cannot become a plan
    │   ├── TargetError         CORE-2001   no target, an unknown account, OU, region
    │   ├── GraphError          CORE-2002   cycles, unknown or duplicate names
    │   ├── ReferenceFault      CORE-2003   an output or variable that nothing provides
    │   ├── TemplateError       CORE-2004   a template that is missing, invalid or does not fit its parameters
    │   ├── UnknownKindError    CORE-2005   an action kind that nobody provides
    │   └── GuardError          CORE-2006   a template that the guard rails refuse
    ├── RegistryError           CORE-3000   the CMDB says no
    │   ├── NotFoundError       CORE-3001   nothing registered under that name
    │   ├── ConflictError       CORE-3002   somebody else changed it first
    │   ├── AmbiguousError      CORE-3003   more than one entry fits
    │   └── IsolationError      CORE-3004   an item of another client
    ├── AwsError                CORE-4000   AWS said no
    │   ├── AssumeRoleError     CORE-4001   a role cannot be assumed (there is no fallback)
    │   ├── ArtefactError       CORE-4002   the artefact store said no
    │   └── ActionFailedError   CORE-4003   an action ended in failure
    ├── RunError                CORE-5000   a run cannot go on
    │   ├── LockedError         CORE-5001   another run holds a stack
    │   ├── MovedError          CORE-5002   the world is no longer as it was when the plan was reviewed
    │   ├── CancelledError      CORE-5003   the run was cancelled
    │   ├── FencedError         CORE-5004   another worker took this run over
    │   ├── RunStateError       CORE-5005   the run is in a state that does not allow that
    │   ├── PreflightError      CORE-5006   a look before the first change found what would fail
    │   ├── ApprovalError       CORE-5007   an approval that was not given, or cannot be given
    │   └── ReleasedError       CORE-5008   a build in a state (released, not deployed) that does not allow that
    └── PlatformError           CORE-6000   the platform's own processes
        ├── PortTakenError      CORE-6001   a port is in use
        ├── NotRunningError     CORE-6002   the platform (or one part of it) is not up
        └── StartError          CORE-6003   a part did not become healthy

Every error says what was wrong, where, and what to do next.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

_ACTED_ON = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_LONGEST = 10_000


def harmless(text: str) -> str:
    """Text that may come from outside, fit to be shown: terminal escapes and hidden characters are written out, the rest of a
    text of more than 10,000 characters is cut off."""
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}... ({len(text)} characters)"
    return _ACTED_ON.sub(lambda found: repr(found.group())[1:-1], text)


class CoreError(Exception):
    """Root of all errors that a user may see.

    `message` says what is wrong, `where` the place (file:line, PRN, account/region), `hint` what to do next.
    """

    code: ClassVar[str] = "CORE-0000"

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        self.message = harmless(message)
        self.where = where if where is None else harmless(where)
        self.hint = hint if hint is None else harmless(hint)
        super().__init__(self.message)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" ({self.hint})" if self.hint else ""
        return f"{self.code} {place}{self.message}{advice}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.message, self.where, self.hint))

    def as_dict(self) -> dict[str, str]:
        """The error as it is written into JSON output, the ledger and HTTP problem documents."""
        parts = {"Code": self.code, "Message": self.message, "Where": self.where, "Hint": self.hint}
        return {key: value for key, value in parts.items() if value}


def _rebuild(kind: type[CoreError], message: str, where: str | None, hint: str | None) -> CoreError:
    return kind(message, where=where, hint=hint)


class InputError(CoreError):
    """What the user sent cannot be used."""

    code = "CORE-1000"


class PayloadError(InputError):
    """A task payload breaks its schema."""

    code = "CORE-1001"


class PrnError(InputError):
    """A PRN is malformed."""

    code = "CORE-1002"


class CodecError(InputError):
    """YAML or JSON that cannot be read."""

    code = "CORE-1003"


class SchemaError(InputError):
    """A document breaks its schema: unknown key, missing key, wrong type."""

    code = "CORE-1004"


class SettingsError(InputError):
    """A setting is missing or wrong."""

    code = "CORE-1005"


class PackageError(InputError):
    """An archive or folder that cannot be taken as a package."""

    code = "CORE-1006"


class RenderError(InputError):
    """An expression cannot be rendered."""

    code = "CORE-1007"


class CompileError(CoreError):
    """Definitions that cannot become a plan."""

    code = "CORE-2000"


class TargetError(CompileError):
    """No target at all, or an account, OU or region that is not known."""

    code = "CORE-2001"


class GraphError(CompileError):
    """Cycles, unknown names, duplicate names."""

    code = "CORE-2002"


class ReferenceFault(CompileError):
    """An output or variable that nothing provides, or that several provide."""

    code = "CORE-2003"


class TemplateError(CompileError):
    """A template that is missing, invalid, or does not fit its parameters."""

    code = "CORE-2004"


class UnknownKindError(CompileError):
    """An action kind that nobody provides."""

    code = "CORE-2005"


class GuardError(CompileError):
    """A template that the guard rails refuse: a policy rule that blocks, or a required tag that is missing."""

    code = "CORE-2006"


class RegistryError(CoreError):
    """The CMDB says no."""

    code = "CORE-3000"


class NotFoundError(RegistryError):
    """Nothing is registered under that name."""

    code = "CORE-3001"


class ConflictError(RegistryError):
    """Somebody else changed it first (optimistic version, conditional write)."""

    code = "CORE-3002"


class AmbiguousError(RegistryError):
    """More than one entry fits where exactly one must."""

    code = "CORE-3003"


class IsolationError(RegistryError):
    """An item of another client."""

    code = "CORE-3004"


class AwsError(CoreError):
    """AWS said no."""

    code = "CORE-4000"


class AssumeRoleError(AwsError):
    """A role cannot be assumed. There is never a fallback to other credentials."""

    code = "CORE-4001"


class ArtefactError(AwsError):
    """The artefact store said no."""

    code = "CORE-4002"


class ActionFailedError(AwsError):
    """An action ended in failure."""

    code = "CORE-4003"


class RunError(CoreError):
    """A run cannot go on."""

    code = "CORE-5000"


class LockedError(RunError):
    """Another run holds a stack that this one needs."""

    code = "CORE-5001"


class MovedError(RunError):
    """The world is no longer as it was when the plan was reviewed."""

    code = "CORE-5002"


class CancelledError(RunError):
    """The run was cancelled."""

    code = "CORE-5003"


class FencedError(RunError):
    """Another worker took this run over; this one must stop writing."""

    code = "CORE-5004"


class RunStateError(RunError):
    """The run is in a state that does not allow that."""

    code = "CORE-5005"


class PreflightError(RunError):
    """A look before the first change found what would fail; nothing was changed in that target."""

    code = "CORE-5006"


class ApprovalError(RunError):
    """An approval that was not given in time, was refused, or cannot be given by this person."""

    code = "CORE-5007"


class ReleasedError(RunError):
    """A build in a state that does not allow that: a released one is not torn down, an unfinished one not released."""

    code = "CORE-5008"


class PlatformError(CoreError):
    """The platform's own processes."""

    code = "CORE-6000"


class PortTakenError(PlatformError):
    """A port is in use by somebody else."""

    code = "CORE-6001"


class NotRunningError(PlatformError):
    """The platform, or one part of it, is not up."""

    code = "CORE-6002"


class StartError(PlatformError):
    """A part of the platform did not become healthy."""

    code = "CORE-6003"
