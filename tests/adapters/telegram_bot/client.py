"""A fake Telegram seen as any other fake platform: what a driver knows of tests/platforms/client.py works here too.

Conversations and senders are names; who and where is made on first use. What Telegram does not have is done as near to
it as its users can come: nobody tells a bot that a message was deleted, and there is no webhook but the bot's own.
"""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from tests.adapters.telegram_bot import faults
from tests.platforms.client import ACCOUNT, PlatformClient
from tests.platforms.seen import Endpoint, Fault, Page

_METHODS: Final = {
    Endpoint.SEND: "sendMessage",
    Endpoint.EDIT: "editMessageText",
    Endpoint.DELETE: "deleteMessage",
}
#: Telegram documents no status that says: not done, try again.
_FAULTS: Final = {Fault.UNAVAILABLE: faults.Fault.BAD_GATEWAY}


class TelegramClient(PlatformClient):
    """Plays the people of a fake Telegram by name. Use it as an async context manager."""

    def __init__(self, url: str, *, username: str = "aside_bot") -> None:
        super().__init__(url)
        self._call = f"@{username} "
        self._users: dict[str, int] = {}
        self._chats: dict[str, int] = {}
        self._names: dict[str, str] = {}

    async def set_gateways(self, urls: Iterable[str]) -> None:
        """Do nothing: a bot polls, or sets its webhook itself."""

    async def say(
        self,
        text: str,
        *,
        conversation: str = "room",
        sender: str = "ann",
        kind: str = "group",
        account: str = ACCOUNT,
        mentions_assistant: bool = True,
        reply_to: str | None = None,
        copies: int = 1,
        spread: bool = False,
        delay_s: float = 0.0,
    ) -> str:
        """Say something, in a group with the bot's name before it; copies come only where a webhook is set."""
        user = await self._user(sender)
        chat = await self._chat(conversation, kind, user)
        called = f"{self._call}{text}" if mentions_assistant and kind != "direct" else text
        asked = {"chat": chat, "user": user, "text": called}
        said = await self._post("say", **asked, **({"reply_to": _place(reply_to)} if reply_to else {}))
        mention = f"{chat}/{said['message_id']}"
        await self.deliver_again(mention, copies=copies - 1)
        return mention

    async def deliver_again(self, mention: str, *, copies: int = 1, spread: bool = False) -> None:
        """Deliver what was said once more, as after a lost confirmation."""
        for _ in range(copies):
            await self._post("again", about=mention)

    async def edit(self, mention: str, text: str, *, mentions_assistant: bool = True) -> None:
        """Edit what was said."""
        called = f"{self._call}{text}" if mentions_assistant else text
        await self._post("edit", message=_place(mention), text=called)

    async def withdraw(self, mention: str) -> None:
        """Delete what was said, which the bot is not told of."""
        await self._post("unsay", message=_place(mention))

    async def stop(
        self, *, conversation: str = "room", sender: str = "ann", kind: str = "group", account: str = ACCOUNT
    ) -> None:
        """Press the button that says Stop under the bot's newest message; fail where there is none."""
        user, chat = await self._user(sender), self._chats[conversation]
        await self._post("press_newest", chat=chat, user=user, label="Stop")

    async def fault(
        self,
        fault: Fault,
        *,
        endpoint: Endpoint | None = None,
        conversation: str | None = None,
        times: int | None = 1,
        probability: float = 1.0,
        retry_after_s: float = 0.2,
        slow_s: float = 0.5,
    ) -> None:
        """Let the next `times` calls, or any call with a probability, run into a fault; waits are whole seconds.

        A call that bots do not have meets none.
        """
        if endpoint is not None and endpoint not in _METHODS:
            return
        await self._post(
            "faults",
            fault=_FAULTS.get(fault) or faults.Fault(fault.value),
            method=_METHODS[endpoint] if endpoint else None,
            chat=self._chats[conversation] if conversation else None,
            times=times,
            probability=probability,
            retry_after_s=math.ceil(retry_after_s),
            slow_s=slow_s,
        )

    async def violations(self) -> list[str]:
        """List what no correct bot would have asked for."""
        async with self._open.get(f"{self._url}/control/violations") as answer:
            answer.raise_for_status()
            return [str(why) for why in await answer.json()]

    async def page(self, after: int = 0, *, limit: int = 1000, wait_s: float = 0.0) -> Page:
        """Read what changed, under the names that were used here."""
        page = await super().page(after, limit=limit, wait_s=wait_s)
        return replace(
            page,
            messages=tuple(replace(row, conversation=self._named(row.conversation)) for row in page.messages),
            mentions=tuple(
                replace(
                    row,
                    conversation=self._named(row.conversation),
                    sender=self._named(row.sender),
                    text=row.text.removeprefix(self._call),
                )
                for row in page.mentions
            ),
            faults=tuple(replace(row, conversation=self._named(row.conversation)) for row in page.faults),
        )

    def _named(self, number: str) -> str:
        return self._names.get(number, number)

    async def _user(self, name: str) -> int:
        if name not in self._users:
            made = await self._post("user", first_name=name.title(), username=f"{name}_of_tests")
            self._keep(self._users, name, made)
        return self._users[name]

    async def _chat(self, name: str, kind: str, user: int) -> int:
        if name not in self._chats:
            where = {"user": user} if kind == "direct" else {"title": name, "members": [user]}
            self._keep(
                self._chats, name, await self._post("private" if kind == "direct" else "group", **where)
            )
        return self._chats[name]

    def _keep(self, known: dict[str, int], name: str, made: dict[str, Any]) -> None:
        known[name] = made["id"]
        self._names[str(made["id"])] = name


def _place(mention: str) -> dict[str, int]:
    chat, _, message = mention.partition("/")
    return {"chat_id": int(chat), "message_id": int(message)}
