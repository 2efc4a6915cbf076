"""Links that admit people to a group: made, listed, taken back."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

from adapters.webchat.admitting import Admitting
from adapters.webchat.ids import invite_stream, new_code, new_invitation_id, new_room_id
from adapters.webchat.inside import member_of
from adapters.webchat.invitations import MAX_HOURS, MAX_USES, Invitation
from adapters.webchat.reception import LEADS
from adapters.webchat.refusals import RefusalCode, Refused
from adapters.webchat.room_book import OpenRoom
from adapters.webchat.room_events import Change, RoomEvent
from adapters.webchat.rooms import RoomKind, RoomState
from adapters.webchat.texts import room_title


class Inviting(Admitting):
    """The invitations. Whoever is in a group may invite, and may take any of its invitations back."""

    async def invite(
        self, person_id: str, room: str, uses: int | None = None, hours: float | None = None
    ) -> Invitation:
        """Make a link for so many people and hours, without end where None. Raises `Refused`."""
        async with self._rooms.opened(room) as held:
            state, _ = member_of(held.state, person_id)
            if state.kind is not RoomKind.GROUP:
                raise Refused(
                    RefusalCode.FORBIDDEN, "This conversation stays as it is. Make a group to invite others."
                )
            if len(self._open_ones(state)) >= self._rules.invitations_limit:
                raise Refused(
                    RefusalCode.TOO_MANY, "This group has many open invitations. Please take one back first."
                )
            return await self._invited(held, person_id, uses, hours)

    async def host(self, title: str, uses: int | None = 1, hours: float | None = 24.0) -> Invitation:
        """Make a group with nobody in it and a link to it: for the operator of a house that is not open."""
        shown = room_title(title, self._rules.title_limit)
        async with self._rooms.opened(new_room_id()) as held:
            await self._made(held, RoomKind.GROUP, "", shown)
            return await self._invited(held, "", uses, hours)

    async def invitations(self, person_id: str, room: str) -> list[Invitation]:
        """List the invitations that still admit somebody, oldest first and without their codes. Raises `Refused`."""
        state, _ = await self._in(person_id, room)
        return self._open_ones(state)

    async def revoke(self, person_id: str, room: str, invitation_id: str) -> None:
        """Take an invitation back; one that was taken back is fine. Raises `Refused`."""
        async with self._rooms.opened(room) as held:
            state, _ = member_of(held.state, person_id)
            invitation = state.invitations.get(invitation_id)
            if invitation is None:
                raise Refused(RefusalCode.NOT_FOUND, "That invitation is not of this group.")
            if not invitation.revoked:
                event = RoomEvent(what=Change.REVOKED, at=self._now(), by=person_id, invitation=invitation_id)
                await held.record(event)

    async def _invited(self, held: OpenRoom, by: str, uses: int | None, hours: float | None) -> Invitation:
        id_, code, at = new_invitation_id(), new_code(), self._now()
        expires_at = _end(at, uses, hours)
        event = RoomEvent(what=Change.INVITED, at=at, by=by, invitation=id_, uses=uses, expires_at=expires_at)
        state = await held.record(event)
        leads = json.dumps({"v": 1, "room": held.room, "id": id_})
        await self._records.append(invite_stream(code), LEADS, leads)
        return replace(state.invitations[id_], code=code)

    def _open_ones(self, state: RoomState) -> list[Invitation]:
        now = self._now()
        return [each for each in state.invitations.values() if each.why_not(now) is None]


def _end(at: datetime, uses: int | None, hours: float | None) -> datetime | None:
    """Return when an invitation ends. Raises `Refused` for numbers that make no sense."""
    if (uses is not None and not 1 <= uses <= MAX_USES) or (hours is not None and not 0 < hours <= MAX_HOURS):
        raise Refused(
            RefusalCode.MALFORMED,
            f"An invitation is for 1 to {MAX_USES:,} people and for at most {MAX_HOURS / 24:.0f} days.",
        )
    return None if hours is None else at + timedelta(hours=hours)
