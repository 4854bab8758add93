"""The settings with the origin of each value, ready to be printed: what `core info` shows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

from pydantic import SecretStr

from core_lib.framework.settings.model import Settings
from core_lib.framework.settings.names import fields

DEFAULT = "default"
MASK = "********"
_AWS_SHOWN = (
    "AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CA_BUNDLE", "AWS_ROLE_ARN", "AWS_EC2_METADATA_DISABLED",
)  # fmt: skip
_AWS_SECRET = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@dataclass(frozen=True)
class SettingOrigin:
    """One setting: dotted name (or an `AWS_*` variable that boto3 reads), value as text, origin, meaning."""

    name: str
    value: str
    origin: str
    description: str = ""


def explain_settings(settings: Settings) -> list[SettingOrigin]:
    """Every setting with value and origin, then boto3's own variables as far as they are set. Secrets are masked."""
    origins = settings.origins
    lines = [
        SettingOrigin(
            name=name,
            value=_text(reduce(getattr, name.split("."), settings)),
            origin=origins.get(name, DEFAULT),
            description=" ".join((field.description or "").split()),
        )
        for name, field in fields()
    ]
    return [*lines, *_aws_variables()]


def _aws_variables() -> Iterator[SettingOrigin]:
    single_endpoints = (name for name in os.environ if name.startswith("AWS_ENDPOINT_URL_"))
    for name in (*_AWS_SHOWN, *sorted(single_endpoints), *_AWS_SECRET):
        if name in os.environ:
            value = MASK if name in _AWS_SECRET else os.environ[name]
            yield SettingOrigin(name, value, "environment (read by boto3)", "read by boto3, not by the platform")


def _text(value: Any) -> str:
    if isinstance(value, SecretStr):
        return MASK
    if value is None:
        return ""
    if isinstance(value, (tuple, list)):
        return ", ".join(_text(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}={_text(item)}" for key, item in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)
