"""Fn::Pipeline::FileUrl."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import quote

from core_lib.component.functions.file_places import ARGUMENTS, bucket_of, key_of
from core_lib.component.functions.function import Call, Function


class FileUrl(Function):
    """The address of a file in the files bucket."""

    name = "FileUrl"
    purpose = (
        "The https address of a file in the files bucket (facts `FilesBucketUrl`, or `FilesBucketName` and `FilesBucketRegion`)."
    )
    arguments = ARGUMENTS
    example: ClassVar[Any] = {"Path": "agents/install.sh", "Scope": "shared"}

    def value(self, call: Call) -> str:
        """The address."""
        given = call.facts.get("FilesBucketUrl")
        if given is None:
            given = f"https://{bucket_of(call)}.s3.{call.fact('FilesBucketRegion')}.amazonaws.com"
        return f"{str(given).rstrip('/')}/{quote(key_of(call))}"
