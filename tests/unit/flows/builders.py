"""Units of dispatch for the tests of batches and of the shop floor."""

from __future__ import annotations

from core_lib.execute import Unit


def unit(account: int, segment: int = 0, region: str = "eu-west-1", upstream: tuple[str, ...] = ()) -> Unit:
    """A unit with one action in the account of this number."""
    target = f"{700000000000 + account}/{region}"
    return Unit(f"{target}#{segment}", target, segment, (f"a{segment}@{target}",), upstream)
