"""Where settings are read from. Each source gives values by dotted name, with the place of each for error messages."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic_settings import EnvSettingsSource
from pydantic_settings import SettingsError as SourceError

from core_lib.framework.errors import SettingsError
from core_lib.framework.settings.model import ENVIRONMENT_DELIMITER, ENVIRONMENT_PREFIX, Settings
from core_lib.framework.settings.names import KNOWN, SECTIONS, flatten, nearest

CONFIG_FILE = "core.toml"
CONFIG_VARIABLE = "CORE_CONFIG"
COMMAND_LINE = "command line"
_REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")
_TABLE = re.compile(r"^\s*\[\s*(?P<name>[^\[\]]+?)\s*\]\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*(?P<name>[A-Za-z0-9_\"'.\- ]+?)\s*=")
_LONGEST_FILE = 1024 * 1024


@dataclass(frozen=True)
class Found:
    """One value and its place: `core.toml:12`, `environment CORE_AWS__REGION`, `command line`."""

    value: Any
    origin: str


def from_overrides(overrides: Mapping[str, Any]) -> dict[str, Found]:
    """Values of the command line: nested, or with dotted names, or both. None means "not given"."""
    flat: dict[str, Any] = {}
    for key, value in overrides.items():
        flat |= flatten(value, f"{key}.") if isinstance(value, Mapping) and key not in KNOWN else {key: value}
    return {name: Found(value, COMMAND_LINE) for name, value in flat.items() if value is not None}


def from_environment() -> dict[str, Found]:
    """Values of `CORE_*` variables; maps (`CORE_LIMITS__RATES`) are JSON.

    A variable that merely begins with `CORE_` and resembles no setting is somebody else's and left alone.
    """
    try:
        values = EnvSettingsSource(Settings)()
    except (SourceError, RecursionError) as error:
        message = str(error) if isinstance(error, SourceError) else "a variable's JSON is nested too deeply"
        raise SettingsError(message, where="environment", hint="lists and maps are written as JSON") from error
    spelling = {name.lower(): name for name in os.environ}
    found = {name: Found(value, _variable_origin(name, spelling)) for name, value in flatten(values).items()}
    for lower, variable in spelling.items():
        name = lower.removeprefix(ENVIRONMENT_PREFIX.lower()).replace(ENVIRONMENT_DELIMITER, ".")
        if lower.startswith(ENVIRONMENT_PREFIX.lower()) and variable != CONFIG_VARIABLE and not _known(name):
            _refuse_variable(variable, name)
    return found


def _known(name: str) -> bool:
    return name in KNOWN or name in SECTIONS or any(name.startswith(f"{known}.") for known in KNOWN)


def _variable_origin(name: str, spelling: Mapping[str, str]) -> str:
    parts = (ENVIRONMENT_PREFIX + name.replace(".", ENVIRONMENT_DELIMITER)).lower()
    section = (ENVIRONMENT_PREFIX + name.split(".", 1)[0]).lower()
    inside = next((text for lower, text in spelling.items() if lower.startswith(parts + ENVIRONMENT_DELIMITER)), None)
    return f"environment {spelling.get(parts) or inside or spelling.get(section) or parts.upper()}"


def _refuse_variable(variable: str, name: str) -> None:
    section = name.split(".", 1)[0]
    near = nearest(name) or nearest(name.replace("_", ".", 1))
    if near is None and not ("." in name and section in SECTIONS):
        return
    spelled = ENVIRONMENT_PREFIX + near.upper().replace(".", ENVIRONMENT_DELIMITER) if near else None
    raise SettingsError(
        f"{variable} is not a setting",
        where="environment",
        hint=f"did you mean {spelled}?" if spelled else f"core info lists the settings of [{section}]",
    )


def from_aws_environment() -> dict[str, Found]:
    """The region as boto3's variables give it, for when the platform's own settings name none."""
    for variable in _REGION_VARIABLES:
        if value := os.environ.get(variable):
            return {"aws.region": Found(value, f"environment {variable}")}
    return {}


def find_config(start: Path | None = None) -> Path | None:
    """The file named by CORE_CONFIG, else the nearest `core.toml` from `start` (default: working directory) upwards.

    Raises:
        SettingsError: CORE_CONFIG names a file that is not there.
    """
    if named := os.environ.get(CONFIG_VARIABLE):
        path = Path(os.path.expanduser(named))
        if not path.is_file():
            raise SettingsError(f"there is no file {named}", where=f"environment {CONFIG_VARIABLE}", hint="name a core.toml")
        return path
    here = (start or Path.cwd()).resolve()
    return next((folder / CONFIG_FILE for folder in (here, *here.parents) if (folder / CONFIG_FILE).is_file()), None)


def from_file(path: Path) -> dict[str, Found]:
    """Values of a `core.toml`, each with `path:line`.

    Raises:
        SettingsError: unreadable, not TOML, or larger than 1 MiB.
    """
    try:
        if path.stat().st_size > _LONGEST_FILE:
            raise SettingsError("the file is larger than 1 MiB", where=str(path))
        text = path.read_text(encoding="utf-8")
        values = flatten(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"not TOML: {error}", where=str(path)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot be read: {error}", where=str(path)) from error
    except RecursionError as error:
        raise SettingsError("nested too deeply", where=str(path)) from error
    lines = _lines(text)
    return {name: Found(value, f"{path}:{_line_of(name, lines)}") for name, value in values.items()}


def _lines(text: str) -> dict[str, int]:
    """Line of each key and table. Only messages depend on it, so a look at the line starts is enough."""
    lines: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if heading := _TABLE.match(line):
            table = _plain(heading["name"]) + "."
            lines.setdefault(table.rstrip("."), number)
        elif key := _KEY.match(line):
            parts = (table + _plain(key["name"])).split(".")
            for depth in range(len(parts), table.count("."), -1):
                lines.setdefault(".".join(parts[:depth]), number)
    return lines


def _plain(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))


def _line_of(name: str, lines: Mapping[str, int]) -> int:
    while name not in lines and "." in name:
        name = name.rsplit(".", 1)[0]
    return lines.get(name, 1)
