"""Accounts that an image goes to, and the list of those that it may go to."""

from __future__ import annotations

from typing import Self

from pydantic import AliasChoices, Field, model_validator

from core_lib.execute.fields import AccountIds, Tags
from core_lib.execute.images.live import IMAGE
from core_lib.framework.models import Message


class GoesToAccounts(Message):
    """An image and the accounts it goes to. `Siblings`, when given, must name all of them."""

    image_name: str = Field(
        pattern=IMAGE, description="Name or id of the image",
        validation_alias=AliasChoices("ImageName", "ImageId", "image_id"), serialization_alias="ImageName",
    )  # fmt: skip
    accounts_to_share: AccountIds = Field(
        default=(), description="Accounts that it goes to; the image's own account is left out",
        validation_alias=AliasChoices("AccountsToShare", "Accounts", "accounts"), serialization_alias="AccountsToShare",
    )  # fmt: skip
    siblings: AccountIds | None = Field(default=None, description="Only these accounts may be named; default: any account")
    tags: Tags = Field(default_factory=dict, description="Tags of the image and of all its snapshots")

    @model_validator(mode="after")
    def _only_siblings(self) -> Self:
        strangers = [account for account in self.accounts_to_share if self.siblings is not None and account not in self.siblings]
        if strangers:
            raise ValueError(f"not among Siblings: {', '.join(strangers)}")
        return self

    def accounts_but(self, own: str) -> list[str]:
        """The accounts that it goes to, each once, without the image's own."""
        return [account for account in dict.fromkeys(self.accounts_to_share) if account != own]
