"""What IAM users of the embedded cloud never have: MiniStack has no way to give them certificates, SSH keys or credentials of
single services, so the lists of these are empty. Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from deployments.local.gateway.answers import Answer, query_answer
from deployments.local.gateway.naming import Call

_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"
_EMPTY = {
    "ListSigningCertificates": "Certificates",
    "ListSSHPublicKeys": "SSHPublicKeys",
    "ListServiceSpecificCredentials": "ServiceSpecificCredentials",
}


def empty_list(call: Call) -> Answer | None:
    """The empty answer of one of these listings; None for every other call."""
    member = _EMPTY.get(call.operation)
    if call.service != "iam" or member is None:
        return None
    return query_answer(call.operation, f"<{member}/><IsTruncated>false</IsTruncated>", _NAMESPACE)
