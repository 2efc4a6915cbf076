"""What a chat has remembered, over real Redis: in every prompt, the same after FLUSHALL and for another worker."""

from itertools import pairwise
from pathlib import Path

from redis.asyncio import Redis

from tests.connected.test_warm_prompts import cuts, prompts_by_turn, warm_rig
from tests.fixtures.rig import Rig

TURNS = 24


async def say(rig: Rig, *texts: str) -> None:
    for text in texts:
        await rig.say(text)
        await rig.settled()


async def test_it_stands_in_every_prompt_byte_for_byte_whatever_redis_forgets(
    valkey_client: Redis, tmp_path: Path
) -> None:
    """Only a cut moves what stands behind it; the cache is emptied every second turn, and two workers share it."""
    async with warm_rig(valkey_client, tmp_path) as (rig, engine):
        await say(rig, "/remember Eve is allergic to nuts")
        for n in range(TURNS):
            if n % 2:
                await valkey_client.flushall()
            await say(rig, f"this is what I say as number {n}")
        prompts, cut = prompts_by_turn(engine), cuts(rig)
        assert len(prompts) == TURNS
        assert cut
        for prompt in prompts.values():
            assert prompt[1].content.startswith("‹about this chat›\n- Ann: Eve is allergic to nuts\n‹end of")
        for (_, before), (turn_id, after) in pairwise(prompts.items()):
            assert (after[: len(before)] == before) == (turn_id not in cut)


async def test_what_is_deleted_does_not_come_back_from_the_cache(
    valkey_client: Redis, tmp_path: Path
) -> None:
    async with warm_rig(valkey_client, tmp_path) as (rig, engine):
        await say(rig, "/remember tea", "/remember milk", "one", "/memories delete 1", "two")
        prompts = list(prompts_by_turn(engine).values())
        assert ["- Ann: tea" in prompt[1].content for prompt in prompts] == [True, False]
        await say(rig, "/memories delete all", "three")
        assert len(list(prompts_by_turn(engine).values())[-1]) == len(prompts[-1])


async def test_no_value_in_redis_holds_it_in_clear(valkey_client: Redis, tmp_path: Path) -> None:
    async with warm_rig(valkey_client, tmp_path) as (rig, _):
        await say(rig, "/remember walrus-canary", "one")
        found = [value for key in await valkey_client.keys("*") for value in await values(valkey_client, key)]
        assert len(found) >= 2
        assert not any(b"walrus" in value for value in found)


async def values(client: Redis, key: bytes) -> list[bytes]:
    """Read a key as it is stored, with its name."""
    match await client.type(key):
        case b"string":
            return [key, await client.get(key)]
        case b"list":
            return [key, *await client.lrange(key, 0, -1)]
        case b"hash":
            return [key, *(part for pair in (await client.hgetall(key)).items() for part in pair)]
        case kind:
            raise AssertionError(kind)
