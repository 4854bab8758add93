"""TaskPayload: the one message that every door (CLI, API, web page, push, schedule) turns a request into."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from core_lib.framework.models.base import Message
from core_lib.framework.models.prn import LEVELS, Level, Prn, branch_short_name
from core_lib.framework.models.selection import Selection
from core_lib.framework.models.tolerance import Tolerance, tolerated
from core_lib.framework.models.wave import Wave

_ONLY = r"(?:failed|unstarted|transient|[0-9a-f]{12}(?:,[0-9a-f]{12})*)"


class Task(StrEnum):
    """The verb of a payload."""

    PACKAGE = "package"
    UPLOAD = "upload"
    COMPILE = "compile"
    PLAN = "plan"
    APPLY = "apply"
    DEPLOY = "deploy"
    RELEASE = "release"
    TEARDOWN = "teardown"
    DRIFT = "drift"
    MEDIC = "medic"
    ROLLBACK = "rollback"


class DeploymentDetails(Message):
    """Which place in the hierarchy is being worked on, and in which environment."""

    portfolio: str
    app: str | None = None
    branch: str | None = None
    build: str | None = None
    component: str | None = None
    environment: str | None = None
    scope: Level | None = None
    tags: dict[str, str] = Field(default_factory=dict)

    @field_validator("portfolio", "app", "branch", "build", "component", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @model_validator(mode="after")
    def _names_are_valid(self) -> DeploymentDetails:
        try:
            deepest = self.prn.level
        except Exception as error:
            raise ValueError(str(error)) from error
        if self.scope and LEVELS.index(self.scope) > LEVELS.index(deepest):
            raise ValueError(f"'scope' is {self.scope.value}, and '{self.scope.value}' is not given")
        return self

    @property
    def prn(self) -> Prn:
        """The PRN of this deployment; the branch appears under its short name."""
        return Prn(self.portfolio, self.app, self.branch_short, self.build, self.component)

    @property
    def branch_short(self) -> str | None:
        """Short name of the branch."""
        return branch_short_name(self.branch) if self.branch else None

    @property
    def effective_scope(self) -> Level:
        """The scope asked for, else the deepest level that is named."""
        return self.scope or self.prn.level

    def key_prefix(self, area: Literal["packages", "files", "artefacts"]) -> str:
        """Prefix of artefact keys, `area/portfolio/app/branch-short/build` as deep as the scope, lower-cased."""
        depth = LEVELS.index(self.effective_scope) + 1
        return "/".join((area, *(segment.lower() for segment in self.prn.segments[:depth])))


class InlineSpec(Message):
    """A package that needs no upload: the files themselves, by relative path."""

    files: dict[str, str]


class PackageDetails(Message):
    """Where the package is: an artefact key, a local folder or archive, or inline files. Exactly one."""

    key: str | None = None
    path: str | None = None
    inline: InlineSpec | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> PackageDetails:
        given = [name for name in ("key", "path", "inline") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"a package is given once, not as {' and '.join(given)}")
        return self


class Options(Message):
    """How a run behaves. `Tolerance` counts failed targets: a number, or a percentage such as "5%".

    Without a `Tolerance` the waves' own decide, and none may fail where there are no waves. `Waves` replace those of the file.
    `Only` narrows a resume: to what failed, what never began, what failed for a passing reason (`transient`), or the failures
    with these fingerprints (with commas between them). `PlanHash` is the plan a person approved, `ReviewedRun` the plan run that
    showed it: apply executes exactly that. `IgnoreFreeze` is the reason to go on in spite of a freeze window. `Preflight` looks
    at every target before the first change; "only" does nothing else.

    `WhenLocked` says what to do, target by target, when another run holds a stack: `wait` for it, `refuse` the target,
    or `supersede` an older run of the same deployment (with `Force` of any deployment): it is asked to cancel, and waited for.
    """

    dry_run: bool = False
    force: bool = False
    only: str | None = Field(default=None, json_schema_extra={"pattern": f"^{_ONLY}$"})
    concurrency: int | None = Field(default=None, ge=1, le=1000)
    account_concurrency: int | None = Field(default=None, ge=1, le=100)
    region_concurrency: int | None = Field(default=None, ge=1, le=1000)
    tolerance: Tolerance | None = None
    when_locked: Literal["wait", "refuse", "supersede"] = "wait"
    auto_approve: bool = False
    preflight: bool | Literal["only"] = True
    plan_hash: str | None = None
    reviewed_run: str | None = None
    waves: tuple[Wave, ...] | None = None
    ignore_freeze: str | None = Field(default=None, min_length=3, max_length=500)

    @field_validator("only")
    @classmethod
    def _names_actions(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(_ONLY, value):
            raise ValueError("one of failed, unstarted, transient, or fingerprints of failures with commas between them")
        return value

    def tolerated(self, targets: int) -> int:
        """How many of this many targets may fail before nothing new is started. None given = none may."""
        return tolerated(self.tolerance or 0, targets)


def _floats(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _floats(item)


class TaskPayload(Message):
    """One request to the platform. Of type `pipeline` (or `component`), its package holds components; of type `operation`, its
    package key names a plan that somebody made already."""

    client: str
    task: Task
    type: Literal["pipeline", "deployspec", "operation"] = "deployspec"
    deployment_details: DeploymentDetails
    package: PackageDetails = Field(default_factory=PackageDetails)
    facts: dict[str, Any] = Field(default_factory=dict)
    targets: Selection | None = None
    options: Options = Field(default_factory=Options)
    executor: Literal["prefect", "stepfunctions"] = "prefect"
    requested_by: str | None = Field(default=None, max_length=200)
    correlation_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{2,62}$")

    @field_validator("type", mode="before")
    @classmethod
    def _one_name(cls, value: Any) -> Any:
        return "pipeline" if value == "component" else value

    @field_validator("facts")
    @classmethod
    def _numbers_are_finite(cls, value: dict[str, Any]) -> dict[str, Any]:
        if not all(math.isfinite(number) for number in _floats(value)):
            raise ValueError("a number must be finite: JSON knows neither infinity nor NaN")
        return value

    @field_validator("client")
    @classmethod
    def _client_name(cls, value: str) -> str:
        try:
            Prn(value)
        except Exception as error:
            raise ValueError(str(error)) from error
        return value

    @property
    def prn(self) -> Prn:
        """The PRN of the deployment."""
        return self.deployment_details.prn
