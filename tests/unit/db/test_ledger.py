"""The ledger: group writes, versions, fencing, large rows, failures."""

from __future__ import annotations

import random
import string
from datetime import timedelta

import pytest

from core_lib.db import ClientCmdb, LedgerConflictError
from core_lib.framework.errors import ConflictError, FencedError, InputError
from core_lib.framework.models import ActionStatus, ErrorInfo
from tests.unit.db.builders import EARLY, a_run, a_state

RUN = "20261101-080000-aaaaaa"


@pytest.fixture
def taken(acme: ClientCmdb) -> ClientCmdb:
    acme.runs.create(a_run())
    acme.runs.take(RUN)
    return acme


def noise(length: int) -> str:
    generator = random.Random(7)
    return "".join(generator.choices(string.ascii_letters, k=length))


def test_states_when_written_then_they_come_back_with_new_versions(taken: ClientCmdb) -> None:
    states = [a_state(f"a{number}", outputs={"Arn": "x", "Number": number}, scratch={"ä": [1, None]}) for number in range(3)]
    written = taken.ledger.write(states, epoch=1)
    assert [state.version for state in written] == [1, 1, 1]
    assert taken.ledger.load(RUN) == {state.action_id: state for state in written}


def test_states_when_more_than_one_transaction_holds_then_all_are_written(taken: ClientCmdb) -> None:
    states = [a_state(f"a{number:03}") for number in range(250)]
    taken.ledger.write(states, epoch=1)
    assert sorted(taken.ledger.load(RUN)) == [state.action_id for state in states]


def test_ledger_when_a_run_has_no_rows_then_it_is_empty(acme: ClientCmdb) -> None:
    assert acme.ledger.load("nobody") == {}


def test_get_when_some_actions_have_no_row_then_they_are_left_out(taken: ClientCmdb) -> None:
    taken.ledger.write([a_state("a"), a_state("b")], epoch=1)
    assert sorted(taken.ledger.get(RUN, ["a", "c", "a"])) == ["a"]


def test_write_when_a_version_is_old_then_it_alone_is_refused_by_name(taken: ClientCmdb) -> None:
    first = taken.ledger.write([a_state("a"), a_state("b")], epoch=1)
    taken.ledger.write([first[0].model_copy(update={"message": "moved on"})], epoch=1)
    late = [state.model_copy(update={"message": "late"}) for state in first]
    with pytest.raises(LedgerConflictError, match="a") as refused:
        taken.ledger.write(late, epoch=1)
    assert isinstance(refused.value, ConflictError)
    assert refused.value.conflicts == ("a",)
    assert [state.action_id for state in refused.value.written] == ["b"]
    stored = taken.ledger.load(RUN)
    assert (stored["a"].message, stored["b"].message) == ("moved on", "late")


def test_write_when_repeated_because_the_answer_was_lost_then_it_counts_as_written(taken: ClientCmdb) -> None:
    state = a_state("a", status=ActionStatus.FAILED, outputs={"x": "1"})
    assert taken.ledger.write([state], epoch=1) == taken.ledger.write([state], epoch=1)
    assert taken.ledger.load(RUN)["a"].version == 1


def test_write_when_the_epoch_has_moved_on_then_nothing_is_written(taken: ClientCmdb) -> None:
    taken.runs.take(RUN)
    with pytest.raises(FencedError):
        taken.ledger.write([a_state("a")], epoch=1)
    assert taken.ledger.load(RUN) == {}
    taken.ledger.write([a_state("a")], epoch=2)


def test_write_when_nothing_is_given_then_nothing_happens(taken: ClientCmdb) -> None:
    assert taken.ledger.write([], epoch=1) == []


def test_row_when_large_then_it_is_compressed_and_comes_back(taken: ClientCmdb) -> None:
    outputs = {"Text": "hello " * 80_000}
    taken.ledger.write([a_state("a", outputs=outputs)], epoch=1)
    assert taken.ledger.load(RUN)["a"].outputs == outputs


def test_rows_when_together_too_large_for_a_transaction_then_they_are_split(taken: ClientCmdb) -> None:
    states = [a_state(f"a{number:02}", outputs={"Text": noise(90_000)}) for number in range(60)]
    taken.ledger.write(states, epoch=1)
    assert len(taken.ledger.load(RUN)) == 60


def test_row_when_too_large_even_compressed_then_the_error_names_it(taken: ClientCmdb) -> None:
    with pytest.raises(InputError, match="huge") as refused:
        taken.ledger.write([a_state("huge", outputs={"Text": noise(900_000)})], epoch=1)
    assert "artefact store" in str(refused.value)


def test_failures_when_actions_fail_and_recover_then_only_failed_ones_are_listed_in_order(taken: ClientCmdb) -> None:
    error = ErrorInfo(code="CORE-4003", message="boom")
    failed = [
        a_state(f"f{number}", status=ActionStatus.FAILED, error=error, ended_at=EARLY + timedelta(seconds=9 - number))
        for number in range(3)
    ]
    written = taken.ledger.write([*failed, a_state("ok", status=ActionStatus.SUCCEEDED)], epoch=1)
    assert [state.action_id for state in taken.ledger.failures(RUN).items] == ["f2", "f1", "f0"]
    taken.ledger.write([written[0].model_copy(update={"status": ActionStatus.RUNNING, "error": None})], epoch=1)
    page = taken.ledger.failures(RUN, limit=1)
    rest = taken.ledger.failures(RUN, cursor=page.cursor)
    assert [state.action_id for state in (*page.items, *rest.items)] == ["f2", "f1"]
