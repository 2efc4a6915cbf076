"""The watch against an engine's cache of its own: silent while prompts grow, and right about what broke them."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from bot.chat.prefix_watch import Answered, PrefixWatch
from bot.telemetry.events import BreakCause, Details, PrefixBroken
from bot.turns.model import Exchange
from engine.base import ChatMessage, ChatRequest, EngineState, Role, Usage
from engine.scripted import ScriptedEngine
from tests.fixtures.remembered import a_chat, a_said, a_turn

RULES = "You are an assistant, and these are the rules of this house, which are long enough for a block."


@dataclass
class Cache:
    """An engine's prefix cache: a character is a token."""

    block: int = 32
    known: set[tuple[str | None, str]] = field(default_factory=set)

    def answer(self, request: ChatRequest, text: str) -> Usage:
        prompt = "".join(f"<{message.role.value}>{message.content}" for message in request.messages)
        prompt += "<assistant>"
        cached = 0
        while (
            cached + self.block < len(prompt)
            and (request.cache_salt, prompt[: cached + self.block]) in self.known
        ):
            cached += self.block
        # The last token of a reply is never computed.
        computed = (prompt + text)[:-1]
        ends = range(self.block, len(computed) + 1, self.block)
        self.known |= {(request.cache_salt, computed[:end]) for end in ends}
        return Usage(prompt_tokens=len(prompt), cached_tokens=cached, output_tokens=len(text))


@dataclass
class Conversation:
    """A chat whose prompts are laid out as the assistant lays them out."""

    chat_id: str = "c1"
    preamble: str = ""
    context_from: int = 0
    salt_epoch: int = 0
    ord: int = 0
    exchanges: list[Exchange] = field(default_factory=list)

    def ask(self, cache: Cache, question: str, reply: str, *, cut_at: int | None = None) -> Answered:
        chat = a_chat(id=self.chat_id, context_from=self.context_from, salt_epoch=self.salt_epoch)
        before = tuple(self.exchanges)
        if cut_at is not None:
            self.context_from = cut_at
            self.exchanges = [one for one in self.exchanges if one.ord >= cut_at]
        request = ChatRequest(
            request_id="r",
            messages=(*self._messages(), ChatMessage(role=Role.USER, content=question)),
            max_tokens=9,
            first_token_s=1,
            stall_s=1,
            total_s=1,
            cache_salt=f"{self.chat_id} {self.salt_epoch}",
        )
        usage = cache.answer(request, reply)
        turn = a_turn(a_said(question), chat=chat, id=f"t{self.ord}", ord=self.ord)
        tokens = usage.prompt_tokens + usage.output_tokens
        self.exchanges.append(Exchange(ord=self.ord, prompt=question, reply=reply, tokens=tokens))
        self.ord += 1
        return Answered(
            turn=turn, request=request, exchanges=before, context_from=cut_at, text=reply, usage=usage
        )

    def reset(self) -> None:
        self.ord += 1
        self.context_from = self.ord
        self.exchanges.clear()

    def _messages(self) -> list[ChatMessage]:
        messages = [ChatMessage(role=Role.SYSTEM, content=RULES)]
        if self.preamble:
            messages.append(ChatMessage(role=Role.USER, content=self.preamble))
            messages.append(ChatMessage(role=Role.ASSISTANT, content="Noted."))
        for exchange in self.exchanges:
            messages.append(ChatMessage(role=Role.USER, content=exchange.prompt))
            messages.append(ChatMessage(role=Role.ASSISTANT, content=exchange.reply))
        return messages


