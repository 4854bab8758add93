"""How much one render may use. Expressions come from repositories: nobody vouches for them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RenderLimits:
    """Bounds of one render of one tree.

    `source` counts characters of one text with expressions, `text` characters of any single text made, `volume` characters made
    in total, `values` the values of one list or map (all levels), `steps` loop rounds and calls, `seconds` processor time,
    `range` the length of a `range()`, `bits` the size of a whole number.
    """

    source: int = 1_000_000
    text: int = 1_000_000
    volume: int = 16_000_000
    values: int = 100_000
    steps: int = 100_000
    seconds: float = 3.0
    range: int = 10_000
    bits: int = 4_096


LIMITS = RenderLimits()
