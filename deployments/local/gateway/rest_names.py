"""Names of REST operations: which operation of a service's model fits a method, path and query?

SDKs send no operation name over the REST protocols, so it is found in botocore's own service models (read once per
service). The operation with the most required query keys, then the longest literal path, wins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

# Signing names that differ from the name of the service model.
_MODEL_OF = {
    "elasticfilesystem": "efs",
    "sso": "sso-admin",
    "aps": "amp",
    "ses": "sesv2",
    "execute-api": "apigatewaymanagementapi",
    "s3-object-lambda": "s3",
}
_LABEL = re.compile(r"\{(\w+)(\+?)\}")
# Two operations of S3 share method and path; a header tells them apart.
_COPIES = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}


@dataclass(frozen=True, slots=True)
class _Pattern:
    name: str
    method: str
    path: re.Pattern[str]
    literals: Mapping[str, str]
    required: frozenset[str]

    def fits(self, method: str, path: str, query: Mapping[str, str]) -> bool:
        return (
            method == self.method
            and all(name in query and value in ("", query[name]) for name, value in self.literals.items())
            and self.required <= query.keys()
            and self.path.match(path) is not None
        )


def rest_operation(service: str, method: str, path: str, query: str, headers: Mapping[str, str]) -> str:
    """The operation's name, or `METHOD /path` when the model does not know it."""
    keys = dict(parse_qsl(query, keep_blank_values=True))
    for pattern in _patterns(service):
        if pattern.fits(method, path, keys):
            if service == "s3" and "x-amz-copy-source" in headers:
                return _COPIES.get(pattern.name, pattern.name)
            return pattern.name
    return f"{method} {path}"


@lru_cache(maxsize=64)
def _patterns(service: str) -> tuple[_Pattern, ...]:
    if not re.fullmatch(r"[a-z0-9-]+", service):
        return ()
    name = _MODEL_OF.get(service, service)
    try:
        model = ServiceModel(Loader().load_service_model(name, "service-2"), name)
    except UnknownServiceError:
        return ()
    found = [_pattern(model.operation_model(operation)) for operation in model.operation_names]
    found.sort(key=lambda pattern: (-len(pattern.literals) - len(pattern.required), -len(pattern.path.pattern)))
    return tuple(pattern for pattern in found if pattern.name not in _COPIES.values())


def _pattern(operation: OperationModel) -> _Pattern:
    uri = operation.http.get("requestUri", "/")
    path, _, query = uri.partition("?")
    shape = operation.input_shape
    required: set[str] = set()
    if shape is not None:
        for member in shape.required_members:
            serialization = shape.members[member].serialization
            if serialization.get("location") == "querystring":
                required.add(serialization["name"])
    literals = dict(parse_qsl(query, keep_blank_values=True))
    return _Pattern(operation.name, operation.http.get("method", "POST"), _path_regex(path), literals, frozenset(required))


def _path_regex(template: str) -> re.Pattern[str]:
    parts: list[str] = []
    position = 0
    for label in _LABEL.finditer(template):
        parts.append(re.escape(template[position : label.start()]))
        parts.append(".+" if label[2] else "[^/]+")
        position = label.end()
    parts.append(re.escape(template[position:]))
    return re.compile("".join(parts) + "/?$")
