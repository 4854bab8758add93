"""The settings themselves: one frozen pydantic model per section, each field with its meaning, unit and default."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core_lib.framework.errors import SettingsError

ENVIRONMENT_PREFIX = "CORE_"
ENVIRONMENT_DELIMITER = "__"


class Section(BaseModel):
    """A group of settings. Frozen; a key that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class AwsSettings(Section):
    """How AWS is reached. Credentials, profiles and endpoints are boto3's own business (`AWS_*`, `~/.aws`)."""

    region: str | None = None
    """Home region: where the platform's own tables, bucket and STS calls live. Never used as a target."""
    deploy_role: str = "OrganizationAccountAccessRole"
    """Name or ARN of the role that is assumed in every target account that names no other."""
    role_chain: tuple[str, ...] = ()
    """ARNs of roles assumed one after the other before the deploy role, hub first."""
    external_id: str | None = Field(default=None, min_length=2, max_length=1224)
    """External id sent when the deploy role is assumed, unless the account has its own."""
    session_seconds: int = Field(default=3600, ge=900, le=43200)
    """Life of assumed-role sessions. AWS allows at most 3600 for a role assumed from a role."""
    connect_timeout: float = Field(default=10, gt=0, le=300)
    """Seconds until a connection must stand."""
    read_timeout: float = Field(default=60, gt=0, le=900)
    """Seconds until the next byte of an answer must arrive."""
    max_attempts: int = Field(default=6, ge=1, le=20)
    """Attempts per API call, the first one included, within botocore."""
    retry_mode: Literal["standard", "adaptive"] = "standard"
    """botocore's retry mode. Pacing adapts to throttling by itself, so `adaptive` would slow down twice."""
    client_cache: int = Field(default=512, ge=1, le=20000)
    """How many clients are kept open at most."""


class CmdbSettings(Section):
    """The CMDB on DynamoDB."""

    table_prefix: str = Field(default="core-", pattern=r"^[A-Za-z0-9_.-]{0,60}$")
    """What all table names begin with; two installations in one account differ here."""
    region: str | None = None
    """Region of the tables; the home region if not set."""
    lock_lease_seconds: float = Field(default=60, ge=2, le=3600)
    """A run without a heartbeat for so long no longer holds its locks."""
    heartbeat_seconds: float = Field(default=5, gt=0, le=300)
    """Time between two heartbeats of a run."""

    @model_validator(mode="after")
    def _heartbeat_fits_lease(self) -> CmdbSettings:
        if self.heartbeat_seconds * 2 > self.lock_lease_seconds:
            raise ValueError("heartbeat_seconds must be at most half of lock_lease_seconds")
        return self


class ArtefactSettings(Section):
    """Where packages, templates and plans are stored."""

    location: str = Field(default="s3://{prefix}artefacts-{account}-{region}", min_length=1)
    """`s3://bucket[/prefix]` or a folder. {prefix} is cmdb.table_prefix, {account} and {region} are the platform's own."""
    kms_key: str | None = None
    """KMS key for server-side encryption; S3's own key if not set."""
    multipart_bytes: int = Field(default=32 * 1024 * 1024, ge=5 * 1024 * 1024)
    """Objects of this size and larger are sent in parts of a quarter of it (at least 5 MiB)."""


class LimitSettings(Section):
    """How much happens at the same time, and how fast."""

    concurrency: int = Field(default=64, ge=1, le=1000)
    """Actions in work at once, over the whole run."""
    account_concurrency: int = Field(default=4, ge=1, le=100)
    """Actions in work at once per account."""
    region_concurrency: int = Field(default=64, ge=1, le=1000)
    """Actions in work at once per region, over all accounts."""
    pacing: bool = True
    """Whether API calls are paced at all."""
    rates: dict[str, float] = Field(default_factory=dict)
    """Calls per second for an API (`cloudformation.DescribeStacks`) or a service (`organizations`), replacing the defaults."""

    @field_validator("rates")
    @classmethod
    def _positive(cls, value: dict[str, float]) -> dict[str, float]:
        for api, rate in value.items():
            if rate <= 0:
                raise ValueError(f"the rate of {api} must be positive")
        return value


