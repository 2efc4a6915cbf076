"""The numbers and choices a house is run by."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseRules:
    """Limits that keep a house usable; every one is told kindly when it is reached."""

    #: Whether anybody may come in and create rooms; otherwise only who was invited or is vouched for.
    is_open: bool = True
    #: Characters of a message.
    text_limit: int = 20_000
    #: Characters of a room's title.
    title_limit: int = 64
    #: People in one room.
    members_limit: int = 500
    #: Rooms one person is in.
    rooms_limit: int = 200
    #: Invitations to one room that can be used at the same time.
    invitations_limit: int = 50
    #: Different reactions to one message.
    reactions_limit: int = 20
