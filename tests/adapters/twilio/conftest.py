"""The adapter over a running cloud."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.adapters.twilio.world import TwilioHarness


@pytest.fixture
async def twilio(tmp_path: Path) -> AsyncIterator[TwilioHarness]:
    async with TwilioHarness().running(tmp_path) as harness:
        yield harness
