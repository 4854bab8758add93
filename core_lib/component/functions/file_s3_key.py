"""Fn::Pipeline::FileS3Key."""

from __future__ import annotations

from typing import Any, ClassVar

from core_lib.component.functions.file_places import ARGUMENTS, bucket_of, key_of
from core_lib.component.functions.function import Call, Function


class FileS3Key(Function):
    """The key of a file in the files bucket."""

    name = "FileS3Key"
    purpose = "The object key of a file in the bucket of the fact `FilesBucketName`."
    arguments = ARGUMENTS
    example: ClassVar[Any] = {"Path": "orders.zip"}

    def value(self, call: Call) -> str:
        """The key; that there is a bucket is asked too, as whoever reads the key names it."""
        bucket_of(call)
        return key_of(call)
