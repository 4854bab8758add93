"""One backend per parameter, started once; known gaps become strict expectations of failure."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.backends import STARTERS, Backend
from tests.contract.gaps import GAPS


@pytest.fixture(
    scope="session",
    params=["embedded", "moto", pytest.param("localstack", marks=pytest.mark.localstack)],
)
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    with STARTERS[request.param]() as started:
        yield started


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        callspec = getattr(item, "callspec", None)
        if callspec is None or "backend" not in callspec.params:
            continue
        gap = GAPS.get(callspec.params["backend"], {}).get(getattr(item, "originalname", item.name))
        if gap is not None:
            item.add_marker(pytest.mark.xfail(reason=gap, strict=True))
        item.add_marker(pytest.mark.xdist_group(f"contract-{callspec.params['backend']}"))
