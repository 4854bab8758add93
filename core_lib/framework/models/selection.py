"""Selection: targets by account, organizational unit, tag and region, minus exclusions."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from core_lib.framework.models.base import Message


class Exclusion(Message):
    """What to leave out of a selection."""

    accounts: tuple[str, ...] = ()
    organizational_units: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    _one_or_many = field_validator("accounts", "organizational_units", "regions", mode="before")(
        lambda value: (value,) if isinstance(value, str) else value
    )


class Selection(Message):
    """Targets by account (id or name), organizational unit (recursive), tag and region, minus exclusions."""

    accounts: tuple[str, ...] = ()
    organizational_units: tuple[str, ...] = ()
    tags: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    regions: tuple[str, ...] = ()
    exclude: Exclusion | None = None

    @field_validator("accounts", "organizational_units", "regions", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("tags", mode="before")
    @classmethod
    def _one_value_or_many(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: (item,) if isinstance(item, str) else item for key, item in value.items()}
        return value
