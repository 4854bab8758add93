"""The registry: facts about clients, portfolios, apps and zones, each record with an optimistic version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from pynamodb.exceptions import DeleteError, PutError

from core_lib.db.fact_models import AppFact, ClientFact, Fact
from core_lib.db.paging import LARGEST_PAGE, Page, page_size, read_cursor, write_cursor
from core_lib.db.rows import now, time_text
from core_lib.db.tables import FactRow
from core_lib.framework.errors import ConflictError, InputError, IsolationError, NotFoundError

F = TypeVar("F", bound=Fact)


class FactStore:
    """Records in one table of facts."""

    def __init__(self, table: type[FactRow]) -> None:
        self._table = table

    def find(self, kind: type[F], partition: str, name: str) -> F | None:
        """The record, strongly consistent, or None."""
        try:
            return _fact(kind, self._table.get(partition, name, consistent_read=True))
        except self._table.DoesNotExist:
            return None

    def put(self, fact: F, partition: str) -> F:
        """Store if the stored version is `fact.record_version` (0: there is none yet). Returns the fact with its new version."""
        version = fact.record_version
        row = self._table(partition, fact.name_in_registry, version=version + 1, updated_at=time_text(now()), body=fact.record())
        condition = (self._table.version == version) if version else self._table.kind.does_not_exist()
        try:
            row.save(condition=condition)
        except PutError as error:
            stored = self.find(type(fact), partition, fact.name_in_registry)
            if stored is None or stored.record_version != version + 1 or stored.record() != fact.record():
                raise _changed(fact, stored) from error
        return fact.model_copy(update={"record_version": version + 1})

    def delete(self, kind: type[Fact], partition: str, name: str, version: int | None) -> None:
        """Delete the record; with `version` only that version."""
        condition = (self._table.version == version) if version is not None else None
        try:
            self._table(partition, name).delete(condition=condition)
        except DeleteError as error:
            stored = self.find(kind, partition, name)
            if stored is not None:
                raise _changed(stored, stored) from error

    def list(self, kind: type[F], partition: str, limit: int, cursor: str | None) -> Page[F]:
        """Records of a partition in the order of their names."""
        scope = f"{self._table.Meta.table_name} {partition}"
        found = self._table.query(
            partition, limit=page_size(limit), last_evaluated_key=read_cursor(cursor, scope), consistent_read=True
        )
        facts = tuple(_fact(kind, row) for row in found)
        return Page(facts, write_cursor(found.last_evaluated_key, scope))


class Clients:
    """All clients of the platform: the one global table."""

    def __init__(self, table: type[FactRow]) -> None:
        self._store = FactStore(table)

    def get(self, client: str) -> ClientFact:
        """The facts of a client.

        Raises:
            NotFoundError: no such client; names the known ones.
        """
        found = self._store.find(ClientFact, ClientFact.kind, client)
        if found is None:
            raise _missing("client", client, [fact.client for fact in self.list(limit=20).items])
        return found

    def list(self, *, limit: int = 100, cursor: str | None = None) -> Page[ClientFact]:
        """Clients in the order of their names."""
        return self._store.list(ClientFact, ClientFact.kind, limit, cursor)


class Registry:
    """The registry as one client sees it: its own record, and its portfolios, apps and zones."""

    def __init__(self, client: str, table: type[FactRow], clients: type[FactRow]) -> None:
        self._client = client
        self._own = FactStore(table)
        self._global = FactStore(clients)

    def get(self, kind: type[F], *names: str) -> F:
        """`get(ClientFact)`, `get(PortfolioFact, portfolio)`, `get(AppFact, portfolio, app)`, `get(ZoneFact, zone)`.

        Raises:
            NotFoundError: no such record; names the known ones.
            IsolationError: another client's record.
        """
        found = self.find(kind, *names)
        if found is None:
            parents = names[:-1]
            known = [fact.name_in_registry for fact in self.list(kind, *parents, limit=20).items]
            raise _missing(kind.kind, ":".join(names) or self._client, known)
        return found

    def find(self, kind: type[F], *names: str) -> F | None:
        """Like `get`, but None when there is no such record."""
        store, partition, name = self._place(kind, names)
        return store.find(kind, partition, name)

    def put(self, fact: F) -> F:
        """Store a record whose `record_version` is the one that was read (0 for a new one); returns it with its new version.

        Raises:
            ConflictError: somebody else has changed it meanwhile.
            IsolationError: another client's record.
        """
        store, partition, _ = self._place(type(fact), _names(fact))
        return store.put(fact, partition)

    def upsert(self, fact: F) -> tuple[F, bool]:
        """Make the record equal to `fact`, whatever version is stored; the record, and whether anything had to change."""
        stored = self.find(type(fact), *_names(fact))
        if stored is not None and stored.record() == fact.record():
            return stored, False
        version = stored.record_version if stored else 0
        return self.put(fact.model_copy(update={"record_version": version})), True

    def delete(self, kind: type[Fact], *names: str, version: int | None = None) -> None:
        """Delete a record if it is there; with `version` only that version. A portfolio that still has apps stays.

        Raises:
            ConflictError: somebody else has changed it meanwhile, or it is still in use.
        """
        store, partition, name = self._place(kind, names)
        if kind.kind == "portfolio" and self.list(AppFact, name, limit=1).items:
            raise ConflictError("the portfolio still has apps", where=name, hint="delete its apps first")
        store.delete(kind, partition, name, version)

    def list(self, kind: type[F], *parents: str, limit: int = 100, cursor: str | None = None) -> Page[F]:
        """Records of a kind in the order of their names; apps are listed by portfolio: `list(AppFact, portfolio)`."""
        if kind.kind == "client":
            own = self.find(kind, self._client)
            return Page((own,) if own else ())
        store, partition, _ = self._place(kind, (*parents, ""))
        return store.list(kind, partition, limit, cursor)

    def all(self, kind: type[F], *parents: str) -> Iterator[F]:
        """Every record of a kind, page after page."""
        cursor: str | None = None
        while True:
            page = self.list(kind, *parents, limit=LARGEST_PAGE, cursor=cursor)
            yield from page.items
            cursor = page.cursor
            if cursor is None:
                return

    def _place(self, kind: type[Fact], names: tuple[str, ...]) -> tuple[FactStore, str, str]:
        if kind.kind == "client":
            name = names[0] if names else self._client
            if name != self._client:
                raise IsolationError(f"client {self._client!r} cannot reach the record of client {name!r}")
            return self._global, "client", name
        expected = 2 if kind.kind == "app" else 1
        if len(names) != expected:
            raise InputError(
                f"a record of kind {kind.kind} is named by {expected} names, not {len(names)}", where=":".join(names)
            )
        partition = f"app:{names[0]}" if kind.kind == "app" else kind.kind
        return self._own, partition, names[-1]


def _names(fact: Fact) -> tuple[str, ...]:
    return (fact.portfolio, fact.app) if isinstance(fact, AppFact) else (fact.name_in_registry,)


def _fact(kind: type[F], row: FactRow) -> F:
    return kind.model_validate(row.body | {"RecordVersion": int(row.version)})


def _missing(kind: str, name: str, known: list[str]) -> NotFoundError:
    hint = f"known: {', '.join(known)}" if known else f"no {kind} is registered yet; see 'core registry import'"
    return NotFoundError(f"no {kind} named {name} is registered", where="registry", hint=hint)


def _changed(fact: Fact, stored: Fact | None) -> ConflictError:
    now_there = f"version {stored.record_version} is stored" if stored else "it was deleted"
    return ConflictError(
        f"the {fact.kind} {fact.name_in_registry} was changed by somebody else: {now_there}",
        hint="read it again, then change it",
    )
