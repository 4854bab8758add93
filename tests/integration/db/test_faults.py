"""DynamoDB under faults: throttling, server errors, lost answers, items left unprocessed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest

from core_lib.db import ClientCmdb
from core_lib.framework.errors import AwsError
from core_lib.framework.models import Account, ActionStatus, RunStatus
from deployments.local import EmbeddedCloud
from tests.unit.db.builders import a_run, a_state, details

RUN = "run-1"
THROTTLED = {"error": {"code": "ProvisionedThroughputExceededException", "status": 400}}
BROKEN = {"error": {"code": "InternalServerError", "status": 500}}
LOST = {"drop_response": True}


def fault(effect: dict[str, Any], operation: str = ".*", **how: Any) -> dict[str, Any]:
    return {"match": {"service": "dynamodb", "operation": operation}, **how, **effect}


def work(acme: ClientCmdb) -> None:
    """A bit of everything that a run does."""
    acme.items.register(details(), status="RUNNING")
    acme.runs.create(a_run(RUN))
    epoch = acme.runs.take(RUN).epoch
    acme.runs.transition(RUN, RunStatus.RUNNING, epoch=epoch)
    acme.locks.acquire(RUN, epoch, ["a", "b"], "ada")
    states = acme.ledger.write([a_state(name, RUN) for name in "abc"], epoch=epoch)
    acme.runs.heartbeat(RUN, epoch, {"running": 3})
    acme.ledger.write([state.model_copy(update={"status": ActionStatus.SUCCEEDED}) for state in states], epoch=epoch)
    acme.locks.release(RUN, ["a", "b"], epoch=epoch)
    acme.runs.transition(RUN, RunStatus.SUCCEEDED, epoch=epoch)


def check(acme: ClientCmdb) -> None:
    run = acme.runs.get(RUN)
    assert (run.status, run.epoch, run.counts) == (RunStatus.SUCCEEDED, 1, {"running": 3})
    rows = acme.ledger.load(RUN)
    assert {name: (row.status, row.version) for name, row in rows.items()} == dict.fromkeys("abc", (ActionStatus.SUCCEEDED, 2))
    assert acme.locks.holders(["a", "b"]) == {}
    assert acme.items.get(details().prn).version == 1


@pytest.mark.parametrize("effect", [THROTTLED, BROKEN, LOST, {"reset": True}], ids=["throttled", "broken", "lost", "reset"])
def test_work_when_every_third_call_fails_then_it_ends_as_if_nothing_had_happened(
    aws: EmbeddedCloud, acme: ClientCmdb, effect: dict[str, Any]
) -> None:
    aws.faults([fault(effect, every=3)])
    work(acme)
    aws.faults([])
    check(acme)


def test_work_when_every_first_answer_to_a_write_is_lost_then_it_ends_as_if_nothing_had_happened(
    aws: EmbeddedCloud, acme: ClientCmdb
) -> None:
    aws.faults([fault(LOST, "PutItem|UpdateItem|DeleteItem|TransactWriteItems", every=2)])
    work(acme)
    aws.faults([])
    check(acme)


def test_heartbeat_when_it_meets_a_transaction_on_the_run_then_it_is_repeated(aws: EmbeddedCloud, acme: ClientCmdb) -> None:
    acme.runs.create(a_run(RUN))
    acme.runs.take(RUN)
    aws.faults([fault({"error": {"code": "TransactionConflictException", "status": 400}}, "UpdateItem", times=3)])
    assert acme.runs.heartbeat(RUN, 1, {"running": 1}).counts == {"running": 1}
    assert aws.fault_statistics()[0]["fired"] == 3
    aws.faults([])


def test_ledger_when_the_call_gives_up_after_the_write_arrived_then_repeating_it_is_safe(
    aws: EmbeddedCloud, acme: ClientCmdb
) -> None:
    acme.runs.create(a_run(RUN))
    acme.runs.take(RUN)
    states = [a_state(name, RUN) for name in "abc"]
    aws.faults([fault(LOST, "TransactWriteItems")])
    with pytest.raises(AwsError, match="cannot be reached"):
        acme.ledger.write(states, epoch=1)
    aws.faults([])
    assert [state.version for state in acme.ledger.write(states, epoch=1)] == [1, 1, 1]


def test_call_when_the_service_stays_broken_then_the_error_is_one_of_ours(aws: EmbeddedCloud, acme: ClientCmdb) -> None:
    aws.faults([fault(BROKEN)])
    with pytest.raises(AwsError, match="InternalServerError"):
        acme.runs.get(RUN)
    aws.faults([])


class Unprocessed:
    """Sends only some requests of each batch on and answers the others as unprocessed, as DynamoDB may."""

    def __init__(self, acme: ClientCmdb, monkeypatch: pytest.MonkeyPatch, through: int) -> None:
        connection = acme.accounts._connection
        real: Callable[..., dict[str, Any]] = connection.call
        self.calls = 0

        def call(operation: str, **arguments: Any) -> dict[str, Any]:
            if operation != "BatchWriteItem":
                return real(operation, **arguments)
            self.calls += 1
            (table, requests), *_ = arguments["RequestItems"].items()
            if through:
                real(operation, RequestItems={table: requests[:through]})
            return {"UnprocessedItems": {table: requests[through:]} if requests[through:] else {}}

        monkeypatch.setattr(connection, "call", call)


def test_batch_when_items_stay_unprocessed_for_a_while_then_they_are_sent_again(
    acme: ClientCmdb, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = [Account(id=f"{number:012}", name=f"a{number}") for number in range(30)]
    partial = Unprocessed(acme, monkeypatch, through=10)
    acme.accounts.put_many(accounts)
    assert partial.calls == 4
    assert acme.accounts.all() == accounts


def test_batch_when_items_stay_unprocessed_to_the_end_then_the_error_lists_them(
    acme: ClientCmdb, monkeypatch: pytest.MonkeyPatch
) -> None:
    Unprocessed(acme, monkeypatch, through=0)
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)
    with pytest.raises(AwsError, match="1 items stay unprocessed: accounts/000000000007"):
        acme.accounts.put_many([Account(id="000000000007", name="seven")])


def test_calls_when_signed_then_they_go_to_the_endpoint_of_the_environment(aws: EmbeddedCloud, acme: ClientCmdb) -> None:
    seen: list[str] = []

    def remember(request: AWSPreparedRequest, **_: Any) -> None:
        seen.append(request.url)

    acme.accounts._connection.client.meta.events.register("before-send.dynamodb.*", remember)
    acme.accounts.all()
    assert seen == [f"{aws.endpoint}/"]
