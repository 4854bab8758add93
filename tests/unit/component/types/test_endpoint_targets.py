"""The function of AWS::VPCEndpoint_external that keeps the targets in step, against clients that answer from a script."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPSConnection
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

import core_lib.component
from tests.builders.scripted import names, scripted

GROUP = "arn:aws:elasticloadbalancing:eu-west-1:111111111111:targetgroup/it/0123456789abcdef"
CODE = Path(core_lib.component.__file__).parent / "types/AWS/VPCEndpoint_external/sync.py"
CONTEXT = SimpleNamespace(log_stream_name="stream")


class Sync:
    """The function's code in a module of its own, an endpoint with addresses, and a target group."""

    def __init__(self, patch: pytest.MonkeyPatch, addresses: list[str], targets: Mapping[str, str]) -> None:
        interfaces = [{"PrivateIpAddress": address} for address in addresses]
        health = [{"Target": {"Id": address}, "TargetHealth": {"State": state}} for address, state in targets.items()]
        self.ec2 = scripted(
            "ec2", describe_vpc_endpoints={"VpcEndpoints": [{"NetworkInterfaceIds": ["eni-1"]}]},
            describe_network_interfaces={"NetworkInterfaces": interfaces},
        )  # fmt: skip
        self.elb = scripted(
            "elbv2", describe_target_health={"TargetHealthDescriptions": health}, register_targets={}, deregister_targets={}
        )
        patch.setattr(boto3, "client", {"ec2": self.ec2, "elbv2": self.elb}.__getitem__)
        for name, value in {"ENDPOINT": "vpce-1", "TARGET_GROUP": GROUP, "PORT": "8443"}.items():
            patch.setenv(name, value)
        self.sent: list[tuple[str, dict[str, Any]]] = []
        patch.setattr(
            HTTPSConnection, "request", lambda _self, _verb, path, body, _headers: self.sent.append((path, json.loads(body)))
        )
        patch.setattr(HTTPSConnection, "getresponse", lambda _self: SimpleNamespace(read=lambda: b""))
        spec = spec_from_file_location("sync", CODE)
        assert spec is not None
        assert spec.loader is not None
        self.module = module_from_spec(spec)
        spec.loader.exec_module(self.module)

    def call(self, event: Mapping[str, Any]) -> Any:
        return self.module.handler(dict(event), CONTEXT)

    def changed(self, method: str) -> list[str]:
        return [each["Id"] for name, told in self.elb.calls if name == method for each in told["Targets"]]


def asked(request: str) -> dict[str, str]:
    """What CloudFormation sends."""
    return {
        "RequestType": request, "ResponseURL": "https://answers.example/a?b=c", "StackId": "s", "RequestId": "r",
        "LogicalResourceId": "Targets",
    }  # fmt: skip


def test_targets_when_addresses_changed_then_new_ones_come_and_gone_ones_go(monkeypatch: pytest.MonkeyPatch) -> None:
    sync = Sync(monkeypatch, ["10.0.0.1", "10.0.0.2"], {"10.0.0.2": "healthy", "10.0.0.9": "unhealthy"})
    assert sync.call({}) == {"Addresses": "10.0.0.1,10.0.0.2"}
    assert (sync.changed("register_targets"), sync.changed("deregister_targets")) == (["10.0.0.1"], ["10.0.0.9"])
    assert sync.elb.calls[1][1]["Targets"][0]["Port"] == 8443


def test_targets_when_in_step_then_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    sync = Sync(monkeypatch, ["10.0.0.1"], {"10.0.0.1": "healthy"})
    sync.call({})
    assert names(sync.elb) == ["describe_target_health"]


def test_target_when_it_is_draining_then_it_is_registered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    sync = Sync(monkeypatch, ["10.0.0.1"], {"10.0.0.1": "draining"})
    sync.call({})
    assert sync.changed("register_targets") == ["10.0.0.1"]


def test_answer_when_cloudformation_asks_then_it_hears_the_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    sync = Sync(monkeypatch, ["10.0.0.1"], {})
    sync.call(asked("Create"))
    ((path, told),) = sync.sent
    assert (path, told["Status"], told["Data"], told["PhysicalResourceId"]) == (
        "/a?b=c", "SUCCESS", {"Addresses": "10.0.0.1"}, GROUP,
    )  # fmt: skip


def test_answer_when_the_endpoint_has_no_address_then_cloudformation_hears_why(monkeypatch: pytest.MonkeyPatch) -> None:
    sync = Sync(monkeypatch, [], {})
    sync.call(asked("Update"))
    assert (sync.sent[0][1]["Status"], "has no addresses" in sync.sent[0][1]["Reason"]) == ("FAILED", True)
    with pytest.raises(RuntimeError, match="has no addresses"):
        sync.call({})


def test_answer_when_the_stack_goes_then_nothing_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    sync = Sync(monkeypatch, [], {})
    sync.call(asked("Delete"))
    assert sync.sent[0][1]["Status"] == "SUCCESS"
    assert names(sync.elb) == []
