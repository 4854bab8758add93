"""The least-privilege policy of a plan: what its actions declare, narrowed to what they name, and nothing else.

permissions of the kinds + scope(spec) -> needs -> statements -> documents of at most 6,144 characters
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from core_lib.execute.kinds import Kinds, catalogue
from core_lib.execute.preflight import PERMISSIONS as PREFLIGHT
from core_lib.execute.template_permissions import template_permissions
from core_lib.framework.models import Plan, PlanAction, Target

LARGEST_DOCUMENT = 6144
"""Characters of a managed policy, white space not counted.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""

EVERYTHING = "*"
Needs = Mapping[str, frozenset[str]]
"""Resources (ARN patterns) by permission."""

_EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_REGIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


@dataclass(frozen=True)
class RolePolicy:
    """What the deploy roles of these accounts need. `by_hand`: resource types whose permissions nobody has told."""

    accounts: tuple[str, ...]
    documents: tuple[Mapping[str, Any], ...]
    by_hand: tuple[str, ...] = ()


def role_policies(
    plans: Iterable[Plan], read: Callable[[str], bytes], *, per_account: bool = False, kinds: Kinds | None = None
) -> list[RolePolicy]:
    """One policy for all accounts that need the same, or one for each. `read` gives templates by their artefact key.

    A policy for several accounts has `*` where ARNs name the account: the role reaches no other account's resources with that
    unless they let it in themselves.
    """
    known = catalogue() if kinds is None else kinds
    by_account: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    by_hand: dict[str, set[str]] = defaultdict(set)
    for plan in plans:
        for action in plan.actions:
            target = plan.target_by_key[action.target]
            own = action_needs(action, target, known)
            for account in (target.account, *known[action.kind].other_accounts(action.spec)):
                _add(by_account[account], own)
            if known[action.kind].stack_fields and not known[action.kind].reads_only:
                _add(by_account[target.account], dict.fromkeys(PREFLIGHT, frozenset({EVERYTHING})))
            permissions, unknown = _template_needs(plan, action, read)
            _add(by_account[target.account], permissions)
            by_hand[target.account] |= unknown
    groups: dict[str, list[str]] = defaultdict(list)
    for account, needs in sorted(by_account.items()):
        shape = {name: sorted(in_account(arn, account, EVERYTHING) for arn in arns) for name, arns in needs.items()}
        groups[account if per_account else json.dumps([shape, sorted(by_hand[account])], sort_keys=True)].append(account)
    return [_role_policy(accounts, by_account, by_hand) for accounts in groups.values()]


def action_needs(action: PlanAction, target: Target, kinds: Kinds) -> Needs:
    """The permissions of one action, each with the resources it is for."""
    kind = kinds[action.kind]
    scope = kind.scope(action.spec, target, partition_of(target.region))
    needs: dict[str, frozenset[str]] = {}
    for permission in kind.permissions:
        arns = scope.get(permission, scope.get(f"{permission.partition(':')[0]}:*", (EVERYTHING,)))
        if arns:
            needs[permission] = frozenset(_EXPRESSION.sub(EVERYTHING, arn) for arn in arns)
    return needs


def documents_of(needs: Needs) -> tuple[Mapping[str, Any], ...]:
    """Policy documents that together allow exactly these needs, each small enough for a managed policy."""
    by_resources: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for permission, arns in sorted(needs.items()):
        by_resources[_without_covered(arns)].append(permission)
    documents: list[list[Mapping[str, Any]]] = [[]]
    for resources, permissions in sorted(by_resources.items(), key=lambda item: (item[1], item[0])):
        for statement in _statements(permissions, list(resources)):
            if documents[-1] and size_of(_document([*documents[-1], statement])) > LARGEST_DOCUMENT:
                documents.append([])
            documents[-1].append(statement)
    return tuple(_document(statements) for statements in documents if statements)


def trust_policy(principal: str, external_id: str | None = None) -> Mapping[str, Any]:
    """Who may assume the role: an ARN or account id, with the external id when there is one."""
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    if external_id is not None:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    return _document([statement])


def in_account(arn: str, account: str, other: str) -> str:
    """An ARN of this account as that of another one; all other ARNs stay."""
    parts = arn.split(":", 5)
    return ":".join([*parts[:4], other, parts[5]]) if len(parts) == 6 and parts[4] == account else arn


def size_of(document: Mapping[str, Any]) -> int:
    """Characters of a document as IAM counts them."""
    return len(json.dumps(document, separators=(",", ":"), ensure_ascii=False))


def partition_of(region: str) -> str:
    """The partition a region lies in."""
    return next((partition for prefix, partition in _REGIONS.items() if region.startswith(prefix)), "aws")


def _role_policy(accounts: list[str], needs: Mapping[str, Mapping[str, set[str]]], by_hand: Mapping[str, set[str]]) -> RolePolicy:
    first = accounts[0]
    found = {permission: frozenset(arns) for permission, arns in needs[first].items()}
    if len(accounts) > 1:
        found = {name: frozenset(in_account(arn, first, EVERYTHING) for arn in arns) for name, arns in found.items()}
    return RolePolicy(tuple(accounts), documents_of(found), tuple(sorted(by_hand[first])))


def _template_needs(plan: Plan, action: PlanAction, read: Callable[[str], bytes]) -> tuple[Needs, set[str]]:
    """What CloudFormation does with the deploy role's permissions; with a role of its own, that role has to be passed."""
    role, template = action.spec.get("RoleArn"), action.spec.get("Template")
    if role:
        return {"iam:PassRole": frozenset({_EXPRESSION.sub(EVERYTHING, str(role))})}, set()
    if not isinstance(template, str) or _EXPRESSION.search(template):
        return {}, set()
    file = plan.file_by_path.get(template)
    permissions, unknown = template_permissions(read(file.key if file else template), template)
    return dict.fromkeys(permissions, frozenset({EVERYTHING})), set(unknown)


def _add(into: dict[str, set[str]], needs: Needs) -> None:
    for permission, arns in needs.items():
        into[permission] |= arns


def _without_covered(arns: Iterable[str]) -> tuple[str, ...]:
    """The ARNs that no other pattern among them allows already, in a fixed order."""
    found = sorted(set(arns))
    wild = [arn for arn in found if EVERYTHING in arn or "?" in arn]
    return tuple(arn for arn in found if not any(other != arn and fnmatchcase(arn, other) for other in wild))


def _statements(permissions: list[str], arns: list[str]) -> Iterator[Mapping[str, Any]]:
    """One statement, halved as long as it is too large for a document of its own."""
    statement = {"Effect": "Allow", "Action": _one_or_list(permissions), "Resource": _one_or_list(arns)}
    if size_of(_document([statement])) <= LARGEST_DOCUMENT or len(permissions) == len(arns) == 1:
        yield statement
    elif len(permissions) >= len(arns):
        half = len(permissions) // 2
        yield from _statements(permissions[:half], arns)
        yield from _statements(permissions[half:], arns)
    else:
        half = len(arns) // 2
        yield from _statements(permissions, arns[:half])
        yield from _statements(permissions, arns[half:])


def _one_or_list(items: list[str]) -> str | list[str]:
    return items[0] if len(items) == 1 else items


def _document(statements: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}
