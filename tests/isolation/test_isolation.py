"""Nothing of one chat reaches another's prompt, cache, log or metric, and no words the schedule or a file (G11, G13).

One run of a thousand chats on the real path; every test looks at what it left behind.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.telemetry.events import ContextCut, SummaryStored
from tests.fixtures.valkey import RealServer, _serve, find_server
from tests.isolation.canaries import UNHEARD, canaries_in, canary, chats_in
from tests.isolation.cast import Choice, Scene, cast
from tests.isolation.evidence import Evidence
from tests.isolation.judge import asked_for, crossings
from tests.isolation.play import Play, telltale_engine, until_seen
from tests.isolation.stage import open_stage

CHATS = 1_000
PLATFORMS = ("loopback", "edited", "owned")
pytestmark = pytest.mark.timeout(600)


async def _played(valkey: RealServer, folder: Path) -> Evidence:
    async with open_stage(valkey, folder) as stage:
        scenes = tuple(cast(CHATS, PLATFORMS))
        engine = telltale_engine(pace=until_seen(stage.owned, scenes))
        stage.rig.start_worker(engine)
        play = Play(stage, scenes)
        await play.run()
        assert len(stage.rig.told(ContextCut)) >= 10
        assert len(stage.rig.told(SummaryStored)) >= 10
        return await play.gather(engine)


@pytest.fixture(scope="module")
def evidence() -> Iterator[Evidence]:
    """What a thousand chats left behind."""
    with (
        contextmanager(_serve)(find_server()) as valkey,
        tempfile.TemporaryDirectory(prefix="aside-isolation-") as folder,
    ):
        yield asyncio.run(_played(valkey, Path(folder)))


@pytest.mark.redis
def test_nothing_crosses(evidence: Evidence) -> None:
    """Prompts, salts and replies are of one chat each; no canary stands anywhere else."""
    assert crossings(evidence) == []


@pytest.mark.redis
def test_every_chat_was_answered_with_its_own_words(evidence: Evidence) -> None:
    """Nobody is kept apart by being told nothing: the replies say what the prompts held."""
    for scene in evidence.scenes:
        assert chats_in(" ".join(evidence.shown[scene.number])) == {scene.number}


@pytest.mark.redis
def test_all_kinds_of_words_were_in_the_prompts_that_may_hold_them(evidence: Evidence) -> None:
    """Texts, names, quotes, what was overheard, memories and summaries: each where its chat allows it."""
    seen: dict[int, set[str]] = {scene.number: set() for scene in evidence.scenes}
    for request in evidence.requests:
        for message in request.messages:
            seen[asked_for(evidence, request)].update(canaries_in(message.content))
    for scene in evidence.scenes:
        assert _expected(scene) <= seen[scene.number]
        kinds = {word[-2] for word in seen[scene.number]}
        assert UNHEARD not in kinds
        assert ("a" in kinds) == (scene.choice is Choice.RECENT)
    assert Counter(word[-2] for words in seen.values() for word in words)["s"] >= 10


def _expected(scene: Scene) -> set[str]:
    number = scene.number
    words = {canary(number, "t", 1), canary(number, "t", 2)}
    if len(scene.people) > 1:
        words |= {canary(number, "n", 1), canary(number, "n", len(scene.people))}
    if scene.choice is not Choice.MENTIONS:
        words |= {canary(number, "q", 1), canary(number, "q", 2)}
    if scene.asks_to_remember:
        words.add(canary(number, "m"))
    return words


@pytest.mark.redis
def test_a_hidden_quote_is_in_no_prompt(evidence: Evidence) -> None:
    hidden = {s.number for s in evidence.scenes if s.choice is Choice.MENTIONS and len(s.people) > 1}
    prompts = (message.content for request in evidence.requests for message in request.messages)
    assert not {word for text in prompts for word in canaries_in(text) if word[-2] == "q"} & {
        canary(number, "q", n) for number in hidden for n in (1, 2)
    }


@pytest.mark.redis
def test_every_chat_has_a_salt_of_its_own(evidence: Evidence) -> None:
    salts = {request.cache_salt for request in evidence.requests}
    assert len(salts) == CHATS
    assert None not in salts


@pytest.mark.redis
@pytest.mark.parametrize(
    ("surface", "holds"),
    [
        ("the database's files", b"SQLite format 3"),
        ("Valkey's files", b"appendonly"),
        ("Redis' memory", b"chat:{"),
        ("published", b"{aside}:live"),
        ("metrics", b"aside_turns_total"),
        ("events", b"TurnReplied"),
        ("logs", b"TurnFinished"),
        ("status", b"waiting"),
    ],
)
def test_what_holds_no_words_was_really_looked_at(evidence: Evidence, surface: str, holds: bytes) -> None:
    assert any(holds in content for content in evidence.wordless[surface])
