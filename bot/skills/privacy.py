"""`/privacy`: showing what the assistant sees and keeps in a chat, and changing it."""

from collections.abc import Callable, Collection
from dataclasses import replace

from bot.chat.consent import Refused, Wish, judge, read
from bot.skills.privacy_texts import changed, overview, refusal, unchanged
from bot.turns.live_reply import LiveReply
from bot.turns.model import Chat, ConsentChange, Reply, Turn
from bot.turns.stopping import Stop

#: For how many days the words of a chat are kept; 0 is no longer than the running turn.
Days = Callable[[Chat], int]


class Privacy:
    """The skill; what it changes is stored together with the reply that tells everybody of it."""

    def __init__(self, days: Days, own_histories: Collection[str] = ()) -> None:
        """Keep the settings; `own_histories` are the adapters whose messages this deployment itself shows."""
        self._days = days
        self._own_histories = frozenset(own_histories)

    async def reply(self, turn: Turn, live: LiveReply, stop: Stop) -> Reply:
        """Show how it is, or carry a wish out, or say why not; kept out of the chat's context."""
        last, chat = turn.said[-1], turn.chat
        asked = read(last.text)
        judged = judge(chat, asked, by_admin=last.by_admin)
        if isinstance(judged, Refused):
            return _said(refusal(judged, admins_told=last.by_admin is not None))
        if judged is not None:
            told = changed(_with(chat, judged), self._days(chat), shows=self._shows(chat))
            return replace(_said(told), consents=judged)
        if asked.wish is Wish.SHOW:
            return _said(overview(chat, self._days(chat), shows=self._shows(chat)))
        return _said(unchanged(chat))

    def _shows(self, chat: Chat) -> bool:
        return chat.adapter in self._own_histories


def _said(text: str) -> Reply:
    return Reply(text=text, parts=(), prompt=None)


def _with(chat: Chat, change: ConsentChange) -> Chat:
    return replace(
        chat,
        consent=change.consent,
        recent_messages=change.recent_messages,
        recent_hours=change.recent_hours,
        consent_locked=change.locked,
    )
