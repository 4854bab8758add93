"""Which AWS call is this? Service, operation, region and key of a request, read from what the SDKs send.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html (credential scope), and the wire
protocols at https://smithy.io/2.0/aws/protocols/index.html.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, unquote

from deployments.local.gateway.rest_names import rest_operation

Protocol = Literal["json", "query", "ec2", "s3", "rest-xml", "rest-json", "cbor"]

_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_ACTION = re.compile(rb"(?:^|&)Action=([A-Za-z0-9]+)")
_CBOR_PATH = re.compile(r"^/service/[^/]+/operation/([A-Za-z0-9]+)$")
_REST_XML_SERVICES = frozenset({"route53", "cloudfront"})
_UNSIGNED_STS = frozenset({"AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"})


@dataclass(frozen=True, slots=True)
class Call:
    """One AWS call as the gateway understands it; unsigned requests have an empty service and key."""

    service: str
    operation: str
    region: str
    access_key: str
    protocol: Protocol


def form_fields(body: bytes) -> dict[str, str]:
    """The fields of a query-protocol body; the last value wins for a repeated name."""
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def name_call(method: str, raw_path: str, headers: Mapping[str, str], body: bytes) -> Call:
    """Name the call; an operation that cannot be recognised is called `METHOD /path`."""
    path, _, query = raw_path.partition("?")
    key, region, service = _credential(headers, query)
    target = headers.get("X-Amz-Target")
    if target:
        return Call(service, target.rsplit(".", 1)[-1], region, key, "json")
    if service == "s3":
        return Call(service, rest_operation(service, method, path, query, headers), region, key, "s3")
    action = _action(method, query, headers, body)
    if action:
        service = service or ("sts" if action in _UNSIGNED_STS else "")
        return Call(service, action, region, key, "ec2" if service == "ec2" else "query")
    cbor = _CBOR_PATH.match(path)
    if cbor and method == "POST":
        return Call(service, cbor[1], region, key, "cbor")
    protocol: Protocol = "rest-xml" if service in _REST_XML_SERVICES else "rest-json"
    return Call(service, rest_operation(service, method, path, query, headers), region, key, protocol)


def _credential(headers: Mapping[str, str], query: str) -> tuple[str, str, str]:
    found = _SCOPE.search(headers.get("Authorization", ""))
    if not found and "X-Amz-Credential=" in query:
        found = _SCOPE.search(unquote(query).replace("X-Amz-Credential=", "Credential="))
    return (found[1], found[2], found[3]) if found else ("", "", "")


def _action(method: str, query: str, headers: Mapping[str, str], body: bytes) -> str:
    if method == "POST" and headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        found = _ACTION.search(body)
    elif "Action=" in query:
        found = _ACTION.search(query.encode())
    else:
        return ""
    return found[1].decode() if found else ""
