"""A reply as a draft while it grows, in direct chats (`sendMessageDraft`, Bot API 9.3; `can_stop`, 10.3). Pure."""

from hashlib import blake2b

#: What clients take for a draft's number, and never 0.
_NUMBERS = 2**31 - 1


def draft_number(turn_id: str) -> int:
    """Name a turn's draft: the same for all of its snapshots, whichever worker sends them."""
    return int.from_bytes(blake2b(turn_id.encode(), digest_size=8).digest()) % _NUMBERS + 1
