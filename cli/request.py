"""From what was typed to a task payload: the package read and uploaded, the deployment named, the options filled in."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.options import DeploymentOptions, Executor, RunOptions, TargetOptions
from core_lib.framework.errors import InputError, PayloadError, PrnError, SettingsError

if TYPE_CHECKING:
    from cli.connection import Connection
    from core_lib.framework.models import DeploymentDetails, Options, PackageDetails, Selection, Task, TaskPayload, Wave
    from core_lib.framework.package import Package
    from core_lib.framework.settings import Settings

_DEEPEST_FACT = 20


def read_package(path: Path) -> Package:
    """The package at `path`.

    Raises:
        PackageError: nothing there, or nothing that can be taken as a package.
    """
    from core_lib.framework.package_sources import open_package

    return open_package(path)


def details_of(settings: Settings, given: DeploymentOptions) -> DeploymentDetails:
    """The deployment that was named, else that of core.toml.

    Raises:
        SettingsError: neither names one.
        PrnError, PayloadError: a name that cannot be used.
    """
    from pydantic import ValidationError

    from core_lib.framework.models import DeploymentDetails, Prn

    here = settings.deployment
    environment = given.environment or here.environment
    if given.prn:
        prn = Prn.parse(given.prn)
        names = {"portfolio": prn.portfolio, "app": prn.app, "branch": prn.branch, "build": prn.build, "component": prn.component}
    elif here.portfolio and here.app:
        names = {"portfolio": here.portfolio, "app": here.app, "branch": here.branch, "build": here.build}
    else:
        raise SettingsError(
            "no deployment is named",
            where="deployment.portfolio, deployment.app",
            hint="add --prn prn:portfolio:app:branch:build, or a [deployment] section to core.toml",
        )
    try:
        return DeploymentDetails.model_validate(names | {"environment": environment})
    except ValidationError as error:
        raise PayloadError(_first(error), where=given.prn or "[deployment] in core.toml") from error


def selection_of(given: TargetOptions) -> Selection | None:
    """The narrowing as a selection, None when nothing was given."""
    from core_lib.framework.models import Exclusion, Selection

    left_out = (given.exclude_account, given.exclude_ou, given.exclude_region)
    if not any((given.account, given.ou, given.tag, given.region, *left_out)):
        return None
    exclude = Exclusion(
        accounts=tuple(given.exclude_account or ()),
        organizational_units=tuple(given.exclude_ou or ()),
        regions=tuple(given.exclude_region or ()),
    )
    return Selection(
        accounts=tuple(given.account or ()),
        organizational_units=tuple(given.ou or ()),
        tags=_tags(given.tag or ()),
        regions=tuple(given.region or ()),
        exclude=exclude if any(left_out) else None,
    )


def _tags(pairs: Sequence[str]) -> dict[str, tuple[str, ...]]:
    tags: dict[str, tuple[str, ...]] = {}
    for key, value in (_pair(pair, "--tag") for pair in pairs):
        tags[key] = (*tags.get(key, ()), value)
    return tags


def facts_of(pairs: Sequence[str]) -> dict[str, Any]:
    """`["A.B=1"]` as `{"A": {"B": 1}}`; values are read as YAML.

    Raises:
        InputError: not KEY=VALUE, or a key that is both a value and a mapping.
    """
    from core_lib.framework.codecs import load_yaml

    facts: dict[str, Any] = {}
    for key, text in (_pair(pair, "--fact") for pair in pairs):
        *path, leaf = _steps(key)
        place = facts
        for part in path:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise InputError(f"'{key}' goes through a value", where="--fact")
        if isinstance(place.get(leaf), dict):
            raise InputError(f"'{key}' is a value here and a map before", where="--fact")
        place[leaf] = load_yaml(text, f"--fact {key}").data if text.strip() else text
    return facts


def _steps(key: str) -> list[str]:
    steps = key.split(".")
    if len(steps) > _DEEPEST_FACT:
        raise InputError(f"a fact is at most {_DEEPEST_FACT} levels deep", where="--fact", hint=f"this one has {len(steps)}")
    if not all(step.strip() for step in steps):
        raise InputError(f"'{key}' has an empty step", where="--fact", hint="e.g. --fact Network.Cidr=10.0.0.0/16")
    return steps


def _pair(text: str, option: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise InputError(f"'{text}' is not KEY=VALUE", where=option)
    return key.strip(), value


def options_of(given: RunOptions, **more: Any) -> Options:
    """The options of the payload.

    Raises:
        PayloadError: a tolerance that is neither a number nor a percentage, a reason that is none.
        PackageError, CodecError, SchemaError: the file with the waves cannot be used.
    """
    from pydantic import ValidationError

    from core_lib.framework.models import Options

    values: dict[str, Any] = {
        "concurrency": given.concurrency,
        "tolerance": given.tolerance,
        "when_locked": given.when_locked.value,
        "force": given.force,
        "ignore_freeze": given.ignore_freeze,
    }
    if given.waves is not None:
        values["waves"] = waves_of(given.waves)
    try:
        return Options.model_validate(values | more)
    except ValidationError as error:
        raise PayloadError(_first(error), where="options") from error


def options_again(given: Options, **changes: Any) -> Options:
    """The options of a run that goes on, with these changes. Raises PayloadError: a reason that is none."""
    from pydantic import ValidationError

    try:
        return given.but(**changes)
    except ValidationError as error:
        raise PayloadError(_first(error), where="options") from error


def waves_of(path: Path) -> tuple[Wave, ...]:
    """The waves in a file: a list, or a map with `Waves`. The name `none` stands for no waves at all.

    Raises:
        PackageError, CodecError, SchemaError: the file is not there, or is no list of waves; with its line.
    """
    from core_lib.framework.codecs import load_document, parse
    from core_lib.framework.errors import PackageError, SchemaError
    from core_lib.framework.models import Wave

    if str(path) == "none":
        return ()
    try:
        document = load_document(path.read_bytes(), str(path))
    except OSError as error:
        raise PackageError(f"the file with the waves cannot be read: {error.strerror}", where=str(path)) from error
    prefix = ("Waves",) if isinstance(document.data, dict) and set(document.data) == {"Waves"} else ()
    listed = document.data["Waves"] if prefix else document.data
    if not isinstance(listed, list):
        raise SchemaError("a list of waves is wanted", where=document.locate(prefix))
    return tuple(parse(Wave, document, path=(*prefix, index)) for index in range(len(listed)))


def payload_of(
    connection: Connection,
    task: Task,
    package: PackageDetails,
    deployment: DeploymentOptions,
    *,
    targets: TargetOptions | None = None,
    options: Options | None = None,
    executor: Executor = Executor.PREFECT,
) -> TaskPayload:
    """The payload for this task.

    Raises:
        PayloadError, PrnError, InputError, SettingsError: something given cannot be used.
    """
    from core_lib.framework.models import Options, Prn, TaskPayload

    client = connection.client_name
    try:
        Prn(client)
    except PrnError as error:
        raise PayloadError(f"{client!r} cannot be the name of a client", where="client", hint=error.hint) from error
    return TaskPayload(
        client=client,
        task=task,
        deployment_details=details_of(connection.settings, deployment),
        package=package,
        facts=facts_of(deployment.fact or ()),
        targets=selection_of(targets) if targets else None,
        options=options or Options(),
        requested_by=person(connection.settings),
        executor=executor.value,
    )


def person(settings: Settings) -> str:
    """Who gives the command: the setting `user`, else the login name."""
    return settings.user or getpass.getuser()


def _first(error: Any) -> str:
    item = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in item["loc"])
    return f"{place}: {item['msg']}".removeprefix(": ").replace("Value error, ", "")
