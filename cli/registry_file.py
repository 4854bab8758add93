"""A client's registry as one file: client, portfolios, apps, zones, and (for work without a platform) its accounts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TypeVar

from pydantic import Field

from core_lib.db import AppFact, ClientCmdb, ClientFact, Fact, Facts, PortfolioFact, ZoneFact, gather_facts
from core_lib.framework.codecs import dump_yaml, load_document, parse
from core_lib.framework.errors import CodecError, NotFoundError, SchemaError
from core_lib.framework.models import Account, Message, TaskPayload

F = TypeVar("F", bound=Fact)


class RegistryFile(Message):
    """Everything that is registered for one client."""

    client: ClientFact | None = None
    portfolios: tuple[PortfolioFact, ...] = ()
    apps: tuple[AppFact, ...] = ()
    zones: tuple[ZoneFact, ...] = ()
    accounts: tuple[Account, ...] = Field(default=(), description="Accounts; usually read from AWS Organizations instead.")

    @property
    def records(self) -> tuple[Fact, ...]:
        """All records in the order in which they are stored."""
        return (*((self.client,) if self.client else ()), *self.portfolios, *self.zones, *self.apps)

    @property
    def owner(self) -> ClientFact:
        """The client that all of this is about.

        Raises:
            SchemaError: the file does not say.
        """
        if self.client is None:
            raise SchemaError("'Client' is missing", where="registry file", hint="start it with: Client: {Client: NAME}")
        return self.client

    def facts(self, payload: TaskPayload) -> Facts:
        """The merged facts of a payload's deployment, as the CMDB would give them."""
        return gather_facts(Book(self), payload.deployment_details, payload.facts)

    def to_yaml(self) -> str:
        """The file's text."""
        parts = {"Portfolios": self.portfolios, "Zones": self.zones, "Apps": self.apps}
        document: dict[str, object] = {"Client": self.client.record()} if self.client else {}
        document |= {name: [fact.record() for fact in facts] for name, facts in parts.items() if facts}
        if self.accounts:
            document["Accounts"] = [account.model_dump(mode="json", exclude_defaults=True) for account in self.accounts]
        return dump_yaml(document)


class Book:
    """A registry file, asked in the same way as the CMDB's registry."""

    def __init__(self, file: RegistryFile) -> None:
        self._file = file

    def get(self, kind: type[F], *names: str) -> F:
        """One record by its names.

        Raises:
            NotFoundError: it is not in the file.
        """
        for record in self._file.records:
            if isinstance(record, kind) and (not names or record.name_in_registry == names[-1]):
                return record
        known = [record.name_in_registry for record in self._file.records if isinstance(record, kind)]
        raise NotFoundError(
            f"there is no {kind.kind}{' named ' + ':'.join(names) if names else ''}",
            where="registry file",
            hint=f"known: {', '.join(known) or 'none'}",
        )

    def all(self, kind: type[F], *parents: str) -> Iterator[F]:
        """Every record of a kind; apps of one portfolio."""
        for record in self._file.records:
            if isinstance(record, kind) and (not parents or getattr(record, "portfolio", None) == parents[0]):
                yield record


def read_registry(*paths: Path) -> RegistryFile:
    """The registry in these files, taken together.

    Raises:
        CodecError, SchemaError: one cannot be read, or something in it is wrong (with file and line), or two name a client.
    """
    books = [_read(path) for path in paths]
    clients = [book.client for book in books if book.client]
    if len(clients) > 1:
        raise SchemaError("'Client' is in more than one of the files", where=", ".join(map(str, paths)))
    return RegistryFile(
        client=clients[0] if clients else None,
        portfolios=tuple(chain.from_iterable(book.portfolios for book in books)),
        apps=tuple(chain.from_iterable(book.apps for book in books)),
        zones=tuple(chain.from_iterable(book.zones for book in books)),
        accounts=tuple(chain.from_iterable(book.accounts for book in books)),
    )


def _read(path: Path) -> RegistryFile:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CodecError(f"cannot be read: {error.strerror}", where=str(path)) from error
    return parse(RegistryFile, load_document(content, str(path)))


def collect(client: ClientCmdb) -> RegistryFile:
    """What is registered for a client now, with its accounts."""
    portfolios = tuple(client.registry.all(PortfolioFact))
    apps = tuple(app for portfolio in portfolios for app in client.registry.all(AppFact, portfolio.portfolio))
    return RegistryFile(
        client=client.registry.get(ClientFact),
        portfolios=portfolios,
        apps=apps,
        zones=tuple(client.registry.all(ZoneFact)),
        accounts=tuple(client.accounts.all()),
    )
