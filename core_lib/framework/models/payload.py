"""TaskPayload: the one message that every door (CLI, API, web page, push, schedule) turns a request into."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from core_lib.framework.models.base import Message
from core_lib.framework.models.prn import LEVELS, Level, Prn, branch_short_name

_ONLY = r"^(?:failed|unstarted|transient|[0-9a-f]{12}(?:,[0-9a-f]{12})*)$"
_TOLERANCE = re.compile(r"[0-9]{1,9}|(?:[0-9]{1,2}|100)%")


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


class Selection(Message):
    """Targets by account (id or name), organizational unit (recursive), tag and region, minus exclusions."""

    accounts: tuple[str, ...] = ()
    organizational_units: tuple[str, ...] = ()
    tags: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    regions: tuple[str, ...] = ()
    exclude: Exclusion | None = None

    @field_validator("accounts", "organizational_units", "regions", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("tags", mode="before")
    @classmethod
    def _one_value_or_many(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: (item,) if isinstance(item, str) else item for key, item in value.items()}
        return value


class Exclusion(Message):
    """What to leave out of a selection."""

    accounts: tuple[str, ...] = ()
    organizational_units: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    _one_or_many = field_validator("accounts", "organizational_units", "regions", mode="before")(
        lambda value: (value,) if isinstance(value, str) else value
    )


class Options(Message):
    """How a run behaves. `Tolerance` counts failed targets: a number, or a percentage such as "5%".

    `Only` narrows a resume: to what failed, what never began, what failed for a passing reason (`transient`), or the failures
    with these fingerprints (with commas between them). `PlanHash` is the plan a person approved, `ReviewedRun` the plan run that
    showed it: apply executes exactly that.

    `WhenLocked` says what to do, target by target, when another run holds a stack: `wait` for it, `refuse` the target,
    or `supersede` an older run of the same deployment (with `Force` of any deployment): it is asked to cancel, and waited for.
    """

    dry_run: bool = False
    force: bool = False
    only: str | None = Field(default=None, pattern=_ONLY)
    concurrency: int | None = Field(default=None, ge=1, le=1000)
    account_concurrency: int | None = Field(default=None, ge=1, le=100)
    region_concurrency: int | None = Field(default=None, ge=1, le=1000)
    tolerance: str | int = 0
    when_locked: Literal["wait", "refuse", "supersede"] = "wait"
    auto_approve: bool = False
    plan_hash: str | None = None
    reviewed_run: str | None = None

    @field_validator("tolerance", mode="before")
    @classmethod
    def _number_or_percentage(cls, value: Any) -> Any:
        if isinstance(value, bool) or (isinstance(value, (str, int)) and not _TOLERANCE.fullmatch(str(value))):
            raise ValueError("a number of targets (3) or a percentage ('5%')")
        return value

    def tolerated(self, targets: int) -> int:
        """How many of this many targets may fail before nothing new is started."""
        text = str(self.tolerance)
        return targets * int(text[:-1]) // 100 if text.endswith("%") else int(text)


class TaskPayload(Message):
    """One request to the platform. Of type `operation`, its package key names a plan that somebody made already."""

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


Selection.model_rebuild()
