"""G6: however often, whenever and to whichever gateway a webhook is delivered, it makes one turn."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.scripted import ScriptedEngine
from engine.scripted_server import serve
from tests.fixtures.valkey import RealServer
from tests.platforms.client import Seen
from tests.platforms.deployment import Gateway, Roles, roles
from tests.platforms.process import Cloud, running_cloud


class Deployed:
    """One platform, gateways and a worker."""

    def __init__(self, cloud: Cloud, deployment: Roles) -> None:
        self.cloud = cloud
        self.roles = deployment
        self.gateways: list[Gateway] = []

    async def start(self, gateways: int) -> None:
        self.roles.start("worker")
        self.gateways = list(await asyncio.gather(*(self.roles.start_gateway() for _ in range(gateways))))
        await self.roles.told(self.gateways)

    async def quiet(self, mention: str, answers: int = 1) -> Seen:
        """Wait until there is an answer and every delivery has ended, then a while in which nothing more comes."""

        def is_answered(seen: Seen) -> bool:
            return len(seen.texts("room")) >= answers and self.cloud.client.under_way == 0

        seen = await self.cloud.client.until(is_answered)
        assert seen.mentions[mention].acked_at is not None
        page = await self.cloud.client.page(seen.next, wait_s=1.0)
        seen.take(page)
        return seen


@pytest.fixture
def deployed(
    tmp_path: Path, own_valkey: RealServer, make_database: Callable[[str], Awaitable[str]]
) -> Callable[[str], object]:
    @asynccontextmanager
    async def make(database: str, gateways: int) -> AsyncIterator[Deployed]:
        engine = ScriptedEngine(lambda request: "noon")
        async with (
            running_cloud(tmp_path, "C", live="none") as cloud,
            serve(engine) as engine_url,
            roles(
                tmp_path / "data",
                [cloud],
                redis_url=own_valkey.url,
                engine_url=engine_url,
                database_url=await make_database(database),
            ) as deployment,
        ):
            world = Deployed(cloud, deployment)
            await world.start(gateways)
            yield world

    return make


async def test_five_copies_at_once_make_one_turn(deployed) -> None:
    async with deployed("sqlite", 1) as world:
        mention = await world.cloud.client.say("what time is it?", copies=5)
        seen = await world.quiet(mention)
    assert seen.texts("room") == ["noon"]
    assert seen.mentions[mention].statuses == (200,) * 5


async def test_copies_to_two_gateways_make_one_turn(deployed) -> None:
    async with deployed("postgresql", 2) as world:
        mention = await world.cloud.client.say("what time is it?", copies=5, spread=True)
        seen = await world.quiet(mention)
    assert seen.texts("room") == ["noon"]
    assert seen.mentions[mention].deliveries >= 5


async def test_an_event_delivered_again_after_a_restart_makes_no_second_turn(deployed) -> None:
    async with deployed("sqlite", 1) as world:
        mention = await world.cloud.client.say("what time is it?")
        await world.quiet(mention)
        world.gateways[0].kill()
        await world.cloud.client.deliver_again(mention)
        await world.gateways[0].restart()
        seen = await world.quiet(mention)
    assert seen.texts("room") == ["noon"]
    assert 0 in seen.mentions[mention].statuses
    assert seen.mentions[mention].statuses.count(200) == 2


async def test_what_is_said_while_no_gateway_is_there_is_delivered_later(deployed) -> None:
    async with deployed("sqlite", 1) as world:
        world.gateways[0].kill()
        mention = await world.cloud.client.say("what time is it?")
        await world.cloud.client.until(lambda seen: 0 in seen.mentions[mention].statuses)
        await world.gateways[0].restart()
        seen = await world.quiet(mention)
    assert seen.texts("room") == ["noon"]


async def test_what_arrives_out_of_order_is_answered_each_once(deployed) -> None:
    async with deployed("sqlite", 1) as world:
        late = await world.cloud.client.say("first", sender="ann", delay_s=1.0)
        early = await world.cloud.client.say("second", sender="ben")
        seen = await world.quiet(late, answers=2)
    assert seen.mentions[early].acked_seq < seen.mentions[late].acked_seq
    assert [message.reply_to for message in seen.visible("room")] == [early, late]
