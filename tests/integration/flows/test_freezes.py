"""A freeze window in the registry, from the flow to the event history: it stops a run, and who goes on all the same is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core_lib.db import ClientCmdb, ClientFact, Event
from core_lib.framework.models import ActionStatus, Options, RunStatus
from deployments.local import EmbeddedCloud
from flows import door
from tests.integration.flows import world

SPEC = """
Targets: {OrganizationalUnits: [/workloads], Regions: [eu-west-1]}
Actions:
  - {Name: look, Kind: SYSTEM::NoOp}
  - {Name: app, Kind: AWS::PutParameter, DependsOn: [look], Spec: {Name: /app, Value: new}}
"""
DENIED = {"match": {"service": "ssm", "operation": "PutParameter"}, "error": {"code": "AccessDeniedException", "message": "no"}}
REASON = "CVE-2026-1, agreed with carol"


def freeze(acme: ClientCmdb) -> None:
    """Nothing new begins from yesterday to the day after tomorrow, whatever the time is."""
    today = datetime.now(UTC).date()
    window = {
        "Name": "sale", "From": str(today - timedelta(days=1)), "Until": str(today + timedelta(days=1)), "Reason": "busy days",
    }  # fmt: skip
    stored = acme.registry.get(ClientFact, acme.client)
    frozen = ClientFact.model_validate({"Client": acme.client, "FreezeWindows": [window]})
    acme.registry.put(frozen.model_copy(update={"record_version": stored.record_version}))


def statuses(acme: ClientCmdb, run_id: str) -> dict[str, set[ActionStatus]]:
    """How the actions stand, by name."""
    found: dict[str, set[ActionStatus]] = {}
    for row in acme.ledger.load(run_id).values():
        found.setdefault(row.action_id.partition("@")[0], set()).add(row.status)
    return found


def ignored(acme: ClientCmdb, run_id: str) -> list[Event]:
    events = acme.events.list("prn:payments:ledger:main:7").items
    return [event for event in events if event.run_id == run_id and event.status == "FREEZE_IGNORED"]


def test_run_when_a_freeze_stops_it_then_only_a_resume_with_a_reason_goes_on_and_the_event_names_who_resumed(
    acme: ClientCmdb,
) -> None:
    freeze(acme)
    end = door.run_here(world.payload(acme.client, {"deployspec.yaml": SPEC}, requested_by="ann"))
    run_id = end.run_id
    assert end.state == "failed"
    assert statuses(acme, run_id) == {"look": {ActionStatus.SUCCEEDED}, "app": {ActionStatus.BLOCKED}}
    held = next(row for name, row in acme.ledger.load(run_id).items() if name.startswith("app@"))
    assert (held.message or "").startswith("not started: freeze 'sale' (busy days) until ")

    assert door.resume_here(acme.client, run_id, by="bob").state == "failed"
    assert statuses(acme, run_id)["app"] == {ActionStatus.BLOCKED}
    assert ignored(acme, run_id) == []

    before = datetime.now(UTC)
    assert door.resume_here(acme.client, run_id, Options(ignore_freeze=REASON), by="bob").completed
    assert statuses(acme, run_id)["app"] == {ActionStatus.SUCCEEDED}
    (event,) = ignored(acme, run_id)
    assert (event.actor, event.details["By"], event.details["Reason"]) == ("bob", "bob", REASON)
    assert before <= event.at <= datetime.now(UTC)
    run = acme.runs.get(run_id)
    assert (run.status, run.requested_by, run.resumed_by) == (RunStatus.SUCCEEDED, "ann", "bob")


def test_consent_when_it_was_given_for_an_earlier_command_then_a_resume_without_one_is_held_by_the_freeze_again(
    acme: ClientCmdb, platform: EmbeddedCloud
) -> None:
    freeze(acme)
    payload = world.payload(acme.client, {"deployspec.yaml": SPEC}, requested_by="ann", options=Options(ignore_freeze=REASON))
    platform.faults([DENIED])
    run_id = door.run_here(payload).run_id
    platform.faults([])
    assert acme.runs.get(run_id).status is RunStatus.FAILED
    assert [event.actor for event in ignored(acme, run_id)] == ["ann"]

    assert door.resume_here(acme.client, run_id, by="bob").state == "failed"
    assert statuses(acme, run_id)["app"] == {ActionStatus.BLOCKED}
    assert len(ignored(acme, run_id)) == 1
