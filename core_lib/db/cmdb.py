"""The door of the CMDB. `Cmdb` knows the clients; `ClientCmdb` is everything about one client, and reaches nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from core_lib.db.accounts import Accounts
from core_lib.db.approvals import Approvals
from core_lib.db.connection import CmdbConnection
from core_lib.db.drift import Drifts
from core_lib.db.events import Events
from core_lib.db.facts import Facts
from core_lib.db.facts_lookup import gather_facts
from core_lib.db.items import Items
from core_lib.db.ledger import Ledger
from core_lib.db.lock_inventory import LockInventory
from core_lib.db.locks import Locks
from core_lib.db.registry import Clients, Registry
from core_lib.db.runs import Runs
from core_lib.db.stacks import Stacks
from core_lib.db.tables import ClientTables, FactRow, create, named
from core_lib.framework.models import DeploymentDetails, Prn

if TYPE_CHECKING:
    from core_lib.framework.settings import Settings


class ClientCmdb:
    """The repositories of one client, each on tables of its own."""

    def __init__(
        self, client: str, tables: ClientTables, clients: type[FactRow], connection: CmdbConnection, lease: float
    ) -> None:
        self.client = client
        self._tables = tables
        self.runs = Runs(client, tables.runs, tables.ledger, connection, lease)
        self.ledger = Ledger(tables.ledger, connection)
        self.locks = Locks(tables.locks, tables.ledger, self.runs, connection)
        self.stacks = Stacks(tables.stacks, tables.locks, connection)
        self.drift = Drifts(tables.drift, connection)
        self.events = Events(tables.events)
        self.lock_inventory = LockInventory(tables.locks, self.locks, self.runs, self.events, connection)
        self.approvals = Approvals(tables.approvals)
        self.items = Items(tables.items, connection)
        self.accounts = Accounts(tables.accounts, connection)
        self.registry = Registry(client, tables.facts, clients)

    def facts(self, details: DeploymentDetails, overrides: Mapping[str, Any] | None = None) -> Facts:
        """Merged facts of a deployment, with the origin of every value; see `facts_lookup.gather_facts`."""
        return gather_facts(self.registry, details, overrides)

    def create_tables(self) -> None:
        """Create the tables of this client, side by side; those that exist stay as they are."""
        with ThreadPoolExecutor(max_workers=4) as pool:
            list(pool.map(create, self._tables.all()))


class Cmdb:
    """The CMDB on DynamoDB. Endpoint and credentials are boto3's own (environment, profile); the rest comes from settings.

    Safe to share between threads. Close it, or use it as a context manager.
    """

    def __init__(self, settings: Settings) -> None:
        self._prefix = settings.cmdb.table_prefix
        self._lease = settings.cmdb.lock_lease_seconds
        self._connection = CmdbConnection(
            settings.cmdb.region or settings.aws.region,
            connect_timeout=settings.aws.connect_timeout,
            read_timeout=settings.aws.read_timeout,
            max_attempts=settings.aws.max_attempts,
        )
        self._clients: type[FactRow] = named(FactRow, f"{self._prefix}clients", self._connection)
        self.clients = Clients(self._clients)
        self._opened: dict[str, ClientCmdb] = {}
        self._guard = Lock()

    def for_client(self, client: str) -> ClientCmdb:
        """Everything about one client. Asks DynamoDB nothing.

        Raises:
            PrnError: this cannot be the name of a client.
        """
        with self._guard:
            if client not in self._opened:
                Prn(client)
                tables = ClientTables.of(client, self._prefix, self._connection)
                self._opened[client] = ClientCmdb(client, tables, self._clients, self._connection, self._lease)
            return self._opened[client]

    def create_tables(self, *clients: str) -> None:
        """Create the table of clients, and the tables of these clients; those that exist stay as they are."""
        create(self._clients)
        for client in clients:
            self.for_client(client).create_tables()

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
