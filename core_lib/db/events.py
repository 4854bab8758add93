"""Events: what happened to a PRN, in the order of time. They are added, never changed and never removed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from pydantic import Field
from pynamodb.exceptions import PutError

from core_lib.db.connection import Item
from core_lib.db.paging import Page, page_size, read_cursor, write_cursor
from core_lib.db.rows import now, time_text
from core_lib.db.tables import EventRow
from core_lib.framework.errors import ConflictError
from core_lib.framework.models import Level, Message, Prn


class Event(Message):
    """One thing that happened. `id` makes it unique; the same event appended twice is one event."""

    prn: Prn
    at: datetime = Field(default_factory=now)
    event_type: Literal["STATUS", "DEBUG", "INFO", "WARN", "ERROR"] = "STATUS"
    status: str | None = None
    message: str | None = None
    run_id: str | None = None
    actor: str | None = None
    details: dict[str, Any] = Field(default_factory=dict)
    id: str = Field(default_factory=lambda: uuid.uuid4().hex[:16], pattern=r"^[A-Za-z0-9-]{1,64}$")

    @property
    def item_type(self) -> Level:
        """The level of what it happened to."""
        return self.prn.level


class Events:
    """The events of one client."""

    def __init__(self, table: type[EventRow]) -> None:
        self._table = table

    def append(self, event: Event) -> Event:
        """Add an event. Appending the very same event again changes nothing.

        Raises:
            ConflictError: another event has this PRN, time and id; events are never replaced.
        """
        body = event.model_dump(mode="json", exclude_none=True)
        row = self._table(str(event.prn), f"{time_text(event.at)}#{event.id}", body=body)
        try:
            row.save(condition=self._table.prn.does_not_exist())
        except PutError as error:
            stored = self._table.get(row.prn, row.at, consistent_read=True)
            if json.dumps(stored.body, sort_keys=True) != json.dumps(body, sort_keys=True):
                raise ConflictError("an event is never replaced", where=f"{event.prn} {row.at}") from error
        return event

    def put_operation(self, event: Event) -> Item:
        """A transaction's put of an event."""
        return {
            "Put": {
                "TableName": self._table.Meta.table_name,
                "Item": {
                    "prn": {"S": str(event.prn)},
                    "at": {"S": f"{time_text(event.at)}#{event.id}"},
                    "body": {"S": json.dumps(event.model_dump(mode="json", exclude_none=True))},
                },
            }
        }

    def append_all(self, events: Iterable[Event]) -> None:
        """Add several events."""
        for event in events:
            self.append(event)

    def list(
        self,
        prn: Prn | str,
        *,
        after: datetime | None = None,
        limit: int = 100,
        cursor: str | None = None,
        newest_first: bool = False,
    ) -> Page[Event]:
        """Events of exactly this PRN in the order of time, those later than `after` only."""
        scope = f"{self._table.Meta.table_name} {prn} {newest_first}"
        # '~' sorts behind '#': everything of that very microsecond is left out.
        condition = self._table.at > f"{time_text(after)}~" if after else None
        found = self._table.query(
            str(prn),
            condition,
            scan_index_forward=not newest_first,
            limit=page_size(limit),
            last_evaluated_key=read_cursor(cursor, scope),
        )
        events = tuple(Event.model_validate(row.body) for row in found)
        return Page(events, write_cursor(found.last_evaluated_key, scope))
