"""Regions: which names exist, according to the AWS data that comes with botocore."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from botocore.loaders import Loader

from core_lib.deployspec.directory import did_you_mean
from core_lib.framework.errors import TargetError

_SHAPE = re.compile(r"^[a-z]{2,}(-[a-z]+)+-\d+$")


@lru_cache(maxsize=1)
def known_regions() -> frozenset[str]:
    """Every region of every AWS partition that this installation knows."""
    partitions = Loader().load_data("partitions")["partitions"]
    return frozenset(name for part in partitions for name in part["regions"] if _SHAPE.match(name))


def check_regions(regions: Iterable[str], also_known: frozenset[str] = frozenset()) -> None:
    """Refuse regions that neither AWS nor the account directory (`also_known`) has.

    Raises:
        TargetError: names the region and the nearest ones.
    """
    for region in regions:
        if region not in known_regions() and region not in also_known:
            hint = did_you_mean(region.lower(), known_regions()) or "a region is written like eu-west-1"
            raise TargetError(f"there is no region {region!r}", hint=hint)
