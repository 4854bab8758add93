"""The history of drift, on an in-process DynamoDB."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from core_lib.db import ClientCmdb, DriftRecord, IgnoredDrift, StackRecord

NOW = datetime(2026, 11, 25, 4, tzinfo=UTC)


def record(target: str, *, seen: datetime = NOW, settled: datetime | None = None) -> DriftRecord:
    return DriftRecord(
        target=target, stack_name="app", status="DRIFTED", first_seen=NOW, last_seen=seen, checked_at=seen, settled_at=settled,
        groups=("abc",),
    )  # fmt: skip


def test_drift_when_listed_then_the_latest_comes_first_in_pages_and_settled_ones_are_apart(acme: ClientCmdb) -> None:
    later = [record(f"{n}/eu-west-1", seen=NOW + timedelta(hours=n)) for n in range(3)]
    acme.drift.put_many([*later, record("9/eu-west-1", settled=NOW)])
    first = acme.drift.list(limit=2)
    assert [each.target for each in first.items] == ["2/eu-west-1", "1/eu-west-1"]
    assert [each.target for each in acme.drift.list(limit=2, cursor=first.cursor).items] == ["0/eu-west-1"]
    assert [each.target for each in acme.drift.list("settled").items] == ["9/eu-west-1"]
    assert len(acme.drift.drifted()) == 3


def test_drift_when_a_stack_settles_then_its_record_moves_and_can_be_read_by_key(acme: ClientCmdb) -> None:
    acme.drift.put_many([record("1/eu-west-1")])
    acme.drift.put_many([record("1/eu-west-1", settled=NOW)])
    assert acme.drift.list().items == ()
    found = acme.drift.get_many([("1/eu-west-1", "app"), ("2/eu-west-1", "app")])
    assert found == {("1/eu-west-1", "app"): record("1/eu-west-1", settled=NOW)}


def test_ignored_when_the_day_is_over_then_it_no_longer_counts(acme: ClientCmdb) -> None:
    acme.drift.ignore(IgnoredDrift(group="abc", until=date(2026, 12, 1), reason="known", since=NOW))
    assert set(acme.drift.ignored(date(2026, 12, 1))) == {"abc"}
    assert acme.drift.ignored(date(2026, 12, 2)) == {}


def test_stacks_when_recorded_then_every_target_is_listed_once(acme: ClientCmdb) -> None:
    for target, name in (("1/eu-west-1", "a"), ("1/eu-west-1", "b"), ("2/us-east-1", "a")):
        acme.stacks.put(StackRecord(target=target, stack_name=name, fingerprint="f", stack_id="i"))
    assert acme.stacks.targets() == ["1/eu-west-1", "2/us-east-1"]
    assert set(acme.stacks.get_many("1/eu-west-1")) == {"a", "b"}
