"""What is told of chats' contexts: cuts, summaries, caches, and prompts that were not found in the engine's."""

from dataclasses import dataclass
from enum import StrEnum

from bot.telemetry.events.base import Details


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextCut(Details):
    """A chat's oldest exchanges left its prompts; the summary that was made of them took their place."""

    turn_id: str
    chat_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CutWithoutSummary(Details):
    """A chat's oldest exchanges left its prompts before a summary of them was ready."""

    turn_id: str
    chat_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryStored(Details):
    """A summary waits for the chat's next cut."""

    chat_id: str
    prompt_tokens: int
    cached_tokens: int
    output_tokens: int


class SummaryProblem(StrEnum):
    """Why a summary was not made; it is asked for again behind the chat's next reply."""

    #: Requests wait in the engine: replies come first.
    BUSY = "busy"
    #: Too many chats wait for theirs.
    CROWDED = "crowded"
    #: The engine failed, or took too long.
    ENGINE = "engine"
    #: The model wrote nothing that could be kept.
    EMPTY = "empty"
    #: The chat was cut, reset or forgotten meanwhile.
    OVERTAKEN = "overtaken"
    #: Not even the oldest exchange fits beside it.
    NO_ROOM = "no_room"
    #: The database or the vault could not give or take what it needs.
    STORE = "store"


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryFailed(Details):
    """A chat has no summary for its next cut yet."""

    chat_id: str
    reason: SummaryProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextDropped(Details):
    """A cached context could not be read and is gone; it is built again from SQL."""

    chat_id: str
    #: The error's class, never its text.
    error: str


class BreakCause(StrEnum):
    """Why the engine computed again what the layout of the prompt promised to find in its cache."""

    #: A message stands otherwise than this chat's last prompt held it: a fault of ours, to be reported.
    LAYOUT = "layout"
    #: The oldest exchanges left the prompt.
    CUT = "cut"
    #: The chat's memory was begun anew, or could not be opened.
    RESET = "reset"
    #: What stands before the log was changed: what the assistant was asked to remember, or a summary.
    PREAMBLE = "preamble"
    #: The chat has another salt than before: something of it was forgotten.
    SALT = "salt"
    #: Only the last reply was computed again: its text is cut into other tokens than it was generated in.
    REPLY = "reply"
    #: The engine was away since: its cache began anew.
    ENGINE_RESTARTED = "engine_restarted"
    #: The same messages on the same engine: others needed the room. Where it happens often, the cache is small.
    EVICTED = "evicted"
    #: This process did not make the chat's last prompt, so that it cannot tell.
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixBroken(Details):
    """The engine found less of a prompt in its cache than the exchange before had left there."""

    turn_id: str
    chat_id: str
    cause: BreakCause
    predicted_tokens: int
    cached_tokens: int
    #: The first message of the prompt that was not found whole, from 0.
    message_index: int