@dataclass
class World:
    """A watch, the cache behind it, and what the watch told."""

    told: list[Details] = field(default_factory=list)
    cache: Cache = field(default_factory=Cache)
    chat: Conversation = field(default_factory=Conversation)
    watch: PrefixWatch = field(init=False)

    def __post_init__(self) -> None:
        self.watch = PrefixWatch(hooks=(self.told.append,))

    def say(self, question: str = "", reply: str = "", *, cut_at: int | None = None) -> None:
        """Ask and answer, unless told what, in a hundred characters that no other turn has."""
        question, reply = question or f"{self.chat.ord:?<100}", reply or f"{self.chat.ord:!<100}"
        self.watch.replied(self.chat.ask(self.cache, question, reply, cut_at=cut_at))

    def taught(self) -> "World":
        """Let the watch learn the block size, as it does from any engine within a few turns."""
        for _ in range(6):
            self.say()
        return self

    @property
    def causes(self) -> list[BreakCause]:
        return [event.cause for event in self.told if isinstance(event, PrefixBroken)]


@pytest.fixture
def world() -> World:
    return World().taught()


def test_a_chat_that_only_grows_breaks_nothing(world: World) -> None:
    assert world.told == []


def test_a_changed_message_is_a_fault_of_the_layout_with_its_position(world: World) -> None:
    world.chat.exchanges[2] = replace(world.chat.exchanges[2], prompt="Q" * 100)
    world.say()
    [broken] = world.told
    assert isinstance(broken, PrefixBroken)
    assert (broken.cause, broken.message_index) == (BreakCause.LAYOUT, 5)
    assert broken.cached_tokens < broken.predicted_tokens
    assert (broken.turn_id, broken.chat_id) == ("t6", "c1")


def test_a_cut_is_told_once(world: World) -> None:
    world.say(cut_at=3)
    world.say()
    assert world.causes == [BreakCause.CUT]


def test_a_reset_is_told_once(world: World) -> None:
    world.chat.reset()
    world.say()
    world.say()
    assert world.causes == [BreakCause.RESET]


def test_a_new_preamble_is_told(world: World) -> None:
    world.chat.preamble = "what the chat asked to have remembered, long enough to fill a block of its own"
    world.say()
    assert world.causes == [BreakCause.PREAMBLE]


def test_another_salt_is_told(world: World) -> None:
    world.chat.salt_epoch += 1
    world.say()
    assert world.causes == [BreakCause.SALT]


def test_an_engine_that_was_away_has_begun_anew(world: World) -> None:
    world.cache.known.clear()
    world.watch.engine_lost()
    world.say()
    assert world.causes == [BreakCause.ENGINE_RESTARTED]


def test_what_the_engine_gave_up_is_told_with_the_message_where_it_ends(world: World) -> None:
    # All but the rules, two exchanges and the beginning of the next question.
    world.cache.known = {(salt, text) for salt, text in world.cache.known if len(text) <= 550}
    world.say()
    [broken] = world.told
    assert isinstance(broken, PrefixBroken)
    assert (broken.cause, broken.message_index) == (BreakCause.EVICTED, 5)


def test_who_did_not_make_the_last_prompt_says_so(world: World) -> None:
    world.chat.ask(world.cache, "q" * 100, "r" * 100)
    world.cache.known.clear()
    world.say()
    assert world.causes == [BreakCause.ELSEWHERE]


def test_another_workers_prompts_break_nothing_where_the_cache_is_shared(world: World) -> None:
    world.chat.ask(world.cache, "q" * 100, "r" * 100)
    world.say()
    assert world.causes == []


def test_only_so_many_chats_are_kept_in_mind() -> None:
    world = World()
    world.watch = PrefixWatch(hooks=(world.told.append,), most_chats=2)
    for name in ("a", "b", "c"):
        world.chat = Conversation(chat_id=name)
        world.taught()
    for name, why in (("c", BreakCause.EVICTED), ("a", BreakCause.ELSEWHERE)):
        world.chat = Conversation(chat_id=name, ord=6, exchanges=list(world.chat.exchanges))
        world.cache.known.clear()
        world.say()
        assert world.causes[-1] is why


def test_another_worker_that_never_saw_the_chat_compares_nothing(world: World) -> None:
    world.watch._last.clear()
    world.cache.known.clear()
    world.say()
    assert world.causes == [BreakCause.ELSEWHERE]


