"""`core iam`: the least-privilege policy of the deploy role for a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.compile_ import compile_package
from cli.options import DeploymentOptions, RegistryOption, TargetOptions
from cli.shell import Shell, command, to_json
from core_lib.framework.errors import InputError

if TYPE_CHECKING:
    from core_lib.execute.policy import RolePolicy
    from core_lib.framework.models import Plan

Source = tuple["Iterable[Plan]", Callable[[str], bytes]]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    command(app, "iam")(iam)


def iam(
    shell: Shell,
    deployment: DeploymentOptions,
    targets: TargetOptions,
    plan: Annotated[
        Path, typer.Argument(metavar="PLAN|PACKAGE", help="A plan (of `core compile --out`), or a package as for `core compile`.")
    ] = Path(),
    registry: RegistryOption = None,
    trust: Annotated[str | None, typer.Option(metavar="ARN", help="Add a trust policy for this principal.")] = None,
    external_id: Annotated[str | None, typer.Option(metavar="ID", help="External id that the trust policy asks for.")] = None,
    per_account: Annotated[bool, typer.Option("--per-account", help="A policy for each account, alike or not.")] = False,
    template: Annotated[bool, typer.Option("--template", help="A CloudFormation template with role and policies.")] = False,
) -> None:
    """Print the permissions a plan needs, as small as the actions can tell: policies for the deploy role of its accounts."""
    from core_lib.execute.policy import role_policies, trust_policy
    from core_lib.execute.policy_template import role_template

    plans, read = _plan_file(plan) if plan.is_file() and _is_plan(plan) else _compiled(shell, plan, deployment, targets, registry)
    policies = role_policies(plans, read, per_account=per_account)
    trusted = trust_policy(trust, external_id) if trust else None
    for policy in policies:
        for name in policy.by_hand:
            shell.say(f"warning: {name} does not tell its permissions; add them by hand")
    if not template:
        found: Any = {"Roles": [_shown(policy) for policy in policies]} | ({"Trust": trusted} if trusted else {})
    elif len(policies) != 1:
        raise InputError("these accounts need different policies", hint="make one template an account: --account ID")
    elif trusted is None:
        raise InputError("a role needs somebody who may assume it", where="--trust", hint="e.g. --trust 111111111111")
    else:
        found = role_template(policies[0], trusted)
    shell.emit(found, to_json(found))


def _shown(policy: RolePolicy) -> Mapping[str, Any]:
    return {"Accounts": policy.accounts, "Policies": policy.documents, "ByHand": policy.by_hand}


def _is_plan(path: Path) -> bool:
    return path.suffix in (".actions", ".json")


def _plan_file(path: Path) -> Source:
    from pydantic import ValidationError

    from core_lib.framework.models import Plan

    try:
        plan = Plan.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise InputError(f"not a plan: {error.errors()[0]['msg']}", where=str(path), hint="core compile --out DIR") from error

    def read(name: str) -> bytes:
        file = path.parent / name
        if not file.is_file():
            raise InputError(f"the plan's file {name} is not beside it", where=str(path), hint="core compile --out DIR")
        return file.read_bytes()

    return [plan], read


def _compiled(
    shell: Shell, package: Path, deployment: DeploymentOptions, targets: TargetOptions, registry: list[Path] | None
) -> Source:
    compilation = compile_package(shell, package, deployment, targets, registry)
    return list(compilation.plans.values()), compilation.files.__getitem__
