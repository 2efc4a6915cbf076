"""The play: everybody in every chat says what the cast has for them, all at once, and the evidence is gathered."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import count

from sqlalchemy import select

from adapters.base import Addressed, Conversation, Inbound, Outcome, Person, Quoted
from bot.store.tables import Base
from bot.turns.model import Consent
from engine.base import ChatRequest
from engine.scripted import Pace, Script, ScriptedEngine
from tests.fixtures.owner_platform import OwnerPlatform
from tests.isolation.canaries import canaries_in, canary, chats_in
from tests.isolation.cast import Choice, Scene
from tests.isolation.evidence import Evidence
from tests.isolation.stage import Stage

#: Scenes that are played at once.
_AT_ONCE = 48
_LONGEST_S = 540.0
#: The pieces of a telltale reply with which its first canary is out.
_WORDS_SAID = 3
#: The snapshots among which one that is waited for must be.
_NEWEST = 500
#: The canaries that one reply says again: all of a prompt's, as good as any.
_MOST_SAID = 40


def telltale(request: ChatRequest) -> str:
    """Say every canary of the whole prompt again: the script of a model that keeps no secret."""
    prompt = " ".join(message.content for message in request.messages)
    said = canaries_in(prompt)[-_MOST_SAID:]
    if "summary wanted" in request.messages[-1].content:
        return "\n".join(
            [*(f"Ann said {word}" for word in said), *(canary(chat, "s") for chat in chats_in(prompt))]
        )
    return "I heard " + " and ".join(said)


def telltale_engine(script: Script = telltale, pace: Pace | None = None) -> ScriptedEngine:
    """Make an engine whose context is so small that long chats are cut, and that forgets no request."""
    return ScriptedEngine(script, pace=pace, max_model_len=2048, history=1_000_000)


def until_seen(owned: OwnerPlatform, scenes: Iterable[Scene]) -> Pace:
    """Make a pace that goes on with a reply only after its first words went over the bus and were shown.

    Without it the whole of a scripted reply is there before the second snapshot is due, and none has words.
    """
    watched = {scene.number for scene in scenes if scene.platform == owned.name}

    async def pace(request: ChatRequest, n: int) -> None:
        if n != _WORDS_SAID or request.request_id.startswith("summary-"):
            return
        if not chats_in(request.messages[-1].content) & watched:
            return
        turn_id = request.request_id.split("-")[0]
        while not any(one.turn_id == turn_id and canaries_in(one.text) for one in owned.shown[-_NEWEST:]):
            await asyncio.sleep(0.01)

    return pace


class Play:
    """One run on one stage."""

    def __init__(self, stage: Stage, scenes: Iterable[Scene]) -> None:
        self._stage = stage
        self._intake = stage.rig.intake
        self._events = count(1)
        self._limit = asyncio.Semaphore(_AT_ONCE)
        self.evidence = Evidence(scenes=tuple(scenes))

    async def run(self) -> Evidence:
        """Play everything, with a worker that the stage already has."""
        async with asyncio.timeout(_LONGEST_S):
            await self._all(self._choose)
            await self._settled()
            await self._known()
            await self._all(self._talk)
            await self._stage.look(self.evidence)
            await self._settled()
            await self._all(self._talk_on)
            await self._settled()
        return self.evidence

    async def gather(self, engine: ScriptedEngine) -> Evidence:
        """Collect what is left at the end."""
        evidence, stage = self.evidence, self._stage
        evidence.requests = tuple(engine.requests)
        await self._find_ids()
        for scene in evidence.scenes:
            evidence.shown[scene.number] = stage.texts(scene.platform, scene.conversation)
        await stage.look(evidence)
        await stage.told(evidence)
        return evidence

    async def _choose(self, scene: Scene) -> None:
        if scene.choice is not Choice.MENTIONS:
            await self._say(scene, f"/privacy {scene.choice}", 0)
        if scene.asks_to_remember:
            await self._say(scene, scene.wish(), 0)

    async def _known(self) -> None:
        """Wait until the gateway knows what the chats chose."""
        wanted = [scene for scene in self.evidence.scenes if scene.choice is Choice.RECENT]
        modes = self._intake._modes
        while not all(
            modes.of(scene.platform, "main", scene.conversation).consent is Consent.RECENT for scene in wanted
        ):
            await asyncio.sleep(0.01)

    async def _talk(self, scene: Scene) -> None:
        last = len(scene.people) - 1
        nobody = self._message(scene, scene.overheard(), last, addressed=Addressed.NOT)
        if len(scene.people) > 1:
            assert (await self._intake.accept(nobody)).outcome is Outcome.IGNORED
        author, words = scene.quoted()
        quoted = Quoted(ref="m0", author=author, text=words, by_assistant=False)
        await self._say(scene, scene.question(1), 0, quoted)

    async def _talk_on(self, scene: Scene) -> None:
        await self._say(scene, scene.question(2), len(scene.people) - 1)
        for n in range(scene.long_messages):
            turn_id = await self._say(scene, scene.long_message(n), n % len(scene.people))
            while turn_id not in self._stage.finished:
                await asyncio.sleep(0.01)

    async def _say(self, scene: Scene, text: str, person: int, quoted: Quoted | None = None) -> str:
        receipt = await self._intake.accept(self._message(scene, text, person, quoted))
        assert receipt.outcome in (Outcome.ACCEPTED, Outcome.JOINED)
        return receipt.turn_id or ""

    def _message(
        self,
        scene: Scene,
        text: str,
        person: int,
        quoted: Quoted | None = None,
        *,
        addressed: Addressed = Addressed.MENTION,
    ) -> Inbound:
        event = f"event-{next(self._events)}"
        return Inbound(
            adapter=scene.platform,
            account="main",
            event_key=event,
            conversation=Conversation(ref=scene.conversation, kind=scene.kind),
            message=f"message-{event}",
            sender=Person(id=scene.people[person], name=scene.name_of(person)),
            text=text,
            addressed=addressed,
            mentions_known=True,
            sent_at=datetime.now(UTC),
            quoted=quoted,
        )

    async def _all(self, act: Callable[[Scene], object]) -> None:
        async def one(scene: Scene) -> None:
            async with self._limit:
                await act(scene)

        async with asyncio.TaskGroup() as group:
            for scene in self.evidence.scenes:
                group.create_task(one(scene))

    async def _settled(self) -> None:
        journal = self._stage.rig.journal
        while True:
            counts = await journal.counts()
            if counts.waiting == counts.unsent == 0 and not await journal.unfinished():
                return
            await asyncio.sleep(0.2)

    async def _find_ids(self) -> None:
        chats, turns = Base.metadata.tables["chats"], Base.metadata.tables["turns"]
        by_conversation = {scene.conversation: scene.number for scene in self.evidence.scenes}
        async with self._stage.rig.core.database.read() as connection:
            for row in await connection.execute(select(chats.c.id, chats.c.conversation)):
                self.evidence.chat_of[row.id] = by_conversation[row.conversation]
            for row in await connection.execute(select(turns.c.id, turns.c.chat_id)):
                self.evidence.turn_of[row.id] = self.evidence.chat_of[row.chat_id]
