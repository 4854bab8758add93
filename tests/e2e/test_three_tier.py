"""The example `three-tier` as its user runs it: two builds on the whole platform, released, persisted, torn down, all gone.

The cloud starts no instances' programs, so what is seen are stacks and resources, not pages of the shop.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from deployments.local import Ports, UpOptions, down, environment, up
from deployments.local.members import PROJECT_ROOT
from tests.e2e.outside import OutsideCloud
from tests.e2e.site import QUICK

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

EXAMPLE = PROJECT_ROOT / "examples" / "three-tier"
REGION = "eu-west-1"


@dataclass(frozen=True)
class Shop:
    """A copy of the example, for an account of its own, on a platform of its own."""

    state: Path
    folder: Path
    account: str

    def core(self, *arguments: str, user: str = "ann", build: str = "1", code: int = 0) -> subprocess.CompletedProcess[str]:
        """The command line in the folder of the example, used by somebody, for a build."""
        command = [sys.executable, "-m", "cli.main", *arguments, "--state-dir", str(self.state)]
        if arguments[0] in ("deploy", "release", "teardown", "plan"):
            app = "network" if "network" in arguments else "web"
            command += ["--prn", f"prn:shop:{app}:try:{build}"]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=400, check=False, cwd=self.folder,
            env={**os.environ, "CORE_USER": user, "PYTHONPATH": str(PROJECT_ROOT)},
        )  # fmt: skip
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done

    def client(self, service: str) -> Any:
        """The account as somebody outside of the platform sees it."""
        return boto3.client(service, region_name=REGION, aws_access_key_id=self.account, aws_secret_access_key="x")

    @property
    def stacks(self) -> set[str]:
        pages = self.client("cloudformation").get_paginator("describe_stacks").paginate()
        return {stack["StackName"] for page in pages for stack in page["Stacks"]}

    def outputs(self, stack: str) -> dict[str, str]:
        found = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", ())}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A whole platform with its artefacts in a bucket, as templates and instances read them from there."""
    folder = tmp_path_factory.mktemp("platform")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "CORE_", "PREFECT_"))]:
            patch.delenv(name)
        for name, value in (QUICK | {"XDG_CACHE_HOME": str(folder / "cache")}).items():
            patch.setenv(name, value)
        up(UpOptions(state_dir=folder / "state", ports=Ports(gateway=0, prefect=0), project=PROJECT_ROOT))
        try:
            for name, value in environment(folder / "state").items():
                patch.setenv(name, value)
            yield folder / "state"
        finally:
            down(folder / "state")


@pytest.fixture
def shop(platform: Path, tmp_path: Path) -> Shop:
    account = str(random.SystemRandom().randrange(200_000_000_000, 999_999_999_999))
    folder = tmp_path / "three-tier"
    shutil.copytree(EXAMPLE, folder)
    registry = folder / "registry.yaml"
    registry.write_text(registry.read_text().replace("111111111111", account))
    OutsideCloud(os.environ["AWS_ENDPOINT_URL"]).add_role(
        account, "OrganizationAccountAccessRole", trusts=os.environ["AWS_ACCESS_KEY_ID"]
    )
    return Shop(platform, folder, account)


def test_builds_when_the_example_is_lived_through_then_nothing_is_left_behind(shop: Shop) -> None:
    shop.core("registry", "import", "registry.yaml")
    shop.core("deploy", "network", "--yes")
    before = buckets(shop)

    reviewed = json.loads(shop.core("plan", "--json").stdout)
    assert reviewed["RunId"]
    shop.core("deploy", "--yes")
    shop.core("release", "--yes")
    assert shop.outputs("shop-web-try-front-release")["Build"] == "1"
    documents = shop.outputs("shop-web-try-1-documents-resources")["BucketName"]
    shop.client("s3").put_object(Bucket=documents, Key="orders/1.pdf", Body=b"worth keeping")

    (shop.folder / "platform/files/app/start.sh").write_text("#!/bin/sh\necho second\n")
    shop.core("deploy", "--yes", build="2")
    assert "shop-web-try-2-orders-db-resources" not in shop.stacks
    assert shop.outputs("shop-web-try-2-orders-db-pointers")["ResourcesStackName"] == "shop-web-try-1-orders-db-resources"
    shop.core("release", "--yes", build="2")
    assert shop.outputs("shop-web-try-front-release")["Build"] == "2"

    shop.core("release", "--yes", build="1")
    assert shop.outputs("shop-web-try-front-release")["Build"] == "1"
    shop.core("release", "--yes", build="2")

    shop.core("teardown", "--yes", build="1")
    assert {"shop-web-try-1-documents-resources", "shop-web-try-1-orders-db-resources"} <= shop.stacks
    assert not {name for name in shop.stacks if name.startswith(("shop-web-try-1-app", "shop-web-try-1-front"))}
    assert shop.client("s3").get_object(Bucket=documents, Key="orders/1.pdf")["Body"].read() == b"worth keeping"

    assert "released build" in shop.core("teardown", "--yes", build="2", code=4).stderr
    assert "may not" in shop.core("teardown", "--yes", "--force", build="2", user="eve", code=4).stderr
    shop.core("teardown", "--yes", "--force", build="2")
    shop.core("teardown", "network", "--yes")
    assert shop.stacks == set()
    assert buckets(shop) == before
    assert shop.client("rds").describe_db_instances()["DBInstances"] == []
    assert shop.client("elbv2").describe_load_balancers()["LoadBalancers"] == []
    assert shop.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"] == []


def buckets(shop: Shop) -> list[str]:
    return sorted(bucket["Name"] for bucket in shop.client("s3").list_buckets()["Buckets"])
