"""A strict fake Telegram, and our adapter on it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.base import Edit, Platform, Purpose, Send
from adapters.content import Content, plain
from adapters.polling_lease import SharedLeases
from adapters.telegram.platform import telegram as make
from adapters.telegram.settings import TelegramSettings
from tests.adapters.telegram.recording import RecordingSink
from tests.adapters.telegram_bot.control import Control
from tests.adapters.telegram_bot.server import FakeTelegram, strictly_serving

SECRET = "a-secret-of-thirty-characters-"  # noqa: S105 - it guards nothing


def settings_for(fake: FakeTelegram, **others: Any) -> TelegramSettings:
    settings = TelegramSettings(
        token=fake.token,
        base_url=fake.base_url,
        base_file_url=fake.base_file_url,
        poll_s=5,
        call_s=5.0,
        again_s=0.01,
        again_most_s=0.05,
    )
    return replace(settings, **others)


@dataclass
class Subject:
    """The adapter with what a test needs around it."""

    fake: FakeTelegram
    platform: Platform
    sink: RecordingSink
    leases: SharedLeases

    @property
    def control(self) -> Control:
        return self.fake.control

    def send(self, conversation: str, text: str | Content = "hello", **how: Any) -> Any:
        content = plain(text) if isinstance(text, str) else text
        how = {"op_id": "op-1", "purpose": Purpose.REPLY} | how
        return self.platform.adapter.send(
            Send(account="bot", conversation=conversation, content=content, **how)
        )

    def edit(self, conversation: str, message: str, text: str | Content, **how: Any) -> Any:
        content = plain(text) if isinstance(text, str) else text
        how = {"op_id": "op-2", "purpose": Purpose.REPLY} | how
        return self.platform.adapter.edit(
            Edit(account="bot", conversation=conversation, message=message, content=content, **how)
        )

    @contextlib.asynccontextmanager
    async def polling(self) -> AsyncIterator[RecordingSink]:
        assert self.platform.source is not None
        task = asyncio.create_task(self.platform.source.run(self.sink))
        try:
            yield self.sink
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@contextlib.asynccontextmanager
async def subject_on(fake: FakeTelegram, **others: Any) -> AsyncIterator[Subject]:
    loop = asyncio.get_running_loop()
    leases = SharedLeases(loop.time, lasts_s=60.0)
    platform = make(
        settings_for(fake, **others),
        leases.of("telegram"),
        lambda: datetime.fromtimestamp(fake.control.clock.now(), UTC),
        monotonic=loop.time,
    )
    assert platform.lifetime is not None
    async with platform.lifetime:
        yield Subject(fake, platform, RecordingSink(), leases)


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    """At the end there is nothing that no correct bot would have asked."""
    async with strictly_serving() as fake:
        yield fake


@pytest.fixture
async def subject(telegram: FakeTelegram) -> AsyncIterator[Subject]:
    async with subject_on(telegram) as subject:
        yield subject


@pytest.fixture
def ann(subject: Subject):
    return subject.control.people.user("Ann", username="ann_lee", last_name="Lee")


@pytest.fixture
def dm(subject: Subject, ann):
    return subject.control.people.private(ann)


@pytest.fixture
def group(subject: Subject, ann):
    """A group in which the bot hears everything."""
    subject.control.rules.reads_all = True
    return subject.control.people.group("Team", [ann])
