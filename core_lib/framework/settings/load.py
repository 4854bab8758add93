"""Reading the settings: all sources, strongest first, checked, merged, and each value with its origin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from core_lib.framework.errors import SettingsError
from core_lib.framework.settings.model import Settings
from core_lib.framework.settings.names import KNOWN, SECTIONS, nearest, nest, shown
from core_lib.framework.settings.sources import (
    Found,
    find_config,
    from_aws_environment,
    from_environment,
    from_file,
    from_overrides,
)


def load_settings(overrides: Mapping[str, Any] | None = None, *, start: Path | None = None) -> Settings:
    """Read the settings.

    Args:
        overrides: values of the command line, nested (`{"aws": {"region": ...}}`) or dotted (`{"aws.region": ...}`).
        start: folder where the search for `core.toml` begins; the working directory if not given.

    Raises:
        SettingsError: an unknown name (with the nearest known one) or a value that does not fit, with its place.
    """
    path = find_config(start)
    found = from_aws_environment()
    for layer in (from_file(path) if path else {}, from_environment(), from_overrides(overrides or {})):
        _check_names(layer)
        found |= layer
    try:
        settings = Settings.model_validate(nest({name: item.value for name, item in found.items()}))
    except ValidationError as error:
        raise _unfit(error, found) from error
    settings._origins.update({name: item.origin for name, item in found.items()})
    return settings


def _check_names(layer: Mapping[str, Found]) -> None:
    for name, item in layer.items():
        if name in SECTIONS:
            raise SettingsError(f"'{name}' is a section, not a value", where=item.origin, hint=f"e.g. {_example(name)}")
        if name not in KNOWN:
            near = nearest(name)
            raise SettingsError(
                f"'{shown(name)}' is not a setting",
                where=item.origin,
                hint=f"did you mean '{near}'?" if near else "core info lists all settings",
            )


def _example(section: str) -> str:
    return next(name for name in KNOWN if name.startswith(f"{section}."))


def _unfit(error: ValidationError, found: Mapping[str, Found]) -> SettingsError:
    problems = [(".".join(str(part) for part in item["loc"]), item) for item in error.errors(include_url=False)]
    lines = []
    for name, item in problems:
        message = item["msg"].removeprefix("Value error, ")
        lines.append(f"{name}: {message}" + (f" (it is {item['input']!r})" if _shows_input(name, item["input"]) else ""))
    return SettingsError("; ".join(lines), where=_origin(problems[0][0], found))


def _shows_input(name: str, value: Any) -> bool:
    return isinstance(value, (str, int, float, bool)) and "auth" not in name and "external_id" not in name


def _origin(name: str, found: Mapping[str, Found]) -> str | None:
    """Origin of a value, of what it lies in, or (for a rule over a section) of anything set in that section."""
    outer = name
    while outer:
        if outer in found:
            return found[outer].origin
        outer = outer.rpartition(".")[0]
    return next((item.origin for key, item in found.items() if key.startswith(f"{name}.")), None)
