"""Secrets by reference: a plan names where a secret lies, and it is read at the very moment it is needed.

The notation is CloudFormation's, with or without its braces:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from core_lib.execute.action import ClientFactory
from core_lib.framework.errors import ActionFailedError
from core_lib.framework.models import Target

PERMISSIONS = ("secretsmanager:GetSecretValue", "ssm:GetParameter", "kms:Decrypt")
"""What reading a secret may need."""

NOTATION = "resolve:secretsmanager:NAME:SecretString:KEY or resolve:ssm-secure:NAME"
_BRACES = re.compile(r"^\{\{\s*(.*?)\s*\}\}$")
_SECRET = re.compile(
    r"resolve:secretsmanager:(?P<id>arn:[a-z-]+:secretsmanager:[a-z0-9-]+:\d{12}:secret:[^:{}]+|[A-Za-z0-9/_+=.@-]+)"
    r"(?::SecretString(?::(?P<key>[^:{}]*))?(?::(?P<stage>[^:{}]*))?(?::(?P<version>[^:{}]*))?)?"
)
_PARAMETER = re.compile(r"resolve:ssm(?:-secure)?:(?P<name>[A-Za-z0-9/_.-]+)(?::(?P<version>\d+))?")


def _plain(text: str) -> str:
    found = _BRACES.match(text.strip())
    return found.group(1) if found else text.strip()


def _checked(text: str) -> str:
    plain = _plain(text)
    if not (_SECRET.fullmatch(plain) or _PARAMETER.fullmatch(plain)):
        raise ValueError(f"a secret is given by reference: {NOTATION}")
    return plain


SecretReference = Annotated[
    str,
    AfterValidator(_checked),
    Field(description=f"Where the secret lies: {NOTATION}"),
]
"""A parameter that names a secret; the secret itself cannot be written here."""


def read_secret(reference: str, client: ClientFactory) -> str:
    """The secret behind a reference, in the action's target. Raises ActionFailedError when the secret has no such key."""
    plain = _plain(reference)
    if found := _PARAMETER.fullmatch(plain):
        name = f"{found['name']}:{found['version']}" if found["version"] else found["name"]
        return str(client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
    named = _SECRET.fullmatch(plain)
    if named is None:
        raise AssertionError("references are checked when parameters are read")
    asked = {"SecretId": named["id"], "VersionStage": named["stage"], "VersionId": named["version"]}
    text = client("secretsmanager").get_secret_value(**{key: value for key, value in asked.items() if value}).get("SecretString")
    if text is None:
        raise ActionFailedError(f"the secret {named['id']} is binary", hint="store it as text")
    return _member(text, named["key"], named["id"]) if named["key"] else str(text)


def _member(text: str, key: str, name: str) -> str:
    try:
        return str(json.loads(text)[key])
    except (ValueError, KeyError, TypeError):
        raise ActionFailedError(f"the secret {name} has no key {key!r}", hint="look at the secret in Secrets Manager") from None


def secrets_scope(references: Iterable[str], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
    """The ARNs of the secrets that are named, by permission; a permission that none of them needs has none."""
    secrets: list[str] = []
    parameters: list[str] = []
    for plain in map(_plain, references):
        if found := _PARAMETER.fullmatch(plain):
            parameters.append(f"arn:{partition}:ssm:{target.region}:{target.account}:parameter/{found['name'].lstrip('/')}")
        elif found := _SECRET.fullmatch(plain):
            arn = f"arn:{partition}:secretsmanager:{target.region}:{target.account}:secret:{found['id']}-??????"
            secrets.append(found["id"] if found["id"].startswith("arn:") else arn)
        else:
            secrets.append("*")
            parameters.append("*")
    keys = (f"arn:{partition}:kms:{target.region}:{target.account}:key/*",) if secrets or parameters else ()
    return {
        "secretsmanager:GetSecretValue": tuple(secrets), "ssm:GetParameter": tuple(parameters), "kms:Decrypt": keys,
    }  # fmt: skip
