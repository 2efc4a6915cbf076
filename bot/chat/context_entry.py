"""What the context in Redis holds inside its seals: an exchange of its log, and the background of its head."""

import json
from typing import Any

from bot.turns.model import Background, Exchange, Summary

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


def background_to_wire(background: Background) -> str:
    """Encode what stands before the exchanges as JSON; lone surrogates survive."""
    summaries = [_listed(background.summary), _listed(background.next_summary)]
    return json.dumps([_VERSION, background.card, *summaries])


def background_from_wire(text: str) -> Background:
    """Decode what `background_to_wire` made. Raises ValueError for anything else."""
    match json.loads(text):
        case [1, str(card), list() | None as summary, list() | None as following]:
            return Background(card=card, summary=_summary(summary), next_summary=_summary(following))
        case other:
            raise ValueError(f"not a background of version {_VERSION}: {_shape(other)}")


def _listed(summary: Summary | None) -> list[Any] | None:
    return None if summary is None else [summary.ord, summary.text]


def _summary(listed: list[Any] | None) -> Summary | None:
    match listed:
        case None:
            return None
        case [int(position), str(text)]:
            return Summary(ord=position, text=text)
        case other:
            raise ValueError(f"not a summary: {_shape(other)}")


def _shape(value: Any) -> str:
    """Describe a value without showing it."""
    return f"a list of {len(value)}" if isinstance(value, list) else type(value).__name__
