"""Filters that templates of component types have beside those of the renderer: pure functions of plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

FILTERS: Mapping[str, Callable[..., Any]] = {}
