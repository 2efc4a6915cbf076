"""What a bot on the fake Telegram is set to, and the patience of the platform where nothing is documented."""

from dataclasses import dataclass

TOKEN = "424242:fake-telegram-token-that-guards-nothing"  # noqa: S105 - it guards nothing


@dataclass(slots=True, kw_only=True)
class Rules:
    """The bot's settings at BotFather, which a test may change while the server runs, and the platform's limits."""

    token: str = TOKEN
    username: str = "aside_bot"
    name: str = "Aside"
    #: Privacy mode off. It counts for groups that the bot joins from then on.
    reads_all: bool = False
    #: Whether a group's message that only mentions the bot passes privacy mode. The documents disagree and field
    #: reports say no: the strict answer.
    privacy_passes_mentions: bool = False
    guests: bool = True
    inline: bool = True
    #: Whether it is told which inline result was chosen.
    inline_feedback: bool = True
    #: Whether private chats with it have topics.
    topics: bool = False
    #: A self-hosted server run with --local: webhooks by plain HTTP and on any port.
    local: bool = True
    #: Whether the documented rates are kept by 429s, without any fault.
    enforces_rates: bool = False
    #: How long answers are awaited. None of these is documented.
    guest_query_s: float = 30.0
    inline_query_s: float = 10.0
    callback_query_s: float = 15.0
    #: Documented: "temporary 30-second preview"; "5 seconds or less"; "at least 1 hour"; "not longer than 24 hours".
    draft_s: float = 30.0
    typing_s: float = 5.0
    file_s: float = 3600.0
    update_s: float = 86_400.0
    #: Documented: the most a bot may download.
    download_bytes: int = 20_000_000

    @property
    def bot_id(self) -> int:
        """The bot's user id, which its token begins with."""
        return int(self.token.partition(":")[0])
