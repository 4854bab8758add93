"""Images that are baked: one per build, replaced when the build is deployed again, gone with it."""

from __future__ import annotations

from typing import Any

import pytest

from core_lib.framework.models import Task
from tests.integration.component.test_every_type_deploys import Account, troubles
from tests.integration.execute.conftest import Rehearsal

BAKED = ("AWS::Cluster", "examples/baked.yaml")


class Bakery:
    """A component that bakes an image and starts it."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.account = Account(rehearsal)
        self._ec2 = rehearsal.direct("ec2")

    async def run(self, task: Task) -> None:
        plan = self.account.plan(task, *BAKED)
        assert troubles(await self.account.rehearsal.carry_out(plan), self.account) == []

    @property
    def images(self) -> list[str]:
        return [image["ImageId"] for image in self._ec2.describe_images(Owners=["self"])["Images"]]

    @property
    def started(self) -> list[str]:
        """The images that the newest versions of launch templates start."""
        templates = self._ec2.describe_launch_templates()["LaunchTemplates"]
        return [self._newest(template["LaunchTemplateId"])["ImageId"] for template in templates]

    def _newest(self, identity: str) -> dict[str, Any]:
        found = self._ec2.describe_launch_template_versions(LaunchTemplateId=identity, Versions=["$Latest"])
        data: dict[str, Any] = found["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        return data


@pytest.mark.slow
async def test_bake_when_a_build_is_deployed_twice_and_torn_down_then_its_newest_image_is_used_and_then_none_is_left(
    rehearsal: Rehearsal,
) -> None:
    bakery = Bakery(rehearsal)
    await bakery.run(Task.DEPLOY)
    first = bakery.images
    assert len(first) == 1
    assert bakery.started == first
    assert not any(stack.endswith("-bake") for stack in bakery.account.stacks)

    await bakery.run(Task.DEPLOY)
    second = bakery.images
    assert len(second) == 1
    assert bakery.started == second != first

    await bakery.run(Task.TEARDOWN)
    assert bakery.images == []
    assert bakery.account.stacks == set()
