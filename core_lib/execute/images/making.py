"""Making an image, the part that all makers share: look for it, begin it once, wait for it, tag it, take it back."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from botocore.exceptions import ClientError
from pydantic import Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.fields import Tags
from core_lib.execute.images.live import BROKEN, Image, image_by_id, own_images
from core_lib.execute.images.marks import MADE_BY, made_from, maker, marks, put_tags
from core_lib.execute.images.removal import REMOVING, deregister, plan_removal, remove_some
from core_lib.execute.refusals import code_of, text_of
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.framework.models import Cause, Message

MOST_TIMES_UNSEEN = 20
"""How often a new image may be invisible, before it is taken for deleted: EC2 shows new things late."""


class NewImageParams(Message):
    """What every new image has."""

    description: str | None = Field(default=None, max_length=255, description="Description of the new image")
    tags: Tags = Field(default_factory=dict, description="Tags of the new image and of all its snapshots")


P = TypeVar("P", bound=NewImageParams)


class ImageMaking(Action[P]):
    """Base of the kinds that end in one new image of the target's account."""

    outputs: ClassVar[Mapping[str, str]] = {
        "ImageId": "Id of the image", "ImageName": "Name of the image", "SnapshotIds": "Ids of its snapshots",
    }  # fmt: skip

    @abstractmethod
    def ec2(self, ctx: ActionContext[P]) -> Any:
        """The client of the region that the new image lies in."""

    @abstractmethod
    def name(self, ctx: ActionContext[P]) -> str:
        """The name of the new image."""

    @abstractmethod
    def made_from(self, ctx: ActionContext[P]) -> str:
        """The id of what it is made from. Raises AwsError when that is not there or not ready."""

    @abstractmethod
    def make(self, ctx: ActionContext[P], source: str, tags: Mapping[str, str]) -> str:
        """Ask EC2 for it; answers its id."""

    def start(self, ctx: ActionContext[P]) -> Step:
        """Go on with what an earlier try began, or begin."""
        source = self.made_from(ctx)
        ec2 = self.ec2(ctx)
        found = own_images(ec2, self.name(ctx))
        strangers = [image for image in found if not made_from(image, source)]
        if strangers:
            return Failed(
                f"{strangers[0].id} is called {self.name(ctx)} already and was not made from {source}",
                hint="delete it first (AWS::DeleteImage), or choose another name",
            )
        for image in found:
            if image.state in BROKEN:
                deregister(ec2, image.id)
            else:
                return Again(
                    0, {"image": image.id, "source": source, "made": image.tags.get(MADE_BY) == maker(ctx)}, f"found {image.id}"
                )
        try:
            identity = self.make(ctx, source, ctx.params.tags | marks(ctx, source))
        except ClientError as error:
            if code_of(error) == "InvalidAMIName.Duplicate":
                return Failed(text_of(error), cause=Cause.TRANSIENT)  # an earlier try's image shows late: look again
            raise
        return Again(scratch={"image": identity, "source": source, "made": True}, message=f"making {identity}")

    def check(self, ctx: ActionContext[P]) -> Step:
        """Is it available?"""
        ec2 = self.ec2(ctx)
        image = image_by_id(ec2, ctx.scratch["image"])
        if image is None:
            unseen = int(ctx.scratch.get("unseen", 0)) + 1
            if unseen > MOST_TIMES_UNSEEN:
                return Failed(f"the image {ctx.scratch['image']} has vanished", hint="see who deletes it, then run again")
            return Again(scratch={**ctx.scratch, "unseen": unseen})
        if image.state in BROKEN:
            return Failed(f"the image {image.id} is {image.state}: {image.reason or 'EC2 gives no reason'}")
        return self._finish(ctx, ec2, image) if image.state == "available" else Again()

    def undo(self, ctx: ActionContext[P]) -> Step:
        """Take the image and its snapshots away, if this action made them."""
        if not ctx.scratch.get("made"):
            return Done(changed=False, message="the image was there before")
        ec2 = self.ec2(ctx)
        if REMOVING in ctx.scratch:
            return remove_some(ec2, ctx.scratch)
        image = image_by_id(ec2, ctx.scratch["image"])
        return Done(changed=False, message="the image is gone") if image is None else plan_removal(ctx.scratch, [image])

    def _finish(self, ctx: ActionContext[P], ec2: Any, image: Image) -> Step:
        made = bool(ctx.scratch["made"])
        wanted = ctx.params.tags | (marks(ctx, ctx.scratch["source"]) if made else {})
        missing = {key: value for key, value in wanted.items() if image.tags.get(key) != value}
        if made or missing:
            put_tags(ec2, (image.id, *image.snapshots), wanted)
        outputs = {"ImageId": image.id, "ImageName": image.name, "SnapshotIds": list(image.snapshots)}
        return Done(outputs=outputs, changed=made or bool(missing), message=image.id if made else f"{image.id} was there already")
