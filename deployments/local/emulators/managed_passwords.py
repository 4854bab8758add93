"""What MiniStack's CloudFormation leaves out of RDS: the secret of a password that RDS manages itself.

Its RDS API knows such secrets, but its resources AWS::RDS::DBInstance and AWS::RDS::DBCluster pass ManageMasterUserPassword over
and have no attribute MasterUserSecret.SecretArn, so every template that does as AWS advises would fail here.

Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html
"""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

Properties = Mapping[str, Any]
Created = tuple[str, Mapping[str, Any]]
_ATTRIBUTE = "MasterUserSecret.SecretArn"


def install() -> None:
    """Teach this process's MiniStack; once, before it serves."""
    from ministack.services import rds
    from ministack.services.cloudformation import provisioners

    for kind, records, prefix in (
        ("AWS::RDS::DBInstance", rds._instances, "db"),
        ("AWS::RDS::DBCluster", rds._clusters, "cluster"),
    ):
        provisioners._RESOURCE_HANDLERS[kind] = _taught(provisioners._RESOURCE_HANDLERS[kind], records, prefix)


def _taught(
    handler: Mapping[str, Any], records: MutableMapping[str, dict[str, Any]], prefix: str
) -> dict[str, Callable[..., Any] | bool]:
    """The handler of a resource type, with the secret made, told and taken away."""

    from ministack.services import secretsmanager

    def create(logical_id: str, properties: Properties, stack_name: str) -> Created:
        name, attributes = handler["create"](logical_id, properties, stack_name)
        return name, {**attributes, **_secret_of(records.get(name), properties, prefix)}

    def update(name: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None) -> Created:
        replaced, attributes = handler["update"](name, old, new, stack_name, logical_id)
        return replaced, {**attributes, **_secret_of(records.get(replaced), new, prefix)}

    def delete(name: str, properties: Properties) -> None:
        managed = (records.get(name) or {}).get("MasterUserSecret")
        handler["delete"](name, properties)
        if managed:
            secretsmanager.delete_secret_in_process(managed["SecretArn"])

    return {**handler, "create": create, "update": update, "delete": delete}


def _secret_of(record: dict[str, Any] | None, properties: Properties, prefix: str) -> dict[str, str]:
    """The attribute that names the secret; the secret is made at the first time."""
    if record is None or str(properties.get("ManageMasterUserPassword")).lower() != "true":
        return {}
    if not record.get("MasterUserSecret"):
        from ministack.services import secretsmanager

        content = {"username": record.get("MasterUsername"), "password": secrets.token_urlsafe(24)}
        arn = secretsmanager.create_secret_in_process(f"rds!{prefix}-{uuid.uuid4()}", json.dumps(content))
        key = (properties.get("MasterUserSecret") or {}).get("KmsKeyId", "")
        record["MasterUserSecret"] = {"SecretArn": arn, "SecretStatus": "active", "KmsKeyId": key}
    return {_ATTRIBUTE: record["MasterUserSecret"]["SecretArn"]}
