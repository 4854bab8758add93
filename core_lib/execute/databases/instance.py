"""A database instance as RDS describes it: is it settled, and which of the wanted values does it not have yet?

Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstance.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from core_lib.execute.refusals import code_of

SETTLED = frozenset({"available", "storage-optimization"})
"""The instance can be used and modified (storage is optimized for hours in the background)."""

BROKEN = frozenset({
    "failed", "storage-full", "inaccessible-encryption-credentials", "inaccessible-encryption-credentials-recoverable",
    "incompatible-network", "incompatible-option-group", "incompatible-parameters", "incompatible-restore", "restore-error",
    "insufficient-capacity", "deleting",
})  # fmt: skip
"""It does not get out of these by itself."""

_NO_VALUES = frozenset({"DBInstanceIdentifier", "ApplyImmediately", "AllowMajorVersionUpgrade"})
"""They say which instance and how, not what it should be."""

_SHOWN_AS: Mapping[str, str] = {
    "NewDBInstanceIdentifier": "DBInstanceIdentifier", "EnableIAMDatabaseAuthentication": "IAMDatabaseAuthenticationEnabled",
    "EnablePerformanceInsights": "PerformanceInsightsEnabled", "EnableCustomerOwnedIp": "CustomerOwnedIpEnabled",
}  # fmt: skip
"""Names that a value has in the answer, where it has another one than in the request."""


def _names_in(key: str, name: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda instance: sorted(str(each.get(name)) for each in instance.get(key, []))


_SHOWN_IN: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "DBParameterGroupName": _names_in("DBParameterGroups", "DBParameterGroupName"),
    "OptionGroupName": _names_in("OptionGroupMemberships", "OptionGroupName"),
    "VpcSecurityGroupIds": _names_in("VpcSecurityGroups", "VpcSecurityGroupId"),
    "DBSecurityGroups": _names_in("DBSecurityGroups", "DBSecurityGroupName"),
    "DBSubnetGroupName": lambda instance: instance.get("DBSubnetGroup", {}).get("DBSubnetGroupName"),
    "ManageMasterUserPassword": lambda instance: "MasterUserSecret" in instance,
    "CloudwatchLogsExportConfiguration": lambda instance: sorted(instance.get("EnabledCloudwatchLogsExports", [])),
    "DBPortNumber": lambda instance: instance.get("Endpoint", {}).get("Port"),
}


def find_instance(rds: Any, *identities: str) -> Mapping[str, Any] | None:
    """The first of these instances that there is (a renamed one has one of two names); None when there is none."""
    for identity in identities:
        try:
            found: Mapping[str, Any] = rds.describe_db_instances(DBInstanceIdentifier=identity)["DBInstances"][0]
        except ClientError as error:
            if code_of(error) not in ("DBInstanceNotFound", "DBInstanceNotFoundFault"):
                raise
        else:
            return found
    return None


def differences(wanted: Mapping[str, Any], instance: Mapping[str, Any]) -> list[str]:
    """Names of wanted values that the instance does not have, or of which it does not tell whether it has them."""
    return [name for name, value in wanted.items() if name not in _NO_VALUES and not _same(name, value, shown(name, instance))]


def not_pending(names: list[str], wanted: Mapping[str, Any], instance: Mapping[str, Any]) -> list[str]:
    """Those of the names whose wanted value does not wait for the next maintenance window already."""
    pending = instance.get("PendingModifiedValues", {})
    return [name for name in names if not _same(name, wanted[name], pending.get(_pending_name(name)))]


def shown(name: str, instance: Mapping[str, Any]) -> Any:
    """The value that a request calls `name`, as the instance has it; None when it does not tell."""
    read = _SHOWN_IN.get(name)
    return read(instance) if read else instance.get(_SHOWN_AS.get(name, name))


def _pending_name(name: str) -> str:
    return {"DBPortNumber": "Port"}.get(name, _SHOWN_AS.get(name, name))


def _same(name: str, wanted: Any, found: Any) -> bool:
    if found is None:
        return False
    if name == "CloudwatchLogsExportConfiguration":
        return set(wanted.get("EnableLogTypes", [])) <= set(found) and not set(wanted.get("DisableLogTypes", [])) & set(found)
    if isinstance(found, list):
        return sorted(str(each) for each in (wanted if isinstance(wanted, (list, tuple)) else [wanted])) == found
    if isinstance(wanted, bool) or isinstance(found, bool):
        return wanted is found
    left, right = str(wanted).lower(), str(found).lower()
    return left == right or (name == "EngineVersion" and right.startswith(f"{left}."))
