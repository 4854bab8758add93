"""Names of executions: what Step Functions takes, and never the same one twice."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from core_lib.runner.stepfunctions import execution_name

RUN_IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{2,62}", fullmatch=True)
NUMBERS = st.integers(min_value=0, max_value=10**9)


@given(st.text(min_size=1, max_size=40), RUN_IDS, NUMBERS, NUMBERS)
def test_name_when_any_run_then_short_enough_and_of_allowed_characters(client: str, run: str, epoch: int, relays: int) -> None:
    assert re.fullmatch(r"[A-Za-z0-9-]{1,80}", execution_name(client, run, epoch, relays))


def test_name_when_client_run_epoch_or_relay_differ_then_so_does_the_name() -> None:
    long = "r" * 63
    names = {
        execution_name("acme", "run-1", 1), execution_name("acme", "run-1", 2), execution_name("acme", "run-1", 1, 1),
        execution_name("other", "run-1", 1), execution_name("acme", long, 1), execution_name("acme", long[:-1] + "s", 1),
    }  # fmt: skip
    assert len(names) == 6


def test_name_when_read_then_it_tells_run_and_epoch() -> None:
    assert execution_name("acme", "20261123-071500-ab12cd", 3, 1).startswith("20261123-071500-ab12cd-e3-r1-")
