"""Layer 1, helper: the ways to AWS and to stored artefacts.

`AwsSessions` is the only source of AWS clients: the platform's own credentials at home, an assumed role in every target, never
anything else. All clients are paced (`Pacer`) so that a large run stays below AWS's limits and slows down when it is told
to. `open_store` gives the artefact store, S3 or a folder. `classify` and `error_info` say what an error means:
whether another attempt is worth it, and what a user should know.
"""

from core_lib.helper.artefacts import ArtefactStore, FolderStore, S3Store, check_key, open_store
from core_lib.helper.causes import classify, error_info
from core_lib.helper.clock import Clock, SystemClock, steady, utc_now
from core_lib.helper.pacing import BucketState, Pacer
from core_lib.helper.rates import Rate, RateTable
from core_lib.helper.roles import Role, session_name
from core_lib.helper.sessions import AwsSessions, Identity

__all__ = [
    "ArtefactStore", "AwsSessions", "BucketState", "Clock", "FolderStore", "Identity", "Pacer", "Rate", "RateTable", "Role",
    "S3Store", "SystemClock", "check_key", "classify", "error_info", "open_store", "session_name", "steady", "utc_now",
]  # fmt: skip
