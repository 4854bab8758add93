"""Which accounts wait for which, and what follows for a rollout in waves.

a hub        several other accounts wait for it: it goes first, in no wave
a collector  it waits for more than half of all others (a report, an index): it goes last
a family     an account, and those that nobody but it waits for: they go together

Nodes that the compiler put between actions (joints of large fan-ins) are looked through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from core_lib.framework.models import PlanAction


@dataclass(frozen=True)
class AccountGraph:
    """The accounts of a plan by what they are for a rollout; `family` names one account of each account's family."""

    hubs: frozenset[str]
    collectors: frozenset[str]
    family: Mapping[str, str]


def account_of(action: PlanAction) -> str:
    """Id of the account an action runs in."""
    return action.target.partition("/")[0]


def read_accounts(actions: Sequence[PlanAction], added: Set[str]) -> AccountGraph:
    """The graph of the accounts of these actions; `added` are the ids of those that no user wrote."""
    nodes = {action.id: action.id if action.id in added else account_of(action) for action in actions}
    waits: dict[str, set[str]] = {node: set() for node in nodes.values()}
    for action in actions:
        node = nodes[action.id]
        waits[node].update(nodes[dependency] for dependency in action.depends_on if nodes[dependency] != node)
    accounts = [node for node in waits if node not in added]
    collectors = frozenset(account for account in accounts if _reaches(account, waits, added, len(accounts) // 2))
    awaited = _awaited({node: found for node, found in waits.items() if node not in collectors}, added)
    hubs = _with_upstream([account for account, others in awaited.items() if len(others) > 1], waits) - added - collectors
    return AccountGraph(hubs, collectors, _families(accounts, awaited, hubs | collectors))


def _reaches(account: str, waits: Mapping[str, Set[str]], added: Set[str], most: int) -> bool:
    """Whether an account waits for more than `most` others, directly or through others."""
    if not waits[account] or most == 0:
        return False
    return len(_with_upstream([account], waits, most + 1 + len(added)) - added) - 1 > most


def _with_upstream(starts: Iterable[str], waits: Mapping[str, Set[str]], enough: int | None = None) -> frozenset[str]:
    """These nodes and all that they wait for; the search ends early when it has found more than `enough`."""
    found = set(starts)
    stack = list(found)
    while stack and (enough is None or len(found) <= enough):
        fresh = waits[stack.pop()] - found
        found |= fresh
        stack.extend(fresh)
    return frozenset(found)


def _awaited(waits: Mapping[str, Set[str]], added: Set[str]) -> dict[str, set[str]]:
    """For every account at most two of the other accounts that wait for it: more need not be told apart."""
    behind: dict[str, set[str]] = {}
    for node, others in waits.items():
        for other in others if node not in added else ():
            _remember(behind.setdefault(other, set()), (node,))
    for joint in added & waits.keys():
        for account in waits[joint]:
            _remember(behind.setdefault(account, set()), (node for node in behind.get(joint, ()) if node != account))
    return {node: found for node, found in behind.items() if node not in added}


def _remember(found: set[str], more: Iterable[str]) -> None:
    if len(found) < 2:
        found.update(more)


def _families(accounts: Iterable[str], awaited: Mapping[str, Set[str]], alone: Set[str]) -> dict[str, str]:
    """One account of its family for every account: the same for all members."""
    parent = {account: account for account in accounts}

    def head(account: str) -> str:
        while parent[account] != account:
            parent[account] = account = parent[parent[account]]
        return account

    for account, others in awaited.items():
        if account not in alone and len(others) == 1 and not others & alone:
            (only,) = others
            parent[head(account)] = head(only)
    return {account: head(account) for account in parent}
