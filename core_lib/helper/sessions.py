"""AwsSessions: the one place that AWS clients come from."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import botocore.loaders
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from core_lib.framework.errors import AssumeRoleError, AwsError
from core_lib.framework.models import Target
from core_lib.framework.settings import Settings
from core_lib.helper.clients import Binding, Cache, NoRole, close_when_unused, current_binding, make_shared, unbound, view
from core_lib.helper.pacing import Pacer, shared_pacer
from core_lib.helper.roles import Role, RoleCredentials, assume, session_name

_FEWEST_CONNECTIONS = 10
_ROLES_PER_CLIENT = 4


@dataclass(frozen=True)
class Identity:
    """Who the platform's own credentials are."""

    account: str
    arn: str


class _Session(botocore.session.Session):  # type: ignore[misc]
    """A botocore session that can make clients for credentials other than its own."""

    def __init__(self) -> None:
        super().__init__()
        self.register_component("data_loader", _loader(self.get_config_variable("data_path")))
        self._chosen = threading.local()

    def get_credentials(self) -> Any:
        return getattr(self._chosen, "credentials", None) or super().get_credentials()

    def client_without_role(self, service: str, region: str | None, config: Config) -> Any:
        self._chosen.credentials = NoRole()
        try:
            return self.create_client(service, region_name=region, config=config)
        finally:
            self._chosen.credentials = None


@functools.cache
def _loader(data_path: str | None) -> Any:
    """botocore's service models, read once per process."""
    return botocore.loaders.create_loader(data_path)


class AwsSessions:
    """Clients for the platform itself and for every target, each with the right role. Thread-safe.

    Credentials for targets are always an assumed role: when that fails, so does the call. Sessions are named after
    `correlation_id`, so that CloudTrail of every account tells which run a change belongs to.
    """

    def __init__(self, settings: Settings, *, correlation_id: str | None = None, pacer: Pacer | None = None) -> None:
        self._settings = settings
        self._name = session_name(correlation_id)
        self._session = _Session()
        self._config = self._botocore_config(correlation_id)
        self._making = threading.Lock()
        self._shared: Cache[Any] = Cache(settings.aws.client_cache)
        self._views: Cache[Any] = Cache(settings.aws.client_cache)
        self._roles: Cache[RoleCredentials] = Cache(settings.aws.client_cache * _ROLES_PER_CLIENT)
        self._closed = False
        self.pacer = pacer or shared_pacer(settings.limits.pacing, tuple(sorted(settings.limits.rates.items())))

    def client(self, service: str, target: Target | None = None, *, region: str | None = None) -> Any:
        """A client, from the cache when there is one.

        Args:
            service: botocore's name, e.g. `cloudformation`.
            target: account and region to work in; None for the platform's own credentials in its home region.
            region: a region other than the target's (global services).

        Returns:
            A botocore client. Roles are assumed at its first call, which raises AssumeRoleError when that is refused.
        """
        if self._closed:
            raise AwsError("the AWS sessions are closed", where=service)
        if target is None:
            region = region or self._settings.aws.region
            return self._shared.get((service, region, "home"), lambda: self._make_home(service, region))
        return self._view(service, region or target.region, self.role_of(target))

    def role_of(self, target: Target) -> Role:
        """The role for a target: its own or the default one, behind the configured chain."""
        through: Role | None = None
        for arn in self._settings.aws.role_chain:
            through = Role(arn, None, through)
        name = target.deploy_role or self._settings.aws.deploy_role
        arn = name if name.startswith("arn:") else f"arn:{self._partition(target.region)}:iam::{target.account}:role/{name}"
        role = Role(arn, target.external_id or self._settings.aws.external_id, through)
        if role.account != target.account:
            raise AssumeRoleError(
                f"the deploy role {arn} lies in another account than the target",
                where=target.key,
                hint="give the role's name instead of its ARN (aws.deploy_role, or the account's DeployRole)",
            )
        return role

    def credentials(self, role: Role) -> RoleCredentials:
        """The credentials of a role; the same object for everybody who asks, so that a role is assumed once."""
        seconds = role.duration(self._settings.aws.session_seconds)

        def fetch() -> dict[str, str]:
            with unbound():
                return assume(self._sts_for(role), role, name=self._name, seconds=seconds)

        return self._roles.get(role, lambda: RoleCredentials(fetch, seconds))

    @functools.cached_property
    def identity(self) -> Identity:
        """Account and ARN of the platform's own credentials.

        Raises:
            AwsError: STS does not answer or does not know the credentials.
        """
        try:
            answer = self.client("sts").get_caller_identity()
        except (ClientError, BotoCoreError) as error:
            raise AwsError(
                f"AWS does not tell who the platform is: {error}",
                where="sts:GetCallerIdentity",
                hint="check the AWS credentials, region and AWS_ENDPOINT_URL; core info shows what is set",
            ) from error
        return Identity(answer["Account"], answer["Arn"])

    def close(self) -> None:
        """Close all connections. Clients handed out before must not be used afterwards."""
        self._closed = True
        self._views.clear()
        self._roles.clear()
        for client in self._shared.clear():
            client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _view(self, service: str, region: str | None, role: Role) -> Any:
        def make() -> Any:
            shared = self._shared.get((service, region, "shared"), lambda: self._make_shared(service, region))
            return view(shared, Binding(role.account, self.credentials(role)))

        return self._views.get((service, region, role), make)

    def _sts_for(self, role: Role) -> Any:
        if role.through is None:
            return self.client("sts")
        return self._view("sts", self._settings.aws.region, role.through)

    def _make_home(self, service: str, region: str | None) -> Any:
        config = self._config_for(service)
        return self._make(service, lambda: self._session.create_client(service, region_name=region, config=config))

    def _make_shared(self, service: str, region: str | None) -> Any:
        client = self._make(service, lambda: self._session.client_without_role(service, region, self._config_for(service)))
        return make_shared(client)

    def _make(self, service: str, create: Callable[[], Any]) -> Any:
        """Make a client; one at a time, because botocore sessions are not thread-safe."""
        with self._making:
            try:
                client = create()
            except (BotoCoreError, ClientError) as error:
                hint = "set aws.region in core.toml, CORE_AWS__REGION or AWS_REGION"
                raise AwsError(f"no client for {service}: {error}", where=service, hint=hint) from error
        close_when_unused(client)
        self.pacer.watch(client, _bound_account)
        return client

    def _config_for(self, service: str) -> Config:
        """S3 addresses that are handed out must be signed with version 4: KMS and newer regions accept no other."""
        return self._config.merge(Config(signature_version="s3v4")) if service == "s3" else self._config

    def _partition(self, region: str) -> str:
        return str(self._session.get_partition_for_region(region))

    def _botocore_config(self, correlation_id: str | None) -> Config:
        aws = self._settings.aws
        return Config(
            connect_timeout=aws.connect_timeout,
            read_timeout=aws.read_timeout,
            retries={"mode": aws.retry_mode, "total_max_attempts": aws.max_attempts},
            max_pool_connections=max(_FEWEST_CONNECTIONS, self._settings.limits.concurrency),
            tcp_keepalive=True,
            user_agent_extra=f"core-automation run/{correlation_id or 'none'}",
        )


def _bound_account() -> str | None:
    binding = current_binding()
    return binding.account if binding else None
