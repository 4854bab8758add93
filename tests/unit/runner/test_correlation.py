"""Names of runs sort by time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from core_lib.framework.models import DeploymentDetails, Task, TaskPayload
from core_lib.runner import new_run_id


def test_new_run_id_when_made_then_date_time_and_six_hex_digits() -> None:
    assert re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{6}", new_run_id())


def test_new_run_id_when_made_later_then_it_sorts_later() -> None:
    moments = [datetime(2026, 11, 23, 7, 15, tzinfo=UTC) + timedelta(seconds=n) for n in range(5)]
    names = [new_run_id(moment) for moment in moments]
    assert names == sorted(names)


def test_new_run_id_when_the_clock_is_elsewhere_then_it_is_utc_all_the_same() -> None:
    moment = datetime(2026, 11, 23, 1, 0, tzinfo=timezone(timedelta(hours=3)))
    assert new_run_id(moment).startswith("20261122-220000-")


def test_new_run_id_when_used_in_a_payload_then_it_is_a_valid_correlation_id() -> None:
    details = DeploymentDetails(portfolio="payments")
    TaskPayload(client="acme", task=Task.DEPLOY, deployment_details=details, correlation_id=new_run_id())
