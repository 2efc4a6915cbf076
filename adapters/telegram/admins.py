"""Who is an admin of a group, asked of Telegram where it counts and believed for a minute."""

import logging
from collections.abc import Callable

from adapters.errors import AdapterError
from adapters.telegram.calls import Calls
from adapters.telegram.places import place_of

logger = logging.getLogger(__name__)

_IN_CHARGE = ("creator", "administrator")
#: Answers kept before all are asked for anew.
_MOST_KEPT = 10_000


class Admins:
    """Asks `getChatMember`, and remembers."""

    def __init__(
        self, calls: Calls, monotonic: Callable[[], float], *, believed_s: float, answer_s: float
    ) -> None:
        self._calls = calls
        self._monotonic = monotonic
        self._believed_s = believed_s
        self._answer_s = answer_s
        #: By chat, then by person: whether they are, and when that was asked.
        self._known: dict[int, dict[str, tuple[bool, float]]] = {}
        self._count = 0

    async def is_admin(self, conversation: str, person: str) -> bool:
        """Tell whether a person is in charge of a conversation's chat; where nobody can tell, they are not."""
        place = place_of(conversation)
        if not place.is_ours or person.startswith("-"):
            # A channel that speaks is nobody's admin; an admin hidden behind the group was told apart before.
            return False
        now_s = self._monotonic()
        found, asked_s = self._known.get(place.chat_id, {}).get(person, (False, -self._believed_s))
        if now_s - asked_s < self._believed_s:
            return found
        try:
            member = await self._calls(
                "getChatMember", self._answer_s, chat_id=place.chat_id, user_id=int(person)
            )
        except AdapterError as error:
            logger.info("Telegram does not say who is an admin: %s", type(error).__name__)
            return False
        found = isinstance(member, dict) and member.get("status") in _IN_CHARGE
        self._keep(place.chat_id, person, found, now_s)
        return found

    def forget(self, conversation: str) -> None:
        """Ask anew in a chat where somebody's standing changed."""
        self._known.pop(place_of(conversation).chat_id, None)

    def _keep(self, chat_id: int, person: str, found: bool, now_s: float) -> None:  # noqa: FBT001 - a fact to keep
        self._count += 1
        if self._count > _MOST_KEPT:
            self._known.clear()
            self._count = 1
        self._known.setdefault(chat_id, {})[person] = (found, now_s)
