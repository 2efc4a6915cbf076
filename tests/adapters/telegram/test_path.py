"""From what people do on Telegram to what they see there, through all of the core; only the engine is a script."""

import asyncio
import contextlib

from adapters.pacing_memory import MemoryPacer
from bot.errors import StoreUnavailable
from bot.turns.paced import paced
from engine.scripted import ScriptedEngine
from tests.adapters.telegram.conftest import subject_on
from tests.adapters.telegram_bot.faults import Fault
from tests.adapters.telegram_bot.files import Upload
from tests.fixtures.rig import open_rig

ANSWER = "The sky is blue because of **scattering**, see https://made-up.org."


@contextlib.asynccontextmanager
async def running(telegram, folder, engine):
    """Run the adapter's source into the real intake, and a worker behind the pacer; give the subject."""
    pacer = MemoryPacer(asyncio.get_running_loop().time)
    async with (
        subject_on(telegram) as subject,
        open_rig(folder, platform=paced(subject.platform, pacer)) as rig,
    ):
        subject.rig = rig
        rig.start_worker(engine)
        rig.run(subject.platform.source.run(rig.intake))
        yield subject


class HeldEngine(ScriptedEngine):
    """An engine that says a few words and then waits to be let on."""

    def __init__(self, text):
        self.go_on = asyncio.Event()
        super().__init__(lambda _: text, pace=self._held)

    async def _held(self, _request, n):
        if n >= 3:
            await self.go_on.wait()


def named(subject):
    ann = subject.control.people.user("Ann")
    return ann, subject.control.people.private(ann)


async def test_a_group_mention_is_answered_under_buttons_and_without_a_made_up_link(
    telegram, tmp_path
) -> None:
    async with running(telegram, tmp_path, ScriptedEngine(lambda _: ANSWER)) as subject:
        subject.control.rules.reads_all = True
        ann = subject.control.people.user("Ann")
        group = subject.control.people.group("Team", [ann])
        asked = subject.control.talk.say(group, ann, "👍🏽 @aside_bot why is the sky blue?")
        (message,) = await subject.control.until(
            lambda: [each for each in subject.control.answers(group) if "👍" in each.labels]
        )
    assert message.text == ANSWER.replace("**", "")
    assert (message.reply_to, message.links, message.preview) == (asked.message_id, [], None)
    assert list(message.marked("bold")) == ["scattering"]


async def test_a_reply_is_stopped_while_it_grows_and_tried_again_and_rated(telegram, tmp_path) -> None:
    engine = HeldEngine("one two three four five six seven eight nine")
    async with running(telegram, tmp_path, engine) as subject:
        subject.control.rules.reads_all = True
        ann = subject.control.people.user("Ann")
        group = subject.control.people.group("Team", [ann])
        subject.control.talk.say(group, ann, "@aside_bot count")
        (growing,) = await subject.control.until(
            lambda: [each for each in subject.control.answers(group) if each.text == "one two three"]
        )
        assert growing.labels == ["Stop"]
        stop = subject.control.asking.press(growing, ann, "Stop")
        await subject.control.until(lambda: "Stop" not in growing.labels and stop.answered_at)
        await subject.rig.settled()
        engine.go_on.set()
        assert "nine" not in growing.text
        retry = subject.control.asking.press(growing, ann, "Try again")
        answered = await subject.control.until(
            lambda: [
                each for each in subject.control.answers(group) if "nine" in each.text and "👍" in each.labels
            ]
        )
        rated = subject.control.asking.press(answered[0], ann, "👍")
        await subject.control.until(lambda: retry.answered_at and rated.answered_at)
    assert rated.answer.get("text")


async def test_a_direct_reply_grows_as_a_draft_and_is_sent_once(telegram, tmp_path) -> None:
    engine = HeldEngine("one two three four five six seven")
    async with running(telegram, tmp_path, engine) as subject:
        ann, dm = named(subject)
        subject.control.talk.say(dm, ann, "count")
        await subject.control.until(lambda: subject.control.drafts(dm))
        assert subject.control.answers(dm) == []
        engine.go_on.set()
        (message,) = await subject.control.until(lambda: subject.control.answers(dm))
        await subject.rig.settled()
    assert (message.text, message.edits) == ("one two three four five six seven", 0)