class PollingSettings(Section):
    """How an action in progress is watched: wait, look, wait a little longer."""

    initial_seconds: float = Field(default=1.0, gt=0, le=300)
    """Wait before the first look."""
    longest_seconds: float = Field(default=15.0, gt=0, le=900)
    """No wait is longer than this."""
    factor: float = Field(default=1.5, ge=1, le=10)
    """Each wait is this much longer than the one before."""

    @model_validator(mode="after")
    def _in_order(self) -> PollingSettings:
        if self.initial_seconds > self.longest_seconds:
            raise ValueError("initial_seconds must not exceed longest_seconds")
        return self


class LogSettings(Section):
    """Log output."""

    level: Literal["TRACE", "DEBUG", "INFO", "STATUS", "WARNING", "ERROR"] = "INFO"
    """The lowest level that is written."""
    format: Literal["text", "json"] = "text"
    """`text` for people, `json` (one object per line) for CloudWatch and other machines."""

    @field_validator("level", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value


class PrefectSettings(Section):
    """How runs are laid out in Prefect."""

    api_url: str | None = None
    """URL of the Prefect API; Prefect's own configuration if not set."""
    auth_string: SecretStr | None = None
    """`user:password` of a Prefect server that asks for it."""
    work_pool: str = "core"
    """Work pool of all deployments."""
    batch_size: int = Field(default=32, ge=1, le=1000)
    """Accounts per sub-flow."""
    batch_concurrency: int = Field(default=1, ge=1, le=100)
    """Sub-flows that begin or end at once (they all work side by side). A Prefect server on SQLite stands only one writer;
    on PostgreSQL 4 is a good choice."""
    task_per_action_up_to: int = Field(default=40, ge=0, le=1000)
    """Runs of at most this many actions show each action as a Prefect task; larger ones show targets."""


class EmailSettings(Section):
    """The mail server of SYSTEM::SendEmail and SYSTEM::Notify."""

    host: str | None = None
    """Host of the SMTP server; without it, mail goes through SES only."""
    port: int = Field(default=587, ge=1, le=65535)
    """Port of the SMTP server."""
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    """`starttls` (port 587), `implicit` (port 465) or `none` (a relay on this machine). With a user, `none` is refused."""
    user: str | None = None
    """User at the SMTP server; no login if not set."""
    password: SecretStr | None = None
    """Password of that user."""
    sender: str | None = None
    """Address that mail comes from unless an action names one."""

    @model_validator(mode="after")
    def _login_is_encrypted(self) -> EmailSettings:
        if self.user and self.tls == "none":
            raise ValueError("tls must not be none when there is a user: the password would travel in the clear")
        return self


class HttpSettings(Section):
    """Where SYSTEM::HttpRequest and the webhooks of SYSTEM::Notify may go."""

    allowed_hosts: tuple[str, ...] = ("*",)
    """Hosts that may be called over https on public addresses; `*.example.com` is a pattern."""
    internal_hosts: tuple[str, ...] = ()
    """Hosts (`name` or `name:port`) that may also be called at private, loopback or link-local addresses, and without TLS."""


class StepFunctionsSettings(Section):
    """The Step Functions executor. {prefix} in names is cmdb.table_prefix."""

    state_machine: str = Field(default="{prefix}runs", min_length=1)
    """Name or ARN of the state machine."""
    activity: str = Field(default="{prefix}steps", min_length=1)
    """Name or ARN of the activity that `core worker stepfunctions` polls."""
    batch_size: int = Field(default=32, ge=1, le=1000)
    """Accounts per item of the map."""
    shift_seconds: float = Field(default=20, ge=0, le=600)
    """How long one pass over a batch goes on before it leaves the waiting to the state machine."""
    round_seconds: float = Field(default=2400, ge=1, le=86400)
    """How long one map goes on at most. Then the next one begins, before an execution's history is full (25,000 events)."""
    parked_seconds: float = Field(default=30, ge=1, le=3600)
    """Time between two looks at a batch in which only people are waited for; half of cmdb.lock_lease_seconds at most."""
    heartbeat_seconds: float = Field(default=15, ge=1, le=40)
    """Time between two heartbeats of a task in an activity worker; the state machine misses them after 45."""
    stop_seconds: float = Field(default=20, ge=0, le=600)
    """How long a worker that is told to end goes on with the tasks in its hands. Then others get them."""


class DeploymentSettings(Section):
    """What commands work on when they are not told: the place in the deployment hierarchy, and the environment."""

    portfolio: str | None = None
    """Portfolio."""
    app: str | None = None
    """App within the portfolio."""
    branch: str = "main"
    """Branch of the app."""
    build: str = "1"
    """Build of the branch."""
    environment: str | None = None
    """Environment, e.g. dev or prod."""

    @field_validator("portfolio", "app", "branch", "build", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class LocalSettings(Section):
    """The embedded stack. Port 0 lets the system choose."""

    gateway_port: int = Field(default=4566, ge=0, le=65535)
    """The one endpoint of the emulated AWS."""
    ministack_port: int = Field(default=0, ge=0, le=65535)
    """MiniStack, behind the gateway."""
    moto_port: int = Field(default=0, ge=0, le=65535)
    """moto, behind the gateway."""
    prefect_port: int = Field(default=4200, ge=0, le=65535)
    """Prefect's API and web pages."""
    start_seconds: float = Field(default=120, gt=0, le=3600)
    """How long a member of the stack may take until it is healthy."""


class Settings(BaseSettings):
    """All settings of the platform. Made by `load_settings`; immutable afterwards."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter=ENVIRONMENT_DELIMITER,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )

    user: str | None = None
    """Who gives the commands, as runs, locks and approvals name you; your login on this machine if not set."""
    client: str | None = None
    """Client that commands work for when they name none."""
    deployment: DeploymentSettings = Field(default_factory=DeploymentSettings)
    """What commands work on when they are not told."""
    state_dir: Path = Path(".core")
    """Folder of the embedded stack's state and logs."""
    aws: AwsSettings = Field(default_factory=AwsSettings)
    """How AWS is reached."""
    cmdb: CmdbSettings = Field(default_factory=CmdbSettings)
    """The CMDB."""
    artefacts: ArtefactSettings = Field(default_factory=ArtefactSettings)
    """The artefact store."""
    limits: LimitSettings = Field(default_factory=LimitSettings)
    """Concurrency and pace."""
    polling: PollingSettings = Field(default_factory=PollingSettings)
    """Watching actions in progress."""
    log: LogSettings = Field(default_factory=LogSettings)
    """Log output."""
    prefect: PrefectSettings = Field(default_factory=PrefectSettings)
    """Prefect."""
    email: EmailSettings = Field(default_factory=EmailSettings)
    """Mail."""
    http: HttpSettings = Field(default_factory=HttpSettings)
    """Web requests of actions."""
    stepfunctions: StepFunctionsSettings = Field(default_factory=StepFunctionsSettings)
    """Step Functions."""
    local: LocalSettings = Field(default_factory=LocalSettings)
    """The embedded stack."""

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    @property
    def home_region(self) -> str:
        """Region of the platform's own resources.

        Raises:
            SettingsError: no region is set anywhere; there is no default region.
        """
        if self.aws.region is None:
            raise SettingsError(
                "no home region is set",
                where="aws.region",
                hint="set region in the [aws] section of core.toml, CORE_AWS__REGION or AWS_REGION",
            )
        return self.aws.region

    @property
    def cmdb_region(self) -> str:
        """Region of the CMDB's tables (SettingsError as `home_region`)."""
        return self.cmdb.region or self.home_region

    @property
    def origins(self) -> dict[str, str]:
        """Origin of each value that is not a default, by dotted name."""
        return dict(self._origins)
