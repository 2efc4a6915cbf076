"""What the bot is set to at BotFather, what of that keeps people from reaching it, and the exact remedy."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

from adapters.checking import Finding
from adapters.checking import Standing as Stands
from adapters.errors import Unreachable
from adapters.telegram.calls import Calls
from adapters.telegram.identity import Me
from adapters.telegram.settings import WEBHOOK_PATH, TelegramSettings
from adapters.telegram.standing import Standing

logger = logging.getLogger(__name__)

#: Webhooks at once; each chat's come one after the other anyway.
_CONNECTIONS = 40
_PRIVACY = (
    "In @BotFather: /setprivacy, choose the bot, Disable. Then remove the bot from each group and add it again, "
    "because the setting counts from the moment it is added. Making it an admin of a group has the same effect there."
)


class Starting:
    """Asks `getMe` once, and looks at the set-up when asked."""

    def __init__(
        self, settings: TelegramSettings, calls: Calls, standing: Standing, kinds: tuple[str, ...]
    ) -> None:
        self._settings = settings
        self._calls = calls
        self._standing = standing
        self._kinds = kinds
        self._me: Me | None = None
        self._asking = asyncio.Lock()

    async def me(self) -> Me:
        """Return who the bot is, asked of Telegram at the first time. Raises an `AdapterError`."""
        async with self._asking:
            if self._me is None:
                self._me = await self._ask()
                for finding in facts(self._me, self._settings):
                    if finding.standing is not Stands.OK:
                        logger.warning("%s: %s %s", finding.name, finding.found, finding.remedy)
            return self._me

    async def set_webhook(self) -> None:
        """Have Telegram call us; safe to repeat, and what is pending stays. Raises an `AdapterError`."""
        with self._standing.watching():
            await self._calls(
                "setWebhook",
                url=self._webhook_url,
                secret_token=self._settings.secret_token,
                max_connections=_CONNECTIONS,
                allowed_updates=self._kinds,
                drop_pending_updates=False,
            )

    async def check(self) -> tuple[Finding, ...]:
        """Call Telegram and report; changes nothing there. Raises an `AdapterError` where it cannot be asked."""
        me = await self._ask()
        info = await self._calls("getWebhookInfo")
        return (*facts(me, self._settings), *self._way_in(info if isinstance(info, dict) else {}))

    @property
    def _webhook_url(self) -> str:
        return self._settings.public_url + WEBHOOK_PATH

    async def _ask(self) -> Me:
        with self._standing.watching():
            user = await self._calls("getMe")
        if not isinstance(user, dict) or not isinstance(user.get("id"), int):
            raise Unreachable("what answers at telegram.base_url is no Bot API server")
        return Me.of(user, self._settings.assistant_name)

    def _way_in(self, info: dict[str, Any]) -> Iterator[Finding]:
        url, pending = info.get("url", ""), info.get("pending_update_count", 0)
        if not self._settings.is_webhook:
            yield _finding(
                "updates",
                "Updates are asked for, one process at a time.",
                is_ok=not url,
                instead="A webhook is set, so that no updates can be asked for.",
                remedy="Start the gateway: it takes the webhook away. Or set telegram.public_url to use one.",
            )
        else:
            yield _finding(
                "webhook",
                f"Telegram calls {self._webhook_url}.",
                is_ok=url == self._webhook_url,
                instead="Telegram has no webhook, or another one, for this bot.",
                remedy="Start the gateway: it sets the webhook. If it is set anew again and again, another deployment "
                "uses the same bot.",
            )
            if error := info.get("last_error_message"):
                yield Finding(
                    name="webhook",
                    standing=Stands.WARN,
                    found=f"Telegram's last call failed: {str(error)[:200]}",
                    remedy="Look whether telegram.public_url leads to the gateway from outside, by HTTPS with a "
                    "certificate Telegram accepts, on port 443, 80, 88 or 8443.",
                )
        if isinstance(pending, int) and pending > 0:
            yield Finding(name="updates", standing=Stands.OK, found=f"{pending} updates wait at Telegram.")


def facts(me: Me, settings: TelegramSettings) -> Iterator[Finding]:
    """Say what `getMe` means for people. Pure."""
    yield Finding(name="bot", standing=Stands.OK, found=f"The bot is @{me.username}.")
    yield _finding(
        "privacy mode",
        "Privacy mode is off: in groups it was added to since, the bot hears who mentions it.",
        is_ok=me.reads_all,
        instead="Privacy mode is on: in groups, messages that only mention the bot do not reach it, but commands and "
        "replies to it do.",
        remedy=_PRIVACY,
    )
    yield _finding(
        "groups",
        "The bot can be added to groups.",
        is_ok=me.joins_groups,
        instead="The bot cannot be added to groups.",
        remedy="In @BotFather: /setjoingroups, choose the bot, Enable.",
    )
    if settings.inline:
        yield _finding(
            "inline mode",
            "Inline mode is on. Whether chosen results are reported cannot be seen from here: without that, a question "
            "asked inline stays unanswered.",
            is_ok=me.is_inline,
            instead="Inline mode is off: nobody can ask from the input line of another chat.",
            remedy="In @BotFather: /setinline, choose the bot and write a hint; then /setinlinefeedback, 100%. Or set "
            "telegram.inline to false.",
        )
    if settings.guest:
        yield _finding(
            "guest mode",
            "Guest mode is on: people can mention the bot where it is no member.",
            is_ok=me.is_guest,
            instead="Guest mode is off: mentions in chats where the bot is no member do not reach it.",
            remedy="In @BotFather: /mybots, the bot, Bot Settings, Guest Mode, turn it on. Or set telegram.guest to "
            "false.",
        )


def _finding(name: str, found: str, *, is_ok: bool, instead: str, remedy: str) -> Finding:
    if is_ok:
        return Finding(name=name, standing=Stands.OK, found=found)
    return Finding(name=name, standing=Stands.WARN, found=instead, remedy=remedy)
