"""Ending turns at once that nobody wants answered any more, and telling whoever must hear of it."""

from typing import Final

from adapters.base import Outcome, Receipt
from bot.ingress.announcing import Announcer
from bot.ingress.asked import AcceptingJournal, StopSignals
from bot.telemetry.events import Hooks, TurnFinished, TurnOutcome, emit
from bot.turns.journal import Cancelled, Change, Changed
from bot.turns.model import Chat

IGNORED: Final = Receipt(outcome=Outcome.IGNORED)
DONE: Final = Receipt(outcome=Outcome.DONE)


class Endings:
    """Stops chats, and carries out what became of a message that was changed or taken back."""

    def __init__(
        self, journal: AcceptingJournal, announcer: Announcer, live: StopSignals, hooks: Hooks
    ) -> None:
        self._journal = journal
        self._announcer = announcer
        self._live = live
        self._hooks = hooks

    async def stop(self, adapter: str, account: str, conversation: str) -> Receipt:
        """Cancel what runs and waits in a conversation. Raises `StoreUnavailable` if that is not recorded."""
        chat = await self._journal.chat_by_conversation(adapter, account, conversation)
        if chat is not None:
            await self.cancelled(chat, await self._journal.request_cancel(chat.id))
        return DONE

    async def cancelled(self, chat: Chat, cancelled: Cancelled) -> None:
        """Tell whoever must hear which turns of a chat are over, and which are to be ended."""
        self._announcer.put(chat.id, chat.weight)
        self._announcer.ring(chat.adapter)
        for turn_id in cancelled.asked:
            await self._live.signal_stop(turn_id)
        for turn_id, waited_s in cancelled.ended:
            finished = TurnFinished(
                turn_id=turn_id, chat_id=chat.id, outcome=TurnOutcome.CANCELLED, total_s=waited_s
            )
            emit(self._hooks, finished)

    async def changed(self, changed: Changed) -> Receipt:
        """Tell whoever must hear what became of a message that was changed or taken back."""
        chat_id, turn_id = changed.chat_id or "", changed.turn_id or ""
        if changed.change is Change.CANCELLING:
            self._announcer.put(chat_id, changed.weight)
            await self._live.signal_stop(turn_id)
        elif changed.change is Change.CANCELLED:
            finished = TurnFinished(
                turn_id=turn_id, chat_id=chat_id, outcome=TurnOutcome.CANCELLED, total_s=changed.waited_s
            )
            emit(self._hooks, finished)
        if changed.change in (Change.UNKNOWN, Change.LEFT):
            return IGNORED
        return Receipt(
            outcome=Outcome.DONE,
            turn_id=changed.turn_id,
            chat_id=changed.chat_id,
            cancelled=changed.change is Change.CANCELLED,
        )
