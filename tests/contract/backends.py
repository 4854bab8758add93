"""The clouds that the contract is held against: the embedded one, LocalStack, and moto behind one lock."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import httpx
from botocore.config import Config
from localstack_client.config import get_service_endpoint

HOME = "123456789012"  # the account that moto takes for its own; good enough for the others
REGION = "eu-west-1"
ROLE = "OrganizationAccountAccessRole"


@dataclass
class Backend:
    """One emulated cloud, and how tests get at it."""

    name: str
    endpoint: str
    _clients: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    _localstack_host: str | None = None

    def client(self, service: str, account: str = HOME, region: str = REGION) -> Any:
        """A client of the home account, or of another one through AssumeRole."""
        wanted = (service, account, region)
        if wanted not in self._clients:
            keys = ("test", "test") if self.name == "moto" else (HOME, "test")
            credentials: dict[str, str] = {"aws_access_key_id": keys[0], "aws_secret_access_key": keys[1]}
            if account != HOME:
                credentials = self._assumed(account, region)
            self._clients[wanted] = self.raw(service, region, credentials)
        return self._clients[wanted]

    def raw(self, service: str, region: str, credentials: dict[str, str]) -> Any:
        """A client with these credentials."""
        config = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}, read_timeout=60)
        return boto3.client(service, endpoint_url=self.address(service), region_name=region, config=config, **credentials)

    def address(self, service: str) -> str:
        """Where a service answers; LocalStack's addresses come from its own client library."""
        if self._localstack_host:
            return str(get_service_endpoint(service, localstack_host=self._localstack_host) or self.endpoint)
        return self.endpoint

    def _assumed(self, account: str, region: str) -> dict[str, str]:
        answer = self.client("sts", region=region).assume_role(
            RoleArn=f"arn:aws:iam::{account}:role/{ROLE}", RoleSessionName="contract"
        )["Credentials"]
        return {
            "aws_access_key_id": answer["AccessKeyId"],
            "aws_secret_access_key": answer["SecretAccessKey"],
            "aws_session_token": answer["SessionToken"],
        }

    def member_account(self) -> str:
        """An account of the organization, made now, whose access role can be assumed."""
        organizations = self.client("organizations", region="us-east-1")
        with contextlib.suppress(organizations.exceptions.AlreadyInOrganizationException):
            organizations.create_organization(FeatureSet="ALL")
        email = f"{uuid.uuid4().hex}@example.com"
        request = organizations.create_account(Email=email, AccountName=f"member-{uuid.uuid4().hex[:8]}", RoleName=ROLE)
        status = request["CreateAccountStatus"]
        for _ in range(50):
            if status["State"] != "IN_PROGRESS":
                break
            time.sleep(0.1)
            status = organizations.describe_create_account_status(CreateAccountRequestId=status["Id"])["CreateAccountStatus"]
        assert status["State"] == "SUCCEEDED", status
        return str(status["AccountId"])


def name(prefix: str = "c") -> str:
    """A name that nobody used before."""
    return f"{prefix}-{random.getrandbits(40):x}"


@contextlib.contextmanager
def embedded() -> Iterator[Backend]:
    """The embedded cloud in a folder of its own."""
    from deployments.local import EmbeddedCloud

    with EmbeddedCloud() as cloud:
        yield Backend("embedded", cloud.endpoint)


@contextlib.contextmanager
def moto() -> Iterator[Backend]:
    """moto behind one lock, alone."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        endpoint = f"http://127.0.0.1:{listening.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-m", "deployments.local.emulators.moto_server", "--fd", str(listening.fileno())],
            pass_fds=(listening.fileno(),),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    try:
        for _ in range(300):
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{endpoint}/_core/health", timeout=5).status_code == 200:
                    break
            time.sleep(0.1)
        yield Backend("moto", endpoint)
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def localstack() -> Iterator[Backend]:
    """The LocalStack that `LOCALSTACK_HOST` names, else one started here without Docker."""
    if host := os.environ.get("LOCALSTACK_HOST"):
        yield Backend("localstack", f"http://{host}", _localstack_host=host)
        return
    from deployments.localstack import LocalStack

    with LocalStack(Path(__file__).parents[2] / ".localstack") as stack:
        yield Backend("localstack", stack.endpoint, _localstack_host=f"127.0.0.1:{stack.port}")


STARTERS = {"embedded": embedded, "moto": moto, "localstack": localstack}
