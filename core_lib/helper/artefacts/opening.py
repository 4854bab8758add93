"""From the setting `artefacts.location` to the store itself."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from core_lib.framework.errors import SettingsError
from core_lib.framework.settings import Settings
from core_lib.helper.artefacts.contract import ArtefactStore
from core_lib.helper.artefacts.folder import FolderStore
from core_lib.helper.artefacts.s3 import S3Store
from core_lib.helper.sessions import AwsSessions

_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_BUCKET = re.compile(r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")


def open_store(settings: Settings, sessions: AwsSessions) -> ArtefactStore:
    """The artefact store of these settings. Nothing is created; `ensure` does that.

    Raises:
        SettingsError: the location is neither `s3://bucket[/prefix]` nor a folder.
        AwsError: the location names {account}, and AWS does not tell the platform's own.
    """
    location = _filled(settings, sessions)
    if location.startswith("s3://"):
        return _s3(location, settings, sessions)
    if location.startswith("file://"):
        return FolderStore(Path(unquote(urlsplit(location).path)))
    if "://" in location:
        raise SettingsError(
            f"{location!r} is no place for artefacts", where="artefacts.location", hint="s3://bucket/prefix or a folder"
        )
    return FolderStore(Path(location))


def _s3(location: str, settings: Settings, sessions: AwsSessions) -> S3Store:
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    if not _BUCKET.match(bucket):
        raise SettingsError(
            f"{bucket!r} is not a bucket name", where="artefacts.location", hint="3 to 63 lower-case letters, digits, '-' and '.'"
        )
    return S3Store(
        lambda: sessions.client("s3"),
        bucket,
        prefix,
        region=settings.aws.region,
        kms_key=settings.artefacts.kms_key,
        multipart_bytes=settings.artefacts.multipart_bytes,
    )


def _filled(settings: Settings, sessions: AwsSessions) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name == "prefix":
            return settings.cmdb.table_prefix.lower().replace("_", "-")
        if name == "region":
            return settings.home_region
        if name == "account":
            return sessions.identity.account
        raise SettingsError(f"{{{name}}} is not known", where="artefacts.location", hint="{prefix}, {account} and {region} are")

    return _PLACEHOLDER.sub(value, settings.artefacts.location)
