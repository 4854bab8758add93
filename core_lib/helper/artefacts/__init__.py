"""Artefact storage: packages, templates, plans and end states, on S3 or in a folder, behind one contract.

store = open_store(settings, sessions)
store.put("files/payments/net/vpc.yaml", body, if_absent=True)
"""

from core_lib.helper.artefacts.contract import ArtefactStore, check_key
from core_lib.helper.artefacts.folder import FolderStore
from core_lib.helper.artefacts.opening import open_store
from core_lib.helper.artefacts.s3 import S3Store

__all__ = ["ArtefactStore", "FolderStore", "S3Store", "check_key", "open_store"]
