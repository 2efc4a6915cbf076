"""The platforms of a run, each a process of its own: what plays their people, and how the roles are told of them."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.adapters.telegram_bot.client import TelegramClient
from tests.adapters.telegram_bot.process import running_telegram
from tests.adapters.telegram_bot.rules import TOKEN
from tests.adapters.twilio_cloud.as_platform import PUBLIC_ORIGIN, TwilioClient
from tests.adapters.twilio_cloud.process import running_twilio
from tests.chaos.plan import Stage, Vendor
from tests.chaos.roles import CALL_S, TELEGRAM, TWILIO
from tests.platforms.client import PlatformClient
from tests.platforms.process import running_cloud
from tests.platforms.roles import VARIABLE

#: Small, so that long answers take several messages.
_TEXT_LIMIT = 900
#: Seconds between two of Twilio's six tries, which end after fifteen.
_TRIES_EVERY_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """A running platform."""

    name: str
    client: PlatformClient
    #: The variable by which roles are told of it, and what it says; several of nobody's platforms share one.
    variable: str
    told: dict[str, object]

    def hook(self, gateway: str) -> str:
        """Say where a gateway takes this platform's events."""
        return f"{gateway}/hooks/{self.name}"


def environment(clouds: Iterable[Cloud]) -> dict[str, str]:
    """Write what tells a role of every platform."""
    told: dict[str, dict[str, object]] = {VARIABLE: {}}
    for cloud in clouds:
        if cloud.variable == VARIABLE:
            told[VARIABLE][cloud.name] = cloud.told
        else:
            told[cloud.variable] = cloud.told
    return {variable: json.dumps(wire) for variable, wire in told.items()}


@asynccontextmanager
async def running(stage: Stage, folder: Path, seed: int) -> AsyncIterator[Cloud]:
    """Start a platform whose record is in `folder`; end it when the context is left."""
    match stage.vendor:
        case Vendor.TELEGRAM:
            async with (
                running_telegram(folder / f"{stage.name}.db", reads_all=True, seed=seed) as (url, _),
                TelegramClient(url) as client,
            ):
                told: dict[str, object] = {"url": url, "token": TOKEN}
                yield Cloud(name=stage.name, client=client, variable=TELEGRAM, told=told)
        case Vendor.TWILIO:
            async with (
                running_twilio(folder, name=stage.name, seed=seed) as twilio,
                TwilioClient(twilio.url) as client,
            ):
                # Otherwise every message is given up that comes while a gateway starts again.
                await twilio.remote.do("style", pause_s=_TRIES_EVERY_S)
                told = {"url": twilio.url, "public_url": PUBLIC_ORIGIN}
                yield Cloud(name=stage.name, client=client, variable=TWILIO, told=told)
        case Vendor.NOBODY:
            async with running_cloud(
                folder,
                stage.platform_class,
                live=stage.live,
                name=stage.name,
                seed=seed,
                text_limit=_TEXT_LIMIT,
            ) as cloud:
                told = replace(cloud.settings, call_s=CALL_S, connect_s=CALL_S).to_wire()
                yield Cloud(name=stage.name, client=cloud.client, variable=VARIABLE, told=told)
