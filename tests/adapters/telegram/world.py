"""The Telegram adapter in front of the strict fake, as the adapter contract runs it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from adapters.base import Action, Attachment, Button, Inbound, Media, Platform, Purpose, RawRequest, Send
from adapters.content import plain
from adapters.polling_lease import SharedLeases
from adapters.telegram.handing import HORIZON
from adapters.telegram.platform import telegram
from adapters.telegram.settings import WEBHOOK_PATH, TelegramSettings
from tests.adapters.telegram_bot.faults import Fault
from tests.adapters.telegram_bot.files import Upload
from tests.adapters.telegram_bot.mailbox import Update
from tests.adapters.telegram_bot.seen import ChatKind
from tests.adapters.telegram_bot.server import strictly_serving
from tests.contracts.adapters.abilities import Ability
from tests.contracts.adapters.elsewhere import redirecting_to
from tests.contracts.adapters.gateway import posted
from tests.contracts.adapters.harness import Deliver, File, Loss
from tests.contracts.adapters.sink import HeardSink

SECRET = "a-secret-of-thirty-characters-"  # noqa: S105 - it guards nothing
_LACKS = {
    Ability.KEYED: "the Bot API takes no key of ours",
    Ability.BODY_SIGNED: "the secret stands beside the body and covers nothing of it",
    Ability.FORMS: "updates are JSON",
    Ability.WITHDRAWALS: "bots are not told of deletions",
    Ability.REPORTS: "bots are not told what becomes of their messages",
    Ability.WINDOWS: "a bot may write at any time where it was let in",
}
_LOST = {
    Loss.REQUEST: Fault.LOST_REQUEST,
    Loss.ANSWER: Fault.LOST_RESPONSE,
    Loss.SILENCE: Fault.SILENT,
}
_STOP = Button(action=Action.STOP, label="Stop")


class TelegramHarness:
    """A group in which the bot hears everything; updates come by webhook, or are asked for."""

    account = "424242"
    handle = "@aside_bot"
    proof = "X-Telegram-Bot-Api-Secret-Token"
    horizon_s = HORIZON.total_seconds()

    def __init__(self, sink: HeardSink | None = None, *, is_polling: bool = False) -> None:
        self.sink = sink or HeardSink()
        self.is_polling = is_polling
        self._updates: dict[str, Update] = {}

    @property
    def lacks(self) -> Mapping[Ability, str]:
        """What Telegram does not have."""
        if self.is_polling:
            return _LACKS | {Ability.WEBHOOK: "this one asks for updates itself"}
        return _LACKS | {Ability.RUNS: "Telegram calls us; the source only says where"}

    @property
    def secrets(self) -> Sequence[str]:
        """What must stand in no log."""
        return (self.settings.token, self.settings.token.partition(":")[2], SECRET, str(self.anna.id))

    @contextlib.asynccontextmanager
    async def running(self, _folder: Path, *, call_s: float = 5.0) -> AsyncIterator["TelegramHarness"]:
        """Serve the fake and open the adapter."""
        async with strictly_serving() as fake:
            self.control = fake.control
            self.control.rules.reads_all = True
            self.anna = self.control.people.user("Anna")
            self.group = self.control.people.group("Team", [self.anna])
            self.conversation = str(self.group.id)
            self.settings = TelegramSettings(
                token=fake.token,
                base_url=fake.base_url,
                base_file_url=fake.base_file_url,
                public_url="" if self.is_polling else "https://bot.example.org",
                secret_token="" if self.is_polling else SECRET,
                poll_s=5,
                call_s=call_s,
                again_s=0.01,
                again_most_s=0.05,
            )
            self.platform = self._made(self.settings)
            self.adapter, self.source = self.platform.adapter, self.platform.source
            self.lifetime, self.media = self.platform.lifetime, self.platform.media
            assert self.lifetime is not None
            async with self.lifetime, self._taking_in():
                yield self

    def _made(self, settings: TelegramSettings) -> Platform:
        loop = asyncio.get_running_loop()
        return telegram(
            settings,
            SharedLeases(loop.time, lasts_s=60.0).of("telegram"),
            lambda: datetime.fromtimestamp(self.control.clock.now(), UTC),
        )

    @contextlib.asynccontextmanager
    async def _taking_in(self) -> AsyncIterator[None]:
        await self.run_again()
        try:
            yield
        finally:
            await self.cancel()

    async def run_again(self) -> None:
        """Ask for updates, where that is done."""
        assert self.source is not None
        self.task = asyncio.create_task(self.source.run(self.sink) if self.is_polling else asyncio.sleep(0))

    async def cancel(self) -> None:
        """Cancel what takes updates in."""
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task

    def is_clean(self) -> bool:
        """Whether a cancelled run left nothing open: what was taken is confirmed or comes again, nobody polls."""
        return self.task.done()

    async def visible(self) -> list[str]:
        """Read what a member of the group reads of the bot's."""
        return self.control.texts(self.group)

    async def visible_in(self, conversation: str) -> list[str]:
        """Read what a member of another group reads of the bot's."""
        return self.control.texts(self.control.world.chats[int(conversation)])

    async def deliver(self, key: str) -> bool:
        """Deliver one message under a key; tell whether it was acknowledged."""
        if key in self._updates:
            self.control.again(self._updates[key])
        else:
            self.control.talk.say(self.group, self.anna, "hi")
            self._updates[key] = self.control.mailbox.told()[-1]
        return await self._passed(self._updates[key])

    async def post(self, request: RawRequest) -> int:
        """Call the gateway's route; the status."""
        return await posted(self.platform.webhooks, self.sink, request)

    async def requests(self) -> Sequence[RawRequest]:
        """Write what Telegram posts of a new message."""
        self.control.talk.say(self.group, self.anna, "hi")
        return [self._request(self.control.mailbox.told()[-1])]

    def _request(self, update: Update) -> RawRequest:
        headers = {self.proof: SECRET, "Content-Type": "application/json"}
        body = json.dumps(update.to_wire()).encode()
        return RawRequest(method="POST", path=WEBHOOK_PATH, headers=headers, body=body)

    async def deliver_old(self, age_s: float) -> bool:
        """Deliver what was said so long ago."""
        self.control.talk.say(self.group, self.anna, "hi", ago_s=age_s)
        return await self._passed(self.control.mailbox.told()[-1])

    async def deliver_from_bot(self) -> bool:
        """Deliver what another bot says to ours."""
        other = self.control.people.user("Other", username="other_bot", is_bot=True)
        return await self._told_of(other.id)

    async def echo(self) -> bool:
        """Deliver what our own bot says."""
        return await self._told_of(self.control.world.bot.id)

    async def _told_of(self, sender: int) -> bool:
        said = self.control.world.post(self.group, sender_id=sender, text=f"{self.handle} hi")
        update = self.control.people.tell_message("message", said)
        assert update is not None
        return await self._passed(update)

    async def hear(self, text: str, *, pictured: bool = False) -> Inbound:
        """Let Anna write in the group."""
        return (await self._heard(text, **_picture() if pictured else {}))[-1]

    async def hear_reply(self, quoted: str, *, of_ours: bool) -> Inbound:
        """Let Anna reply to somebody, or to us."""
        if of_ours:
            await self._send(quoted)
            said = self.control.answers(self.group)[-1]
        else:
            said = self.control.talk.say(self.group, self.control.people.user("Bo"), quoted)
            await self._passed(self.control.mailbox.told()[-1])
        return (await self._heard("and?", reply_to=said))[-1]

    async def hear_together(self, caption: str, count: int) -> Sequence[Inbound]:
        """Let Anna send an album."""
        before = len(self.control.mailbox.told())
        uploads = [_picture(str(number).encode())["upload"] for number in range(count)]
        self.control.talk.album(self.group, self.anna, uploads, caption)
        for update in self.control.mailbox.told()[before:]:
            assert await self._passed(update)
        return self.sink.events[-count:]

    async def _heard(self, text: str, **how: Any) -> Sequence[Inbound]:
        self.control.talk.say(self.group, self.anna, text, **how)
        assert await self._passed(self.control.mailbox.told()[-1])
        return self.sink.events

    async def happening(self, what: Ability) -> Deliver:
        """Let something happen beside messages."""
        match what:
            case Ability.EDITS:
                said = self.control.talk.say(self.group, self.anna, "one")
                await self._passed(self.control.mailbox.told()[-1])
                return self._telling(lambda: self.control.talk.edit(said, "two"))
            case Ability.STOPS:
                return await self._stopping()
            case Ability.PRESSES:
                await self._send("one", buttons=(_STOP,))
                ours = self.control.answers(self.group)[-1]
                return self._telling(lambda: self.control.asking.press(ours, self.anna, "Stop"))
            case Ability.MOVES:
                group = self.control.world.chats[int(await self.movable())]
                return self._telling(lambda: self.control.people.migrate(group))
            case _:
                assert what is Ability.MEMBERSHIPS, what
                bo = self.control.people.user("Bo")
                return self._telling(lambda: self.control.people.move(self.group, bo, "member", by=self.anna))

    async def _stopping(self) -> Deliver:
        direct, drafts = self.control.people.private(self.anna), self.platform.drafts
        assert drafts is not None
        await drafts.draft(self.account, str(direct.id), "turn", plain("so far"))
        (draft,) = self.control.drafts(direct)
        return self._telling(lambda: self.control.asking.stop_draft(direct, draft.draft_id))

    def _telling(self, act: Any) -> Deliver:
        """Let it happen when it is first delivered, as an update is polled as soon as it is there."""
        told: list[Update] = []

        async def deliver() -> bool:
            if told:
                for update in told:
                    self.control.again(update)
            else:
                before = len(self.control.mailbox.told())
                act()
                told.extend(self.control.mailbox.told()[before:])
            return all([await self._passed(update) for update in told])

        return deliver

    async def movable(self) -> str:
        """Make a basic group."""
        return str(self.control.people.group("Old", [self.anna], kind=ChatKind.GROUP).id)

    async def move(self, conversation: str) -> str:
        """Let a basic group become a supergroup."""
        return str(self.control.people.migrate(self.control.world.chats[int(conversation)]).id)

    async def limit(self, seconds: float | None) -> None:
        """Answer the next call 429."""
        if seconds is None:
            self.control.fail(Fault.RATE_LIMITED_SILENTLY)
        else:
            self.control.fail(Fault.RATE_LIMITED, retry_after_s=int(seconds))

    async def lose(self, loss: Loss) -> None:
        """Lose the next call, or its answer."""
        self.control.fail(_LOST[loss])

    async def attach(self, file: File) -> Attachment:
        """Let Anna send a file."""
        claimed = 10 if file.hides_size else None
        upload = Upload(body=file.body, kind="document", mime=file.mime, claimed_bytes=claimed)
        return (await self._heard("", upload=upload))[-1].attachments[0]

    @contextlib.asynccontextmanager
    async def led_away(self, url: str) -> AsyncIterator[tuple[Media, Attachment]]:
        """Let the file server lead elsewhere."""
        attachment = await self.attach(File(body=b"\x89PNG\r\n\x1a\n" + b"." * 50))
        async with redirecting_to(url) as server:
            platform = self._made(replace(self.settings, base_file_url=f"{server}/file/bot"))
            assert platform.lifetime is not None
            assert platform.media is not None
            async with platform.lifetime:
                yield platform.media, attachment

    async def _send(self, text: str, **more: Any) -> None:
        asked = {"account": self.account, "conversation": self.conversation, "purpose": Purpose.REPLY} | more
        await self.adapter.send(Send(op_id="a-reply", content=plain(text), **asked))

    async def _passed(self, update: Update) -> bool:
        """Pass an update on; tell whether it was acknowledged."""
        if not self.is_polling:
            return await self.post(self._request(update)) == HTTPStatus.OK
        mailbox, given = self.control.mailbox, update.polled
        await self.control.until(lambda: update not in mailbox.pending() or update.polled > given + 1)
        return update not in mailbox.pending()


def _picture(body: bytes = b"") -> dict[str, Any]:
    return {"upload": Upload(body=b"\xff\xd8\xff" + body, kind="photo", mime="image/jpeg")}
