"""What the Telegram adapter is told at start."""

import re
from dataclasses import dataclass, field

from adapters.errors import AdapterError

#: The platform's name, equal to the folder's.
NAME = "telegram"
#: The longest message, in UTF-16 code units after entities were parsed; people's apps cut what they write there, too.
TEXT_LIMIT = 4096
#: Where the gateway takes updates in when Telegram calls us.
WEBHOOK_PATH = "/hooks/telegram"
#: A bot's token: its user id, and what guards it.
_TOKEN = re.compile(r"\d{1,20}:[A-Za-z0-9_-]{20,}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}")


class TelegramRefused(AdapterError):
    """Telegram cannot be used as it is set; the message says what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramSettings:
    """One bot, how its updates come, and what of Telegram it uses."""

    #: As BotFather gave it; never printed.
    token: str = field(repr=False)
    #: What people call the assistant; the bot's own name in their messages is handed on as this.
    assistant_name: str = "assistant"
    #: The Bot API server; the token is put behind it, as python-telegram-bot has it.
    base_url: str = "https://api.telegram.org/bot"
    base_file_url: str = "https://api.telegram.org/file/bot"
    #: Where Telegram calls us: https://bot.example.org, without a path. Empty asks Telegram for updates instead.
    public_url: str = ""
    #: What Telegram proves itself with when it calls; with `public_url` only.
    secret_token: str = field(default="", repr=False)
    #: Show growing replies in direct chats as drafts; else by edits, as in groups.
    drafts: bool = True
    #: Answer who writes the bot's name into the input line of any chat, and who mentions it where it is no member.
    inline: bool = True
    guest: bool = True
    #: Seconds for one call, and for making its connection.
    call_s: float = 20.0
    connect_s: float = 5.0
    #: Seconds for one file.
    media_s: float = 120.0
    #: Seconds for which Telegram may hold a request for updates open; below 50.
    poll_s: int = 25
    #: Seconds for an answer to what a person waits for with a spinner.
    answer_s: float = 5.0
    #: Seconds for which it is believed who is an admin of a group.
    admin_s: float = 60.0
    #: Seconds the core may take to decide on an update.
    accept_s: float = 30.0
    #: Seconds before asking again after an outage: at first, and at most.
    again_s: float = 1.0
    again_most_s: float = 60.0

    @property
    def account(self) -> str:
        """The bot's user id, which its token begins with."""
        return self.token.partition(":")[0]

    @property
    def is_webhook(self) -> bool:
        """Whether Telegram calls us."""
        return bool(self.public_url)


def checked(settings: TelegramSettings) -> TelegramSettings:
    """Return the settings if they can be used safely. Raises `TelegramRefused`."""
    if not _TOKEN.fullmatch(settings.token):
        raise TelegramRefused(
            "telegram.token is not a bot's token: take it from @BotFather (/mybots, API Token); it looks like "
            "123456789:ABC..., and ASIDE_TELEGRAM_TOKEN_FILE may name a file that holds it"
        )
    if settings.public_url and not _SECRET.fullmatch(settings.secret_token):
        raise TelegramRefused(
            "telegram.public_url lets anybody post updates: set telegram.secret_token to 16 to 256 letters, digits, _ "
            "or - that nobody can guess (openssl rand -hex 32), or leave public_url empty to ask Telegram for updates"
        )
    if settings.secret_token and not settings.public_url:
        raise TelegramRefused(
            "telegram.secret_token is for a webhook: set telegram.public_url to the address Telegram reaches, or "
            "leave both empty to ask Telegram for updates"
        )
    return settings
