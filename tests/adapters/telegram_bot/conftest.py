"""A fake Telegram that serves, and a bot on it that uses no library."""

from collections.abc import AsyncIterator

import pytest

from tests.adapters.telegram_bot.control import Control
from tests.adapters.telegram_bot.raw_bot import RawBot
from tests.adapters.telegram_bot.server import FakeTelegram, serving, strictly_serving


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with serving() as fake:
        yield fake


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    """For tests of bots: at the end there is nothing that no correct bot would have asked."""
    async with strictly_serving() as fake:
        yield fake


@pytest.fixture
def control(fake: FakeTelegram) -> Control:
    return fake.control


@pytest.fixture
async def bot(fake: FakeTelegram) -> AsyncIterator[RawBot]:
    async with RawBot(fake) as bot:
        yield bot
