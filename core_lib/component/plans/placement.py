"""Where a build goes: the account and region of the facts, and the account that has the application's key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core_lib.deployspec import home_account, target_of
from core_lib.framework.errors import TargetError
from core_lib.framework.models import Account, AccountState, Selection, Target


def targets_of(facts: Mapping[str, Any], accounts: Sequence[Account], narrow: Selection | None = None) -> tuple[Target, Target]:
    """The target of the build, and that of its key.

    Raises:
        TargetError: the facts name none, the account cannot be used, or the payload narrows the run.
    """
    if narrow is not None:
        raise TargetError("components have one target, which the facts name", where="Targets", hint="leave Targets out")
    known = {account.id: account for account in accounts}
    region = facts.get("AwsRegion")
    home = home_account(facts, known)
    if home is None or region is None:
        missing = "AwsAccountId" if home is None else "AwsRegion"
        raise TargetError(
            f"no target: the fact {missing} is not known", hint="give the app a Zone with an AwsAccountId and a region"
        )
    kms = facts.get("Kms")
    keeper = kms.get("AwsAccountId") if isinstance(kms, Mapping) else None
    key_home = home if keeper is None else home_account({**facts, "AwsAccountId": keeper}, known)
    return _target(home, str(region)), _target(key_home or home, str(region))


def _target(account: Account, region: str) -> Target:
    if account.state is not AccountState.ACTIVE:
        raise TargetError(f"account {account.name} ({account.id}) is {account.state.value}", hint="only active accounts are used")
    return target_of(account, region)
