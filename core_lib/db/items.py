"""Items: portfolios, apps, branches, builds and components that were deployed, each with its history of versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from core_lib.db.connection import CmdbConnection
from core_lib.db.connection import Item as Attributes
from core_lib.db.paging import Page, page_size, read_cursor, write_cursor
from core_lib.db.rows import now, time_text
from core_lib.db.tables import ItemRow
from core_lib.framework.errors import ConflictError, NotFoundError
from core_lib.framework.models import DeploymentDetails, Level, Message, Prn

_CURRENT = "current"
_ROOT = "prn"
_ATTEMPTS = 10


class ReleasedBuild(Message):
    """The build of a branch that is released."""

    prn: Prn
    name: str
    released_at: datetime


class Item(Message):
    """One thing of the hierarchy. `Branch` is the full branch name (branch items only), `Version` counts its changes."""

    prn: Prn
    item_type: Level
    name: str
    branch: str | None = None
    status: str | None = None
    message: str | None = None
    contact_email: str | None = None
    component_type: str | None = None
    image_id: str | None = None
    image_alias: str | None = None
    released_build: ReleasedBuild | None = None
    context: dict[str, Any] = Field(default_factory=dict)
    metadata: dict[str, Any] = Field(default_factory=dict)
    created_at: datetime
    updated_at: datetime
    version: int = 1

    @property
    def parent_prn(self) -> Prn | None:
        """What it belongs to; None for a portfolio."""
        return self.prn.parent


_CHANGEABLE = frozenset(Item.model_fields) - {"prn", "item_type", "branch", "created_at", "updated_at", "version"}


class Items:
    """The items of one client."""

    def __init__(self, table: type[ItemRow], connection: CmdbConnection) -> None:
        self._table = table
        self._connection = connection

    def register(self, details: DeploymentDetails, **fields: Any) -> Item:
        """Make sure that the deployment's item and all its parents are there; set `fields` (e.g. `status`) on the item itself.

        Raises:
            ConflictError: the branch's short name already belongs to another branch; names both.
        """
        prn = details.prn
        for _ in range(_ATTEMPTS):
            present = self._present(list(prn.ancestors()))
            _refuse_collision(present, details)
            missing = [ancestor for ancestor in prn.ancestors() if ancestor not in present]
            if not missing:
                item = present[prn]
                changes = {name: value for name, value in fields.items() if getattr(item, name) != value}
                return self.update(prn, **changes) if changes else item
            if not self._write([_new(ancestor, details, fields if ancestor == prn else {}) for ancestor in missing]):
                return self.get(prn)
        raise ConflictError("the item keeps being registered by others", where=str(prn), hint="try again")

    def _present(self, prns: Sequence[Prn]) -> dict[Prn, Item]:
        keys = [{"prn": {"S": str(prn)}, "revision": {"S": _CURRENT}} for prn in prns]
        rows = (self._table.from_raw_data(raw) for raw in self._connection.get_many(self._table.Meta.table_name, keys))
        items = (_item(row) for row in rows)
        return {item.prn: item for item in items}

    def _write(self, items: Sequence[Item]) -> list[int]:
        """Write new versions of items with their history in one transaction; what was refused."""
        puts = [put for item in items for put in (self._put(item, _CURRENT), self._put(item, f"v{item.version:08d}"))]
        return self._connection.transact(puts)

    def _put(self, item: Item, revision: str) -> dict[str, Attributes]:
        current = revision == _CURRENT
        row = self._table(
            str(item.prn),
            revision,
            version=item.version,
            branch=item.branch,
            parent=str(item.parent_prn or _ROOT) if current else None,
            created=f"{time_text(item.created_at)}#{item.prn}" if current else None,
            body=item.model_dump(mode="json", exclude_none=True),
        )
        put: Attributes = {"TableName": self._table.Meta.table_name, "Item": row.serialize()}
        if current and item.version > 1:
            put["ConditionExpression"] = "version = :before"
            put["ExpressionAttributeValues"] = {":before": {"N": str(item.version - 1)}}
        else:
            put["ConditionExpression"] = "attribute_not_exists(prn)"
        return {"Put": put}

    def get(self, prn: Prn | str) -> Item:
        """The item as it is now, strongly consistent.

        Raises:
            NotFoundError: nothing is registered under this PRN.
        """
        try:
            return _item(self._table.get(str(prn), _CURRENT, consistent_read=True))
        except self._table.DoesNotExist as error:
            raise NotFoundError(f"nothing is registered as {prn}") from error

    def update(self, prn: Prn | str, *, version: int | None = None, **fields: Any) -> Item:
        """Set fields of an item; the version before stays in its history.

        Raises:
            NotFoundError: nothing is registered under this PRN.
            ConflictError: `version` is given and not the stored one.
        """
        unknown = set(fields) - _CHANGEABLE
        if unknown:
            raise TypeError(f"not fields of an item that change: {sorted(unknown)}")
        for _ in range(_ATTEMPTS):
            before = self.get(prn)
            if version is not None and before.version != version:
                raise ConflictError(f"version {before.version} is stored, not {version}", where=str(prn), hint="read it again")
            after = before.but(**fields, version=before.version + 1, updated_at=now())
            if not self._write([after]):
                return after
        raise ConflictError("the item keeps being changed by others", where=str(prn), hint="try again")

    def set_status(self, prn: Prn | str, status: str, message: str | None = None) -> Item:
        """Set the status of an item. A component that fails marks its build as failed too."""
        item = self.update(prn, status=status, message=message)
        if item.item_type is Level.COMPONENT and status.upper().endswith("FAILED") and item.parent_prn:
            self.update(item.parent_prn, status=status, message=f"component {item.name}: {message or status}")
        return item

    def release(self, build: Prn) -> Item:
        """Record that this build is the released one of its branch; the branch item."""
        item = self.get(build)
        if item.item_type is not Level.BUILD or item.parent_prn is None:
            raise NotFoundError(f"{build} is no build", hint="a build is named prn:portfolio:app:branch:build")
        return self.update(item.parent_prn, released_build=ReleasedBuild(prn=build, name=item.name, released_at=now()))

    def children(self, parent: Prn | str | None = None, *, limit: int = 100, cursor: str | None = None) -> Page[Item]:
        """Items directly under a parent (portfolios without one), newest first."""
        partition = str(parent) if parent else _ROOT
        scope = f"{self._table.Meta.table_name} children {partition}"
        found = self._table.children.query(
            partition, scan_index_forward=False, limit=page_size(limit), last_evaluated_key=read_cursor(cursor, scope)
        )
        items = tuple(_item(row) for row in found)
        return Page(items, write_cursor(found.last_evaluated_key, scope))

    def history(self, prn: Prn | str, *, limit: int = 100, cursor: str | None = None) -> Page[Item]:
        """All versions of an item, newest first."""
        scope = f"{self._table.Meta.table_name} history {prn}"
        found = self._table.query(
            str(prn),
            self._table.revision.startswith("v"),
            scan_index_forward=False,
            limit=page_size(limit),
            last_evaluated_key=read_cursor(cursor, scope),
        )
        items = tuple(_item(row) for row in found)
        return Page(items, write_cursor(found.last_evaluated_key, scope))


def _item(row: ItemRow) -> Item:
    return Item.model_validate(row.body)


def _new(prn: Prn, details: DeploymentDetails, fields: dict[str, Any]) -> Item:
    moment = now()
    branch = details.branch if prn.level is Level.BRANCH else None
    name = branch or prn.segments[-1]
    values: dict[str, Any] = {"name": name, **fields}
    return Item(prn=prn, item_type=prn.level, branch=branch, created_at=moment, updated_at=moment, **values)


def _refuse_collision(present: dict[Prn, Item], details: DeploymentDetails) -> None:
    for item in present.values():
        if item.item_type is Level.BRANCH and item.branch and details.branch and item.branch != details.branch:
            raise ConflictError(
                f"branches {item.branch!r} and {details.branch!r} have the same short name {item.prn.branch!r}",
                where=str(item.prn),
                hint="rename one of them: the first 20 letters must differ",
            )
