"""Clients that answer from a script: real boto3 clients whose calls and answers are checked against the service's model.

For kinds whose calls no emulator has, and for refusals that no emulator makes. Paginators and helpers of the client work as ever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

Answer = dict[str, Any] | Exception | Callable[..., Any] | list[Any]


def refusal(code: str, message: str = "no", operation: str = "Call", status: int = 400) -> ClientError:
    """What boto3 raises when AWS says no."""
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, operation)  # type: ignore[arg-type]


def scripted(service: str, *, region: str = "eu-west-1", **answers: Answer) -> Any:
    """A client; `answers` by method name: an answer for every call, an error to raise, a function of the call's arguments, or a
    list of these for one call after the other. `client.calls` has what was called: (method, arguments)."""
    client = boto3.client(service, region_name=region, aws_access_key_id="x", aws_secret_access_key="y")
    client.calls = []

    def call(operation: str, arguments: dict[str, Any]) -> Any:
        model = client.meta.service_model.operation_model(operation)
        name = xform_name(operation)
        _check(arguments, model.input_shape, f"{name} takes")
        client.calls.append((name, arguments))
        if name not in answers:
            raise AssertionError(f"nobody should call {service}.{name}")
        answer: Any = answers[name]
        answer = answer.pop(0) if isinstance(answer, list) else answer
        if callable(answer):
            answer = answer(**arguments)
        if isinstance(answer, Exception):
            raise answer
        _check(answer or {}, model.output_shape, f"{name} answers")
        return answer or {}

    client._make_api_call = call
    return client


def names(client: Any) -> list[str]:
    """The methods that were called, in order."""
    return [name for name, _ in client.calls]


def _check(value: Any, shape: Any, what: str) -> None:
    if shape is None:
        return
    unknown = set(value) - set(shape.members)
    report = ParamValidator().validate(value, shape)
    if unknown or report.has_errors():
        raise AssertionError(f"{what}: {sorted(unknown) or report.generate_report()}")
