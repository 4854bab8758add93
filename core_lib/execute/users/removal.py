"""Deleting a user. IAM deletes only a user that nothing is left of: keys, certificates, policies, groups, devices ..."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from core_lib.execute.users.live import is_missing

PERMISSIONS = (
    "iam:DeleteUser", "iam:DeleteLoginProfile", "iam:ListAccessKeys", "iam:DeleteAccessKey", "iam:ListSigningCertificates",
    "iam:DeleteSigningCertificate", "iam:ListSSHPublicKeys", "iam:DeleteSSHPublicKey", "iam:ListServiceSpecificCredentials",
    "iam:DeleteServiceSpecificCredential", "iam:ListMFADevices", "iam:DeactivateMFADevice", "iam:DeleteVirtualMFADevice",
    "iam:ListUserPolicies", "iam:DeleteUserPolicy", "iam:ListAttachedUserPolicies", "iam:DetachUserPolicy",
    "iam:ListGroupsForUser", "iam:RemoveUserFromGroup",
)  # fmt: skip


def delete_user(iam: Any, name: str) -> bool:
    """Take the user apart and delete it. Answers whether there was one; what somebody else removes meanwhile is fine."""
    _drop(iam.delete_login_profile, UserName=name)
    for key in _all(iam.list_access_keys, "AccessKeyMetadata", name):
        _drop(iam.delete_access_key, UserName=name, AccessKeyId=key["AccessKeyId"])
    for certificate in _all(iam.list_signing_certificates, "Certificates", name):
        _drop(iam.delete_signing_certificate, UserName=name, CertificateId=certificate["CertificateId"])
    for key in _all(iam.list_ssh_public_keys, "SSHPublicKeys", name):
        _drop(iam.delete_ssh_public_key, UserName=name, SSHPublicKeyId=key["SSHPublicKeyId"])
    for credential in _all(iam.list_service_specific_credentials, "ServiceSpecificCredentials", name):
        identity = credential["ServiceSpecificCredentialId"]
        _drop(iam.delete_service_specific_credential, UserName=name, ServiceSpecificCredentialId=identity)
    _drop_devices(iam, name)
    for policy in _all(iam.list_user_policies, "PolicyNames", name):
        _drop(iam.delete_user_policy, UserName=name, PolicyName=policy)
    for attached in _all(iam.list_attached_user_policies, "AttachedPolicies", name):
        _drop(iam.detach_user_policy, UserName=name, PolicyArn=attached["PolicyArn"])
    for group in _all(iam.list_groups_for_user, "Groups", name):
        _drop(iam.remove_user_from_group, UserName=name, GroupName=group["GroupName"])
    return _drop(iam.delete_user, UserName=name)


def _drop_devices(iam: Any, name: str) -> None:
    """Virtual devices have an ARN as serial number and are deleted; hardware ones are only taken from the user."""
    for device in _all(iam.list_mfa_devices, "MFADevices", name):
        serial = device["SerialNumber"]
        _drop(iam.deactivate_mfa_device, UserName=name, SerialNumber=serial)
        if ":mfa/" in serial:
            _drop(iam.delete_virtual_mfa_device, SerialNumber=serial)


def _all(method: Callable[..., Mapping[str, Any]], member: str, name: str) -> Iterator[Any]:
    """Everything that a listing has, all pages; nothing of a user that is not there.

    Read to the end before anything is deleted, because deleting moves what follows to earlier pages.
    """
    found: list[Any] = []
    marker: dict[str, str] = {}
    while True:
        try:
            page = method(UserName=name, **marker)
        except ClientError as error:
            if is_missing(error):
                return iter(())
            raise
        found += page.get(member, [])
        if not page.get("IsTruncated"):
            return iter(found)
        marker = {"Marker": page["Marker"]}


def _drop(method: Callable[..., Any], **what: Any) -> bool:
    """Whether the call removed something; that there is nothing to remove is fine."""
    try:
        method(**what)
    except ClientError as error:
        if is_missing(error):
            return False
        raise
    return True