async def test_a_photo_with_a_caption_and_a_forwarded_text_are_answered(telegram, tmp_path) -> None:
    engine = ScriptedEngine(lambda _: "an answer")
    async with running(telegram, tmp_path, engine) as subject:
        ann, dm = named(subject)
        subject.control.talk.say(dm, ann, "what is this?", upload=Upload(body=b"\xff\xd8\xff", kind="photo"))
        await subject.control.until(lambda: len(subject.control.texts(dm)) == 1)
        subject.control.talk.say(dm, ann, "rain tomorrow", forwarded_from="Cy")
        await subject.control.until(lambda: len(subject.control.texts(dm)) == 2)
    prompts = [request.messages[-1].content for request in engine.requests]
    assert "what is this?" in prompts[0]
    assert "picture" in prompts[0]
    assert "rain tomorrow" in prompts[1]


async def test_a_guest_and_an_inline_question_are_answered_where_they_were_asked(telegram, tmp_path) -> None:
    async with running(telegram, tmp_path, ScriptedEngine(lambda _: "an answer")) as subject:
        ann, bo = subject.control.people.user("Ann"), subject.control.people.user("Bo")
        chat = subject.control.people.between(ann, bo)
        subject.control.asking.call_guest(chat, ann, "@aside_bot a question")
        await subject.control.until(lambda: subject.control.texts(chat) == ["an answer"])
        query = subject.control.asking.ask_inline(bo, "another one")
        await subject.control.until(lambda: not subject.control.unanswered())
        message = subject.control.asking.choose(query, "ask", chat)
        await subject.control.until(lambda: message.text == "an answer")


async def test_a_storm_of_429_loses_nothing_and_doubles_nothing(telegram, tmp_path) -> None:
    engine = ScriptedEngine(lambda request: request.messages[-1].content[-1])
    async with running(telegram, tmp_path, engine) as subject:
        people = [subject.control.people.user(f"Ann{number}") for number in range(6)]
        chats = [subject.control.people.private(person) for person in people]
        subject.control.flood(1.0)
        subject.control.fail(Fault.RATE_LIMITED, times=6)
        for number, (person, chat) in enumerate(zip(people, chats, strict=True)):
            subject.control.talk.say(chat, person, f"say {number}")
        await subject.control.until(lambda: all(subject.control.texts(chat) for chat in chats), 40.0)
        await subject.rig.settled()
    assert [subject.control.texts(chat) for chat in chats] == [[str(number)] for number in range(6)]


async def test_a_group_that_moves_in_the_middle_of_a_turn_gets_its_answer(telegram, tmp_path) -> None:
    engine = HeldEngine("one two three four five six seven")
    async with running(telegram, tmp_path, engine) as subject:
        subject.control.rules.reads_all = True
        ann = subject.control.people.user("Ann")
        group = subject.control.people.group("Old", [ann], kind="group")
        subject.control.talk.say(group, ann, "@aside_bot count")
        await subject.control.until(lambda: engine.running)
        new = subject.control.people.migrate(group)
        await subject.control.until(lambda: not subject.control.mailbox.pending())
        engine.go_on.set()
        await subject.control.until(lambda: "one two three four five six seven" in subject.control.texts(new))


async def test_while_the_record_is_away_nothing_is_confirmed(telegram, tmp_path, monkeypatch) -> None:
    async with running(telegram, tmp_path, ScriptedEngine(lambda _: "an answer")) as subject:
        ann, dm = named(subject)

        async def away(_event):
            raise StoreUnavailable("away")

        with monkeypatch.context() as patched:
            patched.setattr(type(subject.rig.intake), "accept", lambda _self, event: away(event))
            subject.control.talk.say(dm, ann, "hello")
            before = len(subject.control.journal.made("getUpdates"))
            await subject.control.until(lambda: len(subject.control.journal.made("getUpdates")) > before + 2)
            assert len(subject.control.mailbox.pending()) == 1
        await subject.control.until(lambda: subject.control.texts(dm) == ["an answer"])
