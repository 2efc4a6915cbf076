"""Running many cases at a time, each on a record and a schedule of its own, and what its user saw in the end."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

from adapters.base import LiveOutput
from adapters.registry import PlatformClass
from bot.settings import Settings
from bot.store.schema import migrate
from tests.await_points.child import Role
from tests.await_points.ending import Ending
from tests.await_points.expected import complaints
from tests.await_points.gate import How
from tests.await_points.scenes import Case, Scene
from tests.await_points.stage import Stage, open_stage
from tests.await_points.steps import STEPS, passed
from tests.fixtures.databases import PostgresServer
from tests.platforms.client import PlatformClient, Seen
from tests.platforms.cloud_settings import CloudSettings
from tests.platforms.seen import Message
from tests.platforms.server import ServerSettings, serving
from tests.platforms.vendor import Rules

#: Cases at a time: most of each is waiting for a lease to end.
AT_ONCE = 10
#: A whole turn has passed all of its steps by then, or never does.
TRACED_S = 20.0
#: And on PostgreSQL, which has only so many connections.
AT_ONCE_ON_POSTGRES = 3


class Cloud:
    """One kind of platform, whose users the cases share; each has a conversation of its own."""

    def __init__(self, settings: CloudSettings, client: PlatformClient) -> None:
        self.settings = settings
        self._client = client
        self._seen = Seen()
        self._reading = asyncio.Lock()

    async def visible(self, conversation: str) -> list[Message]:
        """Read what a conversation's users see."""
        async with self._reading:
            async for page in self._client.pages(self._seen.next):
                self._seen.take(page)
        return self._seen.visible(conversation)

    async def seq(self) -> int:
        """Read the number of the newest change."""
        async with self._reading:
            async for page in self._client.pages(self._seen.next):
                self._seen.take(page)
        return self._seen.next


@dataclass(kw_only=True)
class Played:
    """What became of everything that was played."""

    traces: dict[Scene, list[str] | Exception] = field(default_factory=dict)
    #: How each case ended, or what kept it from ending.
    endings: dict[Case, Ending | Exception] = field(default_factory=dict)
    #: Cases that were played once more, alone: leases of a second do not survive every load on a machine.
    again: list[Case] = field(default_factory=list)

    def is_as_promised(self, case: Case) -> bool:
        """Whether a case came to its end, and the end is one that the promises allow."""
        ending = self.endings[case]
        return not isinstance(ending, Exception) and not complaints(case, ending)


