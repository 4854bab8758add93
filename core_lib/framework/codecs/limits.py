"""How much a document may hold. Documents come from repositories and requests: nobody vouches for them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one document.

    `size` counts bytes of UTF-8, `depth` levels of maps and lists, `nodes` values after all aliases are expanded.
    """

    size: int = 8 * 1024 * 1024
    depth: int = 100
    nodes: int = 500_000


DEFAULT_LIMITS = Limits()
