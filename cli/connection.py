"""Opening the platform for a command: its environment, settings, AWS sessions, CMDB and artefact store."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cli.shell import Shell
from core_lib.framework.errors import NotRunningError, SettingsError

if TYPE_CHECKING:
    from core_lib.db import ClientCmdb, Cmdb
    from core_lib.framework.settings import Settings
    from core_lib.helper import ArtefactStore, AwsSessions

ENDPOINT = "AWS_ENDPOINT_URL"
_CREDENTIALS = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE")


def use_local_platform(state_dir: Path) -> NotRunningError | None:
    """Point boto3 and Prefect at the local platform if one is up in `state_dir`. Must run before either is imported.

    A folder whose platform is down gives an error to be raised by whoever needs a platform: a forgotten `core up` must not
    end in a change of whatever real cloud the environment leads to. Naming an endpoint (AWS_ENDPOINT_URL) is a clear choice.
    """
    if not (state_dir / "state.json").exists():
        return None
    from deployments.local import environment

    try:
        merge_environment(os.environ, environment(state_dir))
    except NotRunningError as error:
        if os.environ.get(ENDPOINT):
            return None
        hint = "start it with: core up; to work without it, name another folder with --state-dir"
        return NotRunningError("the local platform of this folder is not up", where=error.where, hint=hint)
    return None


def merge_environment(variables: MutableMapping[str, str], local: Mapping[str, str]) -> None:
    """Fill `variables` with those of the local platform.

    The AWS variables go together: whoever sets AWS_ENDPOINT_URL keeps all of theirs; otherwise the local endpoint comes with its
    own credentials, and other ones are taken out, so that real keys are never sent to an emulator. Everything else is a default.
    """
    if local.get(ENDPOINT) and not variables.get(ENDPOINT):
        for name in _CREDENTIALS:
            variables.pop(name, None)
        variables.update({name: value for name, value in local.items() if name.startswith("AWS_")})
    for name, value in local.items():
        if not name.startswith("AWS_"):
            variables.setdefault(name, value)


def settings_of(shell: Shell, package: Path | None = None) -> Settings:
    """The settings as this command sees them: its --config and --client, the environment, core.toml, defaults.

    `core.toml` is looked for from the package upwards, so that a package brings its own; without one from here.
    """
    from core_lib.framework.settings import load_settings

    start = None
    if package is not None:
        start = package if package.is_dir() else package.parent
    return load_settings(overrides_of(shell), start=start.resolve() if start else None)


def overrides_of(shell: Shell) -> dict[str, str]:
    """What was given on the command line, as settings."""
    return dict(shell.overrides) | ({"client": shell.client} if shell.client else {})


@dataclass
class Connection:
    """The open doors of the platform. Each is opened at its first use."""

    settings: Settings
    missing: NotRunningError | None = None

    def _needs_platform(self) -> None:
        if self.missing is not None:
            raise self.missing

    @cached_property
    def sessions(self) -> AwsSessions:
        """AWS sessions with the platform's own credentials.

        Raises:
            NotRunningError: the local platform of this folder is not up.
        """
        self._needs_platform()
        from core_lib.helper import AwsSessions

        return AwsSessions(self.settings)

    @cached_property
    def cmdb(self) -> Cmdb:
        """The CMDB of all clients; errors as `sessions`."""
        self._needs_platform()
        from core_lib.db import Cmdb

        return Cmdb(self.settings)

    @cached_property
    def client(self) -> ClientCmdb:
        """The CMDB of the client (see `client_name`)."""
        return self.cmdb.for_client(self.client_name)

    @property
    def client_name(self) -> str:
        """Name of the client: the one that is set, else the only one that is registered.

        Raises:
            SettingsError: none is set, and not exactly one is registered.
        """
        return self.settings.client or self._only_client

    @cached_property
    def _only_client(self) -> str:
        known = [fact.client for fact in self.cmdb.clients.list().items]
        if len(known) != 1:
            hint = 'add --client NAME, or client = "..." to core.toml'
            told = f"; registered: {', '.join(known)}" if known else ""
            raise SettingsError(f"no client is set{told}", where="client", hint=hint)
        return known[0]

    @cached_property
    def store(self) -> ArtefactStore:
        """Where packages, plans and files are kept."""
        from core_lib.helper import open_store

        return open_store(self.settings, self.sessions)

    def close(self) -> None:
        """Close what was opened."""
        if "sessions" in vars(self):
            self.sessions.close()
        if "cmdb" in vars(self):
            self.cmdb.close()


@contextmanager
def connect(shell: Shell, package: Path | None = None) -> Iterator[Connection]:
    """The platform as this command sees it; `package` is what the command works on, if it works on one."""
    missing = use_local_platform(shell.state_dir)
    connection = Connection(settings_of(shell, package), missing)
    try:
        yield connection
    finally:
        connection.close()
