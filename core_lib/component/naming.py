"""Names of a component: its stacks, its resources' names, its DNS names. They follow from the PRN alone.

Sources of the lengths: the service quotas of CloudFormation (stack name 128), Route 53 (label 63), S3 (bucket 63), IAM (role 64).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core_lib.component.model import APPLICATION
from core_lib.component.network import vpc_alias
from core_lib.framework.codecs import sha256_hex
from core_lib.framework.errors import CompileError
from core_lib.renderer import shorten_unique

STACK_NAME = 128
BRANCH_STAGES = ("security", "rules-base", "release")
"""Stages whose stacks all builds of a branch share."""
APP_STAGES = ("kms",)
OWN_STAGES = ("rules", "pointers")
"""Stages that every build has for itself, also when it has its resources from another: they hold these, and go with the build."""
STAGES = ("security", "rules-base", "context", "logs", "bake", "resources", "rules", "pointers", "release")
_LONGEST_BASE = STACK_NAME - 20
_DNS_LABEL = 63
_BUCKET_NAME = 63
_ROLE_NAME = 64
_OWNER_LENGTH = 8


@dataclass(frozen=True)
class Names:
    """Names of one component; all lower case. `dns` is None when no hosted zone is known."""

    prn: str
    build_name: str
    build: str
    branch: str
    app: str
    stacks: Mapping[str, str]
    dns: Mapping[str, Any] | None = field(default=None)


def names_of(facts: Mapping[str, Any], component: str, build: str) -> Names:
    """The names of a component in the deployment that the facts are of.

    Args:
        facts: with Portfolio, App, BranchShortName; Environment as far as known.
        component: its name.
        build: the build in the names of its resources: the deployment's, or that of PersistUpdateVersion.
    """
    portfolio, app, branch, own = (str(facts[name]) for name in ("Portfolio", "App", "BranchShortName", "Build"))
    named = _lower(portfolio, app, branch, component)
    built = _lower(portfolio, app, branch, build, component)
    owned = _lower(portfolio, app, str(facts.get("Environment") or branch))
    bases = dict.fromkeys(BRANCH_STAGES, named) | dict.fromkeys(OWN_STAGES, _lower(portfolio, app, branch, own, component))
    stacks = {stage: stack_name(bases.get(stage, built), stage) for stage in STAGES}
    stacks |= {stage: stack_name(owned, stage) for stage in APP_STAGES}
    prn = f"prn:{portfolio}:{app}:{branch}:{own}"
    return Names(
        prn if component == APPLICATION else f"{prn}:{component}",
        build,
        built,
        named,
        owned,
        stacks,
        _dns(facts, component, own),
    )


def stack_name(base: str, stage: str) -> str:
    """The name of a stage's stack. The stage is always whole, so that stacks of one base can be told from each other."""
    return f"{_short(base, _LONGEST_BASE)}-{stage}"


def bucket_name(base: str, account: str, region: str) -> str:
    """The name of a bucket: `base`, and what tells it from buckets of the same name in other accounts and regions.

    Names of buckets are shared by all of AWS; the same deployment in another account must not meet this one.
    """
    owner = sha256_hex(f"{account}:{region}")[:_OWNER_LENGTH]
    return f"{_short(_lower(base), _BUCKET_NAME - _OWNER_LENGTH - 1)}-{owner}"


def role_name(branch_name: str, role: str) -> str:
    """The name of a role of a component, in its account. `branch_name` is the component's name without the build."""
    return _short(f"{branch_name}-{role.lower()}", _ROLE_NAME)


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else shorten_unique(text, length)


def _lower(*parts: str) -> str:
    return "-".join(part.replace(".", "-").replace("_", "-").lower().strip("-") for part in parts)


def _dns(facts: Mapping[str, Any], component: str, build: str) -> Mapping[str, Any] | None:
    """`component.branch-build.app.portfolio.zone`, and without the build for what is released."""
    zone_name = facts.get("HostedZoneName")
    if zone_name is None:
        return None
    zone = str(zone_name).rstrip(".")
    portfolio, app, branch = (str(facts[name]).lower() for name in ("Portfolio", "App", "BranchShortName"))
    label = _lower(component)
    released, built = _short(branch, _DNS_LABEL), _short(_lower(branch, build), _DNS_LABEL)
    zone_id: Any = facts.get("HostedZoneId")
    if zone_id is None:
        alias = vpc_alias(facts)
        vpc = None if alias is None else facts["VpcAliases"][alias]
        if not isinstance(vpc, str) or vpc.startswith("vpc-"):
            raise CompileError(
                "the fact HostedZoneName is known, and HostedZoneId is not",
                where="facts",
                hint="set HostedZoneId; only with a VPC by name (VpcAliases) it can be an export of the network",
            )
        zone_id = {"Fn::ImportValue": f"{facts.get('ResourceNamespace', '')}:{vpc}:HostedZoneId"}
    return {
        "Zone": zone_id,
        "Name": zone,
        "Build": f"{label}.{built}.{app}.{portfolio}.{zone}",
        "Release": f"{label}.{released}.{app}.{portfolio}.{zone}",
    }
