"""Facts that follow from the artefact store."""

from __future__ import annotations

from core_lib.component import with_store
from core_lib.db import Facts

PREFIX = {"BuildFilesPrefix": "files/shop/web/main/7"}


def test_store_when_it_is_a_bucket_then_files_are_there() -> None:
    facts = with_store(Facts(PREFIX), "s3://core-artefacts", "eu-west-1", "999999999999")
    assert facts.values == {
        "ArtefactsBucketName": "core-artefacts", "FilesBucketName": "core-artefacts", "FilesBucketRegion": "eu-west-1",
        "FilesBucketAccount": "999999999999", "FilesBucketUrl": "https://core-artefacts.s3.eu-west-1.amazonaws.com",
        "SharedFilesPrefix": "files/shared", **PREFIX,
    }  # fmt: skip
    assert facts.explain("FilesBucketName")[0].layers == ("artefact store",)


def test_store_when_it_is_a_folder_of_a_bucket_then_keys_begin_with_it() -> None:
    facts = with_store(Facts(PREFIX), "s3://shared/core/", "eu-west-1", "999999999999")
    assert facts.values["BuildFilesPrefix"] == "core/files/shop/web/main/7"
    assert facts.values["SharedFilesPrefix"] == "core/files/shared"


def test_store_when_the_user_names_another_bucket_then_it_wins() -> None:
    facts = with_store(Facts({"FilesBucketName": "mine", **PREFIX}), "s3://shared/core", "eu-west-1", "999999999999")
    assert facts.values == {"FilesBucketName": "mine", "ArtefactsBucketName": "shared", **PREFIX}


def test_store_when_it_is_a_folder_on_this_machine_then_nothing_can_be_told() -> None:
    assert with_store(Facts(PREFIX), "/var/lib/core", "eu-west-1", "999999999999").values == PREFIX
