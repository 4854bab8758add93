"""One page at a time: deleting object versions and delete markers, aborting unfinished uploads.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html (1,000 keys a call, errors per key in the answer).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from core_lib.execute.buckets.progress import Progress
from core_lib.execute.refusals import code_of
from core_lib.framework.models import Cause
from core_lib.helper import classify

_GONE = ("NoSuchKey", "NoSuchVersion")


@dataclass(frozen=True)
class Bucket:
    """A bucket of this account, or the part of it below a prefix."""

    s3: Any
    name: str
    owner: str
    prefix: str = ""
    bypass_governance: bool = False

    @property
    def address(self) -> dict[str, Any]:
        """Every call names the owner, so that no other account's bucket can be meant."""
        return {"Bucket": self.name, "ExpectedBucketOwner": self.owner}

    def delete_page(self, progress: Progress) -> bool:
        """Delete one page of versions and delete markers; True when it was the last one."""
        page = self.s3.list_object_versions(**self.address, Prefix=self.prefix, **progress.cursor)
        listed = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        progress.found += len(listed)
        stayed = self._delete(listed, progress) if listed else 0
        _move(progress, page, stayed, ("KeyMarker", "VersionIdMarker"))
        return not page.get("IsTruncated")

    def abort_page(self, progress: Progress) -> bool:
        """Abort one page of unfinished uploads; True when it was the last one."""
        page = self.s3.list_multipart_uploads(**self.address, Prefix=self.prefix, MaxUploads=200, **progress.cursor)
        uploads = page.get("Uploads", [])
        progress.found += len(uploads)
        for upload in uploads:
            self._abort(upload)
        progress.aborted += len(uploads)
        _move(progress, page, 0, ("KeyMarker", "UploadIdMarker"))
        return not page.get("IsTruncated")

    def _delete(self, listed: list[Mapping[str, Any]], progress: Progress) -> int:
        """Delete these; answers how many stay."""
        keys = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in listed]
        bypass = {"BypassGovernanceRetention": True} if self.bypass_governance else {}
        answer = self.s3.delete_objects(**self.address, Delete={"Objects": keys, "Quiet": True}, **bypass)
        errors = [error for error in answer.get("Errors", []) if error.get("Code") not in _GONE]
        for error in errors:
            if _may_pass(error):
                progress.left += 1
            else:
                reason = f"{error.get('Code')}: {error.get('Message') or 'S3 gives no reason'}"
                progress.refuse(str(error.get("Key")), reason)
        progress.deleted += len(listed) - len(errors)
        return len(errors)

    def _abort(self, upload: Mapping[str, Any]) -> None:
        try:
            self.s3.abort_multipart_upload(**self.address, Key=upload["Key"], UploadId=upload["UploadId"])
        except ClientError as error:
            if code_of(error) != "NoSuchUpload":
                raise


def _may_pass(error: Mapping[str, Any]) -> bool:
    """Whether a key's error is worth another pass (S3's own trouble, too fast)."""
    details = {"Code": str(error.get("Code", "")), "Message": str(error.get("Message", ""))}
    return classify(ClientError({"Error": details}, "DeleteObjects")) is not Cause.PERMANENT


def _move(progress: Progress, page: Mapping[str, Any], stayed: int, markers: tuple[str, str]) -> None:
    """Listing goes on from the beginning, where nothing is any more; once something stayed there, behind it."""
    if not (stayed or progress.cursor):
        return
    progress.cursor = {marker: page[f"Next{marker}"] for marker in markers if page.get(f"Next{marker}")}
