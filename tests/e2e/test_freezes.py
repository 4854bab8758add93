"""A freeze on a whole platform, as people meet it at the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from core_lib.db import ClientFact
from core_lib.framework.models import RunStatus
from tests.e2e.site import Site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PRN = "prn:payments:ledger:main:7"
REASON = "CVE-2026-1, agreed with carol"


def test_run_when_a_freeze_stops_it_then_whoever_resumes_it_with_a_reason_is_named_in_the_history(site: Site) -> None:
    site.fleet.cloud.faults([])
    today = datetime.now(UTC).date()
    window = {"Name": "sale", "From": str(today - timedelta(days=1)), "Until": str(today + timedelta(days=1))}
    stored = site.cmdb.registry.get(ClientFact, site.cmdb.client)
    fact = ClientFact.model_validate({"Client": site.cmdb.client, "FreezeWindows": [window]})
    site.cmdb.registry.put(fact.model_copy(update={"record_version": stored.record_version}))

    stopped = site.core("deploy", str(site.package), "--prn", PRN, "--yes", "--json", user="ann")
    assert stopped.returncode != 0
    assert "freeze 'sale'" in stopped.stderr
    run_id = json.loads(stopped.stdout)["RunId"]
    assert {row.status.value for row in site.cmdb.ledger.load(run_id).values()} == {"blocked"}

    refused = site.core("runs", "resume", run_id, "--ignore-freeze", "", user="bob")
    assert "at least 3 characters" in refused.stderr
    resumed = site.core("runs", "resume", run_id, "--ignore-freeze", REASON, user="bob")
    assert resumed.returncode == 0, resumed.stderr
    run = site.run(run_id)
    assert (run.status, run.requested_by, run.resumed_by) == (RunStatus.SUCCEEDED, "ann", "bob")
    (event,) = [event for event in site.cmdb.events.list(PRN).items if event.status == "FREEZE_IGNORED"]
    assert (event.actor, event.details["Reason"], event.run_id) == ("bob", REASON, run_id)
