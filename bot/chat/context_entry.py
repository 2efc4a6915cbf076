"""One exchange as the context's log in Redis holds it, inside its seal."""

import json
from typing import Any

from bot.turns.model import Exchange

_VERSION = 1


def to_wire(exchange: Exchange) -> str:
    """Encode an exchange as JSON; lone surrogates survive."""
    return json.dumps([_VERSION, exchange.ord, exchange.prompt, exchange.reply, exchange.tokens])


def from_wire(text: str) -> Exchange:
    """Decode what `to_wire` made. Raises ValueError for anything else."""
    match json.loads(text):
        case [1, int(position), str(prompt), str(reply), int() | None as tokens]:
            return Exchange(ord=position, prompt=prompt, reply=reply, tokens=tokens)
        case other:
            raise ValueError(f"not an exchange of version {_VERSION}: {_shape(other)}")


def _shape(value: Any) -> str:
    """Describe a value without showing it."""
    return f"a list of {len(value)}" if isinstance(value, list) else type(value).__name__
