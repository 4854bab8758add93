"""The base of every message: PascalCase on the wire, snake_case accepted, unknown keys refused."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_pascal


class Message(BaseModel):
    """An immutable message. Keys are PascalCase when written; readers take snake_case too."""

    model_config = ConfigDict(
        alias_generator=to_pascal,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        use_enum_values=False,
        serialize_by_alias=True,
    )

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready dict with PascalCase keys, without empty (None) values."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    def but(self, **changes: Any) -> Self:
        """A copy with these fields (snake_case) replaced, validated again."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self).model_validate(values | changes)