def test_a_stopped_reply_is_no_break_and_the_next_prompt_is_compared_with_it(world: World) -> None:
    answered = world.chat.ask(world.cache, "q" * 100, "r" * 40)
    world.chat.exchanges[-1] = replace(world.chat.exchanges[-1], tokens=None)
    world.watch.replied(replace(answered, usage=None))
    world.say()
    assert world.causes == []


def test_an_engine_that_counts_nothing_is_not_accused_of_losing_it() -> None:
    world = World()
    for number in range(6):
        answered = world.chat.ask(world.cache, f"{number}" * 400, "r" * 100)
        assert answered.usage is not None
        world.watch.replied(replace(answered, usage=replace(answered.usage, cached_tokens=0)))
    assert world.told == []
    world.chat.exchanges[0] = replace(world.chat.exchanges[0], prompt="another")
    world.watch.replied(replace(world.chat.ask(Cache(), "q", "r")))
    assert world.causes == [BreakCause.LAYOUT]


async def test_an_engine_is_watched_for_its_absence() -> None:
    world, engine = World(), ScriptedEngine()
    world.taught()
    engine.set_status(EngineState.STARTING)
    following = asyncio.create_task(world.watch.follow(engine))
    await asyncio.sleep(0)
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    world.cache.known.clear()
    world.say()
    assert world.causes == [BreakCause.ENGINE_RESTARTED]


class Chats(RuleBasedStateMachine):
    """Any life of a chat: growth is never a break, and a break is never blamed on the layout."""

    @initialize(block=st.sampled_from([16, 32, 64, 128]))
    def begin(self, block: int) -> None:
        self.world = World(cache=Cache(block=block))
        self.excused: set[BreakCause] = set()
        #: Whether this process made the chat's last prompt.
        self.saw_last = True

    @rule(question=st.text("ab ", min_size=1, max_size=90), reply=st.text("cd ", min_size=1, max_size=90))
    def say(self, question: str, reply: str) -> None:
        self._say(question, reply)

    @rule(share=st.floats(0, 1))
    def cut(self, share: float) -> None:
        chat = self.world.chat
        if chat.exchanges:
            self.excused.add(BreakCause.CUT)
            self._say("q", "r", cut_at=chat.exchanges[int(share * (len(chat.exchanges) - 1))].ord)

    @rule()
    def reset(self) -> None:
        self.world.chat.reset()
        self.excused.add(BreakCause.RESET)

    @rule(card=st.text("xyz", max_size=80))
    def remember(self, card: str) -> None:
        self.world.chat.preamble = card
        self.excused.add(BreakCause.PREAMBLE)

    @rule()
    def forget(self) -> None:
        self.world.chat.salt_epoch += 1
        self.excused.add(BreakCause.SALT)

    @rule()
    def restart_engine(self) -> None:
        self.world.cache.known.clear()
        self.world.watch.engine_lost()
        self.excused.add(BreakCause.ENGINE_RESTARTED)

    @rule(longest=st.integers(0, 800))
    def evict(self, longest: int) -> None:
        cache = self.world.cache
        cache.known = {(salt, text) for salt, text in cache.known if len(text) <= longest}
        # Where only the tail went, it cannot be told from a reply that came back in other tokens.
        self.excused |= {BreakCause.EVICTED, BreakCause.REPLY}

    @rule()
    def restart_worker(self) -> None:
        self.world.watch._last.clear()
        self.saw_last = False

    @rule()
    def answer_elsewhere(self) -> None:
        self.world.chat.ask(self.world.cache, "q" * 50, "r" * 50)
        self.saw_last = False

    def _say(self, question: str, reply: str, *, cut_at: int | None = None) -> None:
        self.world.say(question, reply, cut_at=cut_at)
        if self.excused and not self.saw_last:
            self.excused.add(BreakCause.ELSEWHERE)
        assert set(self.world.causes) <= self.excused
        # What happened before is told now or not at all: from here on the chat's prompts are in the cache again.
        self.excused.clear()
        self.world.told.clear()
        self.saw_last = True


TestChats = Chats.TestCase
TestChats.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
