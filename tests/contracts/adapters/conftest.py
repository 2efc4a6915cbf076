"""An adapter that runs, for as long as a case."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.contracts.adapters.subjects import HARNESSES, Subject


@pytest.fixture
async def harness(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Any]:
    subject: Subject = request.param
    # A unix socket's path has room for about a hundred characters.
    running = HARNESSES[subject.name]().running(tmp_path_factory.mktemp("c"), call_s=subject.call_s)
    async with running as harness:
        yield harness
