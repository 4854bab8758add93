"""The one tree of settings, where each value came from, and how they are read.

    settings = load_settings({"log.level": "DEBUG"})
    for line in explain_settings(settings):
        print(line.name, line.value, line.origin)

Precedence, strongest first: command line (`overrides`), environment (`CORE_AWS__REGION`), `core.toml` (the nearest one from the
working directory upwards, or the file named by `CORE_CONFIG`), defaults. What belongs to boto3 (`AWS_*` variables, profiles,
`AWS_ENDPOINT_URL`) stays with boto3; only `AWS_REGION` and `AWS_DEFAULT_REGION` stand in when no region is set here.
"""

from core_lib.framework.settings.explain import SettingOrigin, explain_settings
from core_lib.framework.settings.load import load_settings
from core_lib.framework.settings.model import (
    ArtefactSettings,
    AwsSettings,
    CmdbSettings,
    DeploymentSettings,
    EmailSettings,
    HttpSettings,
    LimitSettings,
    LocalSettings,
    LogSettings,
    PollingSettings,
    PrefectSettings,
    Section,
    Settings,
)

__all__ = [
    "ArtefactSettings", "AwsSettings", "CmdbSettings", "DeploymentSettings", "EmailSettings", "HttpSettings", "LimitSettings",
    "LocalSettings", "LogSettings", "PollingSettings", "PrefectSettings", "Section", "SettingOrigin", "Settings",
    "explain_settings", "load_settings",
]  # fmt: skip
