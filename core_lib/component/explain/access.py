"""Who may do what: the statements of roles, of policies, and of what resources say about themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core_lib.component.explain.words import Words, listed
from core_lib.component.model import StageTemplate
from core_lib.framework.models import Message

ANYBODY = "anybody"
TAKE_ON = "take on the role"
_INLINE = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group")
_POLICIES = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy")
_OWN_POLICY: Mapping[str, tuple[str, str | None]] = {
    "AWS::ECR::Repository": ("RepositoryPolicyText", None),
    "AWS::EFS::FileSystem": ("FileSystemPolicy", None),
    "AWS::Events::EventBusPolicy": ("Statement", "EventBusName"),
    "AWS::KMS::Key": ("KeyPolicy", None),
    "AWS::OpenSearchService::Domain": ("AccessPolicies", None),
    "AWS::S3::BucketPolicy": ("PolicyDocument", "Bucket"),
    "AWS::SNS::TopicPolicy": ("PolicyDocument", "Topics"),
    "AWS::SQS::QueuePolicy": ("PolicyDocument", "Queues"),
    "AWS::SecretsManager::ResourcePolicy": ("ResourcePolicy", "SecretId"),
}


class Permission(Message):
    """`who` may (or, with `denied`, may not) do `actions` on `resources`, `only_if` the condition holds."""

    stage: str
    who: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    denied: bool = False
    only_if: str | None = None
    policy: str


def permissions_of(owner: str, template: StageTemplate, *, only: str | None = None) -> Iterator[Permission]:
    """Every statement of a template that allows or denies something, said from the side of `owner`.

    With `only`, those alone of policies for roles of this component.
    """
    words = Words(owner, template)
    for name, resource in (template.body.get("Resources") or {}).items():
        kind, properties = resource.get("Type"), resource.get("Properties") or {}
        if only is not None and not _is_for(properties, words, only):
            continue
        if kind in _INLINE:
            yield from _of_role(template.stage, name, properties, words)
        elif kind in _POLICIES:
            holders = [properties.get(key) for key in ("Roles", "Users", "Groups", "RoleName") if properties.get(key)]
            who = listed(words.say(holder) for holder in holders) if holders else f"whoever has {name}"
            yield from _statements(template.stage, name, properties.get("PolicyDocument"), words, who=who)
        elif kind in _OWN_POLICY:
            key, about = _OWN_POLICY[kind]
            resource_name = words.say(properties.get(about)) if about else name
            yield from _statements(template.stage, name, properties.get(key), words, what=resource_name)
        elif kind == "AWS::Lambda::Permission":
            yield _caller(template.stage, name, properties, words)


def _is_for(properties: Mapping[str, Any], words: Words, component: str) -> bool:
    wires = (words.wire(role) for role in _each(properties.get("Roles")))
    return any(wire is not None and wire.owner == component for wire in wires)


def _of_role(stage: str, name: str, properties: Mapping[str, Any], words: Words) -> Iterator[Permission]:
    for statement in _each((properties.get("AssumeRolePolicyDocument") or {}).get("Statement")):
        yield Permission(
            stage=stage, who=_principal(statement, words), actions=(TAKE_ON,), resources=(name,), policy=name,
            denied=statement.get("Effect") == "Deny", only_if=_condition(statement, words),
        )  # fmt: skip
    for policy in properties.get("Policies") or ():
        title = words.say(policy.get("PolicyName", name))
        yield from _statements(stage, title, policy.get("PolicyDocument"), words, who=name)
    for arn in properties.get("ManagedPolicyArns") or ():
        title = words.say(arn).rsplit("/", 1)[-1]
        yield Permission(stage=stage, who=name, actions=(f"whatever {title} allows",), resources=(), policy=title)


def _statements(
    stage: str, policy: str, document: Any, words: Words, *, who: str | None = None, what: str | None = None
) -> Iterator[Permission]:
    """The statements of a policy: of somebody (`who`), or about something (`what`)."""
    found = document.get("Statement", document) if isinstance(document, Mapping) else document
    for statement in _each(found):
        if not isinstance(statement, Mapping) or "Effect" not in statement:
            continue
        targets = tuple(words.say(item) for item in _each(statement.get("Resource")))
        yield Permission(
            stage=stage,
            who=who or _principal(statement, words),
            actions=tuple(words.say(item) for item in _each(statement.get("Action", statement.get("NotAction")))),
            resources=(what,) if what and targets in ((), ("*",)) else targets,
            denied=statement["Effect"] == "Deny",
            only_if=_condition(statement, words),
            policy=policy,
        )


def _caller(stage: str, name: str, properties: Mapping[str, Any], words: Words) -> Permission:
    sources = [words.say(properties[key]) for key in ("SourceArn", "SourceAccount") if key in properties]
    return Permission(
        stage=stage, who=words.say(properties.get("Principal")), actions=(words.say(properties.get("Action")),),
        resources=(words.say(properties.get("FunctionName")),), policy=name,
        only_if=f"it calls for {listed(sources)}" if sources else None,
    )  # fmt: skip


def _principal(statement: Mapping[str, Any], words: Words) -> str:
    principal = statement.get("Principal", "*")
    if principal == "*" or principal == {"AWS": "*"}:
        return ANYBODY
    if isinstance(principal, Mapping):
        return listed(words.say(item) for value in principal.values() for item in _each(value))
    return words.say(principal)


def _condition(statement: Mapping[str, Any], words: Words) -> str | None:
    condition = statement.get("Condition")
    if not isinstance(condition, Mapping):
        return None
    parts = [
        f"{key} {_operator(operator)} {' or '.join(words.say(item) for item in _each(value))}"
        for operator, tests in condition.items()
        if isinstance(tests, Mapping)
        for key, value in tests.items()
    ]
    return " and ".join(parts) or None


def _operator(name: str) -> str:
    if "Not" in name:
        return "is not"
    return "is like" if "Like" in name else "is"


def _each(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [] if value is None else [value]
