"""What AWS said no with: codes of errors, and pauses that do not go on for ever."""

from __future__ import annotations

from botocore.exceptions import ClientError


def code_of(error: ClientError) -> str:
    """AWS's code of an error, e.g. `NoSuchBucket`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def text_of(error: ClientError) -> str:
    """Code and message in one line."""
    message = error.response.get("Error", {}).get("Message")
    return f"{code_of(error)}: {message}" if message else code_of(error)
