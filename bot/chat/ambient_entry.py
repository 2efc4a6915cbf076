"""One unaddressed message as Redis holds it, inside its seal."""

import json
from datetime import datetime

from bot.chat.ambient import Heard
from bot.errors import WrittenByNewer

_VERSION = 1


def to_wire(heard: Heard) -> str:
    """Encode a message as JSON; lone surrogates survive."""
    return json.dumps(
        [_VERSION, heard.message, heard.sender_id, heard.sender_name, heard.text, heard.at.isoformat()]
    )


def from_wire(text: str) -> Heard:
    """Decode what `to_wire` made. Raises `WrittenByNewer`, or ValueError for anything else."""
    match json.loads(text):
        case [1, str(message), str(sender_id), str(sender_name), str(said), str(at)]:
            return Heard(
                message=message,
                sender_id=sender_id,
                sender_name=sender_name,
                text=said,
                at=datetime.fromisoformat(at),
            )
        case [int(version), *_] if version > _VERSION:
            raise WrittenByNewer(f"a remembered message is of version {version}")
        case _:
            raise ValueError(f"not a remembered message of version {_VERSION}")
