"""The artefact contract against S3 of the embedded cloud, and what only a real server shows."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Iterator

import pytest

from core_lib.framework.errors import ArtefactError
from core_lib.framework.models import Cause
from core_lib.framework.settings import Settings
from core_lib.helper import ArtefactStore, AwsSessions, classify, open_store
from deployments.local import EmbeddedCloud
from tests.unit.helper.artefact_contract import ArtefactContract


class TestS3OfTheCloud(ArtefactContract):
    @pytest.fixture
    def store(self, aws: EmbeddedCloud) -> Iterator[ArtefactStore]:
        settings = Settings(aws={"region": "eu-west-1", "max_attempts": 2})  # type: ignore[arg-type]
        with AwsSessions(settings) as sessions:
            store = open_store(settings, sessions)
            store.ensure()
            yield store

    def test_url_is_readable_without_credentials(self, store: ArtefactStore) -> None:
        store.put("files/a b.yaml", b"body")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(store.url("files/a b.yaml", seconds=60), timeout=10) as answer:
            assert answer.read() == b"body"

    def test_put_if_absent_when_many_race_then_one_wins(self, store: ArtefactStore) -> None:
        gate = threading.Barrier(6)
        won: list[int] = []

        def race(number: int) -> None:
            gate.wait(10)
            if store.put("one", str(number).encode(), if_absent=True):
                won.append(number)

        threads = [threading.Thread(target=race, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert len(won) == 1
        assert store.get("one") == str(won[0]).encode()

    def test_put_when_s3_is_down_then_error_is_transient(self, aws: EmbeddedCloud, store: ArtefactStore) -> None:
        aws.faults([{"match": {"service": "s3"}, "error": {"code": "ServiceUnavailable", "message": "later", "status": 503}}])
        try:
            with pytest.raises(ArtefactError, match="ServiceUnavailable") as caught:
                store.put("k", b"x")
        finally:
            aws.faults([])
        assert classify(caught.value) is Cause.TRANSIENT
