"""A fake platform under the adapter contract: a real server, and what its users see."""

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from adapters.base import LiveOutput
from adapters.registry import PlatformClass
from tests.platforms.adapter import CloudAdapter
from tests.platforms.client import ACCOUNT, PlatformClient
from tests.platforms.cloud_settings import CloudSettings
from tests.platforms.server import ServerSettings, serving
from tests.platforms.vendor import Rules

MANIFESTS: Final = Path(__file__).parent / "manifests"
SECRET: Final = "s3cret"  # noqa: S105 - it guards nothing


class CloudHarness:
    """One class of platform, served in this process, with its adapter and a client that reads what is seen."""

    conversation = "room"

    def __init__(
        self, platform_class: PlatformClass, *, live: LiveOutput = LiveOutput.EDIT, sink: Any = None
    ) -> None:
        self.platform_class = platform_class
        self.live = live
        self.sink = sink

    @contextlib.asynccontextmanager
    async def running(self, folder: Path, *, call_s: float = 5.0) -> AsyncIterator["CloudHarness"]:
        """Serve it, and open the adapter."""
        rules = Rules(platform_class=self.platform_class, live=self.live, token=SECRET)
        async with serving(ServerSettings(rules=rules, record=folder / "cloud.db")) as url:
            settings = CloudSettings(
                name=f"cloud_{self.platform_class.value.lower()}",
                url=url,
                platform_class=self.platform_class,
                live=self.live,
                secret=SECRET,
                call_s=call_s,
            )
            async with CloudAdapter(settings) as self.adapter, PlatformClient(url) as self.client:
                yield self

    async def visible(self) -> list[str]:
        """Read what stands in the conversation."""
        return (await self.client.seen()).texts(self.conversation)


def message_body(key: str, *, kind: str = "group") -> bytes:
    """Write a webhook's body as the platform does."""
    message = {
        "event": "message",
        "event_id": key,
        "account": ACCOUNT,
        "conversation": {"id": "room", "kind": kind},
        "sender": {"id": "ann", "name": "Ann"},
        "message": {"id": key, "text": "hi", "sent_at": "2026-11-01T12:00:00+00:00"},
        "mentions_assistant": True,
    }
    return json.dumps(message).encode()
