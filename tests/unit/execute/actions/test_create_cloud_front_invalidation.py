"""AWS::CreateCloudFrontInvalidation, with a scripted CloudFront (for the queue that no emulator has)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from core_lib.execute import Again, Done, Failed
from core_lib.execute.actions.create_cloud_front_invalidation import MOST_TIMES_IN_QUEUE, CreateCloudFrontInvalidation
from core_lib.framework.errors import SchemaError
from core_lib.framework.models import Cause
from tests.builders.contexts import context_of
from tests.builders.scripted import names, refusal, scripted

KIND = "AWS::CreateCloudFrontInvalidation"
ACTION = CreateCloudFrontInvalidation()


def invalidation(status: str) -> dict[str, Any]:
    batch = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": "x"}
    found = {"Id": "I1", "Status": status, "CreateTime": datetime.now(UTC), "InvalidationBatch": batch}
    return {"Invalidation": found}


def test_invalidation_when_asked_for_twice_then_the_caller_reference_is_the_same() -> None:
    client = scripted("cloudfront", create_invalidation=invalidation("InProgress"))
    ctx = context_of(KIND, {"cloudfront": client}, DistributionId="E1", Paths="*")
    assert ACTION.start(ctx) == ACTION.start(ctx) == Again(scratch={"invalidation": "I1"})
    first, second = (arguments["InvalidationBatch"] for _, arguments in client.calls)
    assert first == second
    assert first["Paths"]["Items"] == ["/*"]


def test_invalidation_when_in_progress_then_it_is_waited_for_and_when_complete_then_it_is_done() -> None:
    client = scripted("cloudfront", get_invalidation=[invalidation("InProgress"), invalidation("Completed")])
    ctx = context_of(KIND, {"cloudfront": client}, scratch={"invalidation": "I1"}, DistributionId="E1")
    assert ACTION.check(ctx) == Again()
    done = ACTION.check(ctx)
    assert isinstance(done, Done)
    assert done.outputs == {"InvalidationId": "I1"}


def test_invalidation_when_too_many_are_in_progress_then_it_queues_and_starts_later() -> None:
    busy = refusal("TooManyInvalidationsInProgress")
    client = scripted("cloudfront", create_invalidation=[busy, invalidation("InProgress")])
    first = ACTION.start(context_of(KIND, {"cloudfront": client}, DistributionId="E1"))
    assert isinstance(first, Again)
    assert (first.after, first.scratch) == (30.0, {"queued": 1})
    second = ACTION.check(context_of(KIND, {"cloudfront": client}, scratch={"queued": 1}, DistributionId="E1"))
    assert second == Again(scratch={"invalidation": "I1"})


def test_invalidation_when_it_has_queued_for_half_an_hour_then_it_fails_as_out_of_time() -> None:
    client = scripted("cloudfront", create_invalidation=refusal("TooManyInvalidationsInProgress"))
    ctx = context_of(KIND, {"cloudfront": client}, scratch={"queued": MOST_TIMES_IN_QUEUE}, DistributionId="E1")
    failed = ACTION.check(ctx)
    assert isinstance(failed, Failed)
    assert failed.cause is Cause.TIMEOUT


@pytest.mark.parametrize("code", ["NoSuchDistribution", "AccessDenied", "Throttling"])
def test_invalidation_when_cloudfront_says_no_then_the_engine_judges_it(code: str) -> None:
    client = scripted("cloudfront", create_invalidation=refusal(code))
    with pytest.raises(ClientError, match=code):
        ACTION.start(context_of(KIND, {"cloudfront": client}, DistributionId="E1"))
    assert names(client) == ["create_invalidation"]


def test_invalidation_when_there_are_no_paths_then_the_spec_is_refused() -> None:
    with pytest.raises(SchemaError, match="Paths"):
        context_of(KIND, {}, DistributionId="E1", Paths=[])
