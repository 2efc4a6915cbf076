"""The judge finds what is planted: whatever is broken on purpose, and wherever a word is put."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.chat.ambient_redis import RedisAmbient
from bot.chat.context import Context
from bot.chat.keeper import ContextKeeper
from bot.chat.salt import Salts
from bot.telemetry.events import Details, TurnFinished
from bot.turns.model import Chat
from engine.base import ChatMessage, ChatRequest, Role
from engine.scripted import ScriptedEngine
from tests.fixtures.valkey import RealServer
from tests.isolation.canaries import canary
from tests.isolation.cast import cast
from tests.isolation.evidence import Evidence
from tests.isolation.judge import crossings
from tests.isolation.play import Play, telltale_engine, until_seen
from tests.isolation.stage import Stage, open_stage

CHATS = 24
PLATFORMS = ("loopback", "edited", "owned")


async def played(
    valkey: RealServer,
    folder: Path,
    *,
    engine: ScriptedEngine | None = None,
    spoil: Callable[[Stage], None] | None = None,
) -> Evidence:
    """Play a small cast on what a test may have broken."""
    async with open_stage(valkey, folder) as stage:
        if spoil is not None:
            spoil(stage)
        scenes = tuple(cast(CHATS, PLATFORMS))
        engine = engine or telltale_engine(pace=until_seen(stage.owned, scenes))
        stage.rig.start_worker(engine)
        play = Play(stage, scenes)
        await play.run()
        return await play.gather(engine)


async def test_a_sound_deployment_is_found_sound(own_valkey: RealServer, tmp_path: Path) -> None:
    assert crossings(await played(own_valkey, tmp_path)) == []


async def test_a_shared_salt_is_found(
    own_valkey: RealServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Salts, "of", lambda self, chat: "0" * 32)
    assert any("the salt" in found for found in crossings(await played(own_valkey, tmp_path)))


async def test_a_keeper_that_takes_one_chat_for_another_is_found(
    own_valkey: RealServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a cache would that hands out what it remembered last."""
    remembered, last = ContextKeeper.remembered, list[Context]()

    async def mixed_up(self: ContextKeeper, chat: Chat) -> Context:
        found = await remembered(self, chat)
        if found.exchanges:
            last.append(found)
        return replace(last[0], version=found.version, context_from=0) if last else found

    monkeypatch.setattr(ContextKeeper, "remembered", mixed_up)
    found = crossings(await played(own_valkey, tmp_path))
    assert any("a prompt of chat" in one for one in found)
    assert any("people in chat" in one for one in found)


async def test_what_is_overheard_under_one_key_is_found(
    own_valkey: RealServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if chats shared a place in Redis, and their seals did not tell them apart."""
    everybody: list[Any] = []

    async def add(self: RedisAmbient, chat: Chat, heard: Any) -> None:
        everybody.append(heard)

    async def read(self: RedisAmbient, chat: Chat) -> tuple[Any, ...]:
        return tuple(everybody)

    monkeypatch.setattr(RedisAmbient, "add", add)
    monkeypatch.setattr(RedisAmbient, "read", read)
    assert any("a prompt of chat" in found for found in crossings(await played(own_valkey, tmp_path)))


async def test_a_hook_that_is_told_words_is_found(own_valkey: RealServer, tmp_path: Path) -> None:
    def spoil(stage: Stage) -> None:
        def leak(details: Details, /) -> None:
            if isinstance(details, TurnFinished):
                stage.rig.events.append(replace(details, turn_id=canary(1, "t")))

        stage.rig.core = replace(stage.rig.core, hooks=(*stage.rig.core.hooks, leak))

    assert any(
        found.startswith("events") for found in crossings(await played(own_valkey, tmp_path, spoil=spoil))
    )


async def test_a_context_in_the_clear_is_found(own_valkey: RealServer, tmp_path: Path) -> None:
    """In Redis' memory, in its files, and in what is published, where there is no vault; SQLite's files go on."""

    class Open:
        """A vault that seals nothing."""

        def __init__(self, vault: Any) -> None:
            self._vault = vault

        def seal(self, key: bytes, text: str, place: object) -> bytes:
            return text.encode("utf-8", "surrogatepass")

        def open(self, key: bytes, blob: bytes, place: object) -> str:
            return blob.decode("utf-8", "surrogatepass")

        def __getattr__(self, name: str) -> Any:
            return getattr(self._vault, name)

    def spoil(stage: Stage) -> None:
        vault = Open(stage.rig.core.vault)
        shared = stage.rig.core.shared
        for part in (shared.contexts, shared.ambient, shared.bus, stage.rig.journal):
            part._vault = vault

    found = crossings(await played(own_valkey, tmp_path, spoil=spoil))
    for surface in ("Redis' memory", "Valkey's files", "the database's files", "published"):
        assert any(one.startswith(surface) for one in found), surface


def asking(chat: str, *content: str, salt: str = "aa", role: Role = Role.USER) -> ChatRequest:
    return ChatRequest(
        request_id=f"{chat}-1",
        messages=tuple(ChatMessage(role=role, content=text) for text in content),
        max_tokens=1,
        first_token_s=1,
        stall_s=1,
        total_s=1,
        cache_salt=salt,
    )


PLAIN = Evidence(scenes=(), turn_of={"t1": 1, "t2": 2}, chat_of={"c1": 1})


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        pytest.param({"requests": (asking("t1", canary(2, "t")),)}, "a prompt of chat 1", id="prompt"),
        pytest.param(
            {"requests": (asking("t1", canary(1, "t"), role=Role.SYSTEM),)}, "a system message", id="system"
        ),
        pytest.param(
            {"requests": (asking("t1", "x"), asking("t2", "x"))}, "the salt aa is of chats [1, 2]", id="salt"
        ),
        pytest.param(
            {"requests": (asking("t1", "x"), asking("t1", "x", salt="bb"))}, "chat 1 has 2 salts", id="salts"
        ),
        pytest.param(
            {"requests": (asking("t1", "x", salt=canary(1, "t")),)}, "is named with", id="words in a salt"
        ),
        pytest.param({"requests": (asking("t1", canary(1, "x")),)}, "was said to nobody", id="unheard"),
        pytest.param({"shown": {1: ["hi", canary(2, "n")]}}, "people in chat 1", id="reply"),
        pytest.param({"wordless": {"logs": [b"..." + canary(1, "t").encode()]}}, "logs: 1", id="bytes"),
    ],
)
def test_what_is_planted_is_named(planted: dict[str, Any], said: str) -> None:
    assert any(said in found for found in crossings(replace(PLAIN, **planted)))


def test_nothing_planted_nothing_found() -> None:
    sound = replace(PLAIN, requests=(asking("t1", canary(1, "t")),), shown={1: [canary(1, "t")]})
    assert crossings(sound) == []