@dataclass(kw_only=True)
class Campaign:
    """Everything that cases share."""

    folder: Path
    stage: Stage
    clouds: dict[tuple[PlatformClass, LiveOutput], Cloud]
    postgres: PostgresServer | None
    redis_url: str
    #: Each case has a folder, a conversation and a database of Redis of its own number.
    numbers: Iterator[int] = field(default_factory=partial(count, 1))
    at_once: asyncio.Semaphore = field(default_factory=partial(asyncio.Semaphore, AT_ONCE))
    on_postgres: asyncio.Semaphore = field(default_factory=partial(asyncio.Semaphore, AT_ONCE_ON_POSTGRES))

    async def play_all(self, cases: Iterable[Case], wholes: Iterable[Case]) -> Played:
        """Play cases, several at a time, and turns that nobody stops."""
        played = Played()

        async def play(case: Case) -> None:
            async with self.on_postgres if case.on_postgres else nullcontext(), self.at_once:
                try:
                    played.endings[case] = await self.play(case)
                except Exception as error:  # noqa: BLE001 - its own test shows it
                    played.endings[case] = error

        async def trace(whole: Case) -> None:
            async with self.at_once:
                try:
                    played.traces[whole.scene] = await self.traced(whole)
                except Exception as error:  # noqa: BLE001 - its own test shows it
                    played.traces[whole.scene] = error

        chosen = list(cases)
        await asyncio.gather(*(trace(whole) for whole in wholes), *(play(case) for case in chosen))
        for case in chosen:
            if not played.is_as_promised(case):
                played.again.append(case)
                await play(case)
        return played

    async def traced(self, case: Case) -> list[str]:
        """Let the first process do all of it, and return the steps it passed."""
        _, first, _ = await self._roles(case)
        async with self.stage.actor(first) as actor:
            trace: list[str] = []
            with suppress(TimeoutError):
                async with asyncio.timeout(TRACED_S):
                    while not set(STEPS[case.scene]) <= passed(case.scene, trace):
                        await asyncio.sleep(0.05)
                        trace = (await actor.ask("trace"))["trace"]
            return trace

    async def play(self, case: Case) -> Ending:
        """Stop the first process at the step, let the second one go on, wake the first if it can be woken."""
        cloud, first, second = await self._roles(case)
        async with self.stage.actor(first) as stopping:
            at = (await stopping.report())["at"]
            assert at == case.step, at
            await (stopping.is_gone() if case.how is How.KILL else stopping.is_stopped())
            async with self.stage.actor(second) as going_on:
                settled = await going_on.ask("settle")
                woken_at = await cloud.seq()
                if case.how is How.STOP:
                    stopping.wake()
                    await stopping.ask("idle")
                    settled = await going_on.ask("settle")
        visible = await cloud.visible(first.conversation)
        late = (version.text for message in visible for version in message.versions if version.seq > woken_at)
        return Ending(
            visible=tuple(visible),
            late=tuple(late),
            ambiguous=settled["ambiguous"],
            resent=settled["resent"],
            shown=tuple(settled["shown"]),
        )

    async def _roles(self, case: Case) -> tuple[Cloud, Role, Role]:
        number = next(self.numbers)
        settings = Settings(data_dir=self.folder / f"c{number}")
        settings.data.create()
        shutil.copy(self.folder / "template.db", settings.data.database)
        database_url = ""
        if case.on_postgres:
            assert self.postgres is not None
            database_url = await self.postgres.migrated(f"await_{number}")
        cloud = self.clouds[case.platform_class, case.scene.live]

        def role(*, is_first: bool) -> Role:
            return Role(
                case=case,
                is_first=is_first,
                data_dir=str(settings.data_dir),
                database_url=database_url,
                redis_url=f"{self.redis_url}?db={number}",
                cloud=cloud.settings.to_wire() | {"text_limit": case.scene.text_limit},
                conversation=f"room-{number}",
                reports=str(self.stage.reports),
            )

        return cloud, role(is_first=True), role(is_first=False)


@asynccontextmanager
async def open_campaign(
    folder: Path, *, redis_url: str, postgres: PostgresServer | None
) -> AsyncIterator[Campaign]:
    """Serve every kind of platform and start the zygote."""
    await migrate(f"sqlite:///{folder / 'template.db'}")
    if postgres is not None:
        await postgres.migrated("await_0")  # makes the template
    async with AsyncExitStack() as stack:
        kinds = [(kind, live) for kind in PlatformClass for live in LiveOutput]
        clouds = {kind: await stack.enter_async_context(_cloud(folder, *kind)) for kind in kinds}
        yield Campaign(
            folder=folder,
            stage=await stack.enter_async_context(open_stage(folder)),
            clouds=clouds,
            postgres=postgres,
            redis_url=redis_url,
        )


@asynccontextmanager
async def _cloud(folder: Path, platform_class: PlatformClass, live: LiveOutput) -> AsyncIterator[Cloud]:
    rules = Rules(platform_class=platform_class, live=live, token="secret")  # noqa: S106 - it guards nothing
    record = folder / f"cloud-{platform_class}-{live}.db"
    async with serving(ServerSettings(rules=rules, record=record)) as url, PlatformClient(url) as client:
        settings = CloudSettings(
            name="cloud", url=url, platform_class=platform_class, live=live, live_min_interval_s=0.02
        )
        yield Cloud(settings, client)
