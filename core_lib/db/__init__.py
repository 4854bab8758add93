"""The CMDB (layer 2): what the platform knows, on DynamoDB through PynamoDB.

    with Cmdb(settings) as cmdb:
        cmdb.create_tables("acme")
        acme = cmdb.for_client("acme")
        run = acme.runs.take(run_id)                       # this worker now writes with run.epoch
        acme.locks.acquire(run_id, run.epoch, keys, "me")  # all stacks of a unit, or LockedError
        acme.ledger.write(states, epoch=run.epoch)         # group commit; FencedError when taken over

Every client has tables of its own, so a `ClientCmdb` cannot reach another client's rows. Changes are conditional (versions,
epochs); lists come in pages with cursors; nothing a user waits for reads a whole table. `docs/cmdb.md` has the schema.
"""

from core_lib.db.accounts import Accounts
from core_lib.db.approvals import Approvals, check_decision
from core_lib.db.cmdb import ClientCmdb, Cmdb
from core_lib.db.directory import SyncResult, sync_accounts
from core_lib.db.drift import DriftRecord, Drifts, IgnoredDrift
from core_lib.db.events import Event, Events
from core_lib.db.fact_models import AppFact, ClientFact, Fact, PortfolioFact
from core_lib.db.facts import LAYERS, FactOrigin, Facts, FactSource, merge_facts, merge_layers
from core_lib.db.facts_lookup import deployment_facts, find_app, gather_facts
from core_lib.db.items import Item, Items, ReleasedBuild
from core_lib.db.ledger import Ledger, LedgerConflictError
from core_lib.db.lock_inventory import HeldLock, LockInventory
from core_lib.db.locks import LockHolder, Locks, StackHeldError
from core_lib.db.paging import Page
from core_lib.db.registry import Clients, Registry
from core_lib.db.runs import Runs
from core_lib.db.stacks import StackRecord, Stacks
from core_lib.db.superseding import Precedence
from core_lib.db.zone_facts import AccountFacts, RegionFacts, ZoneFact

__all__ = [
    "LAYERS", "AccountFacts", "Accounts", "AppFact", "Approvals", "ClientCmdb", "ClientFact", "Clients", "Cmdb", "DriftRecord",
    "Drifts", "Event", "Events", "Fact", "FactOrigin", "FactSource", "Facts", "HeldLock", "IgnoredDrift", "Item", "Items",
    "Ledger", "LedgerConflictError", "LockHolder", "LockInventory", "Locks", "Page", "PortfolioFact", "Precedence",
    "RegionFacts", "Registry", "ReleasedBuild", "Runs", "StackHeldError", "StackRecord", "Stacks", "SyncResult", "ZoneFact",
    "check_decision", "deployment_facts", "find_app", "gather_facts", "merge_facts", "merge_layers", "sync_accounts",
]  # fmt: skip
