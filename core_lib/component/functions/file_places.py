"""Where the files of a deployment lie in the artefact store, by scope."""

from __future__ import annotations

from core_lib.component.functions.function import Argument, Call
from core_lib.framework.errors import CompileError, PackageError
from core_lib.framework.package import safe_name

BUILD = "build"
_PREFIX = {
    "shared": "SharedFilesPrefix", "portfolio": "PortfolioFilesPrefix", "app": "AppFilesPrefix", "branch": "BranchFilesPrefix",
    BUILD: "BuildFilesPrefix",
}  # fmt: skip
CONTENT = "_content"
ARGUMENTS = (
    Argument("Path", "Path below `platform/files` for the scope build, else below the files of the scope.", required=True),
    Argument("Scope", "Whose file it is; the build's unless written.", choices=tuple(_PREFIX)),
)


NO_BUCKET = "the platform knows it when its artefact store is on S3; without a platform give one: --fact FilesBucketName=NAME"


def bucket_of(call: Call) -> str:
    """The bucket that files lie in.

    Raises:
        CompileError: it is not known.
    """
    return call.fact("FilesBucketName", NO_BUCKET)


def key_of(call: Call) -> str:
    """The object key of the file that a call names.

    A file of the build gets a copy whose key tells its content, so that a stack sees when it has changed.

    Raises:
        PackageError: the path leaves its folder.
        CompileError: there is no such file in the package, or a fact is missing.
    """
    scope = call.text("Scope", BUILD)
    try:
        path = safe_name(call.text("Path"), "Path")
    except PackageError as error:
        raise call.fault(error.message, "Path", hint=error.hint) from error
    prefix = call.fact(_PREFIX[scope]).strip("/")
    if scope != BUILD:
        return f"{prefix}/{path}"
    environment = call.environment
    if path not in environment.files:
        raise call.unknown("Path", "file in the package below platform/files:", path, environment.files, kind=CompileError)
    key = f"{prefix}/{CONTENT}/{environment.content_name(path)}/{path.rpartition('/')[2]}"
    call.gathered.copies[key] = path
    return key
