"""What Telegram's refusals, and its silence, mean to the core: one table for each.

The descriptions are the Bot API server's own (tdlib/telegram-bot-api, Client.cpp); their letters' case is not kept by
it, so it does not count here. Nothing of a description is handed on: it may quote what was sent.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx
from telegram import error as telegram

from adapters.errors import (
    AdapterError,
    Ambiguous,
    AuthFailed,
    Gone,
    MediaTooLarge,
    Moved,
    Rejected,
    RetryAfter,
    Unreachable,
    WindowClosed,
)
from adapters.telegram.places import chat_place

#: Seconds to wait where a 429 does not say for how long.
SILENT_RETRY_S = 3.0


class NotModified(Rejected):
    """The message says that already: a success."""


class NotThere(Rejected):
    """The message is gone, or never was, or is not ours to change."""


class EntitiesRefused(Rejected):
    """The text's entities are not taken; without them it would be."""


class UnknownMethod(Rejected):
    """The Bot API server is older than the method."""


class Conflicted(AdapterError):
    """Somebody else takes this bot's updates: another process with its token, or a webhook that is set."""


class Answered(telegram.TelegramError):
    """Telegram's refusal with all that it says; python-telegram-bot's own classes leave parts of it out."""

    def __init__(self, status: int, description: str, parameters: Mapping[str, Any]) -> None:
        """Keep the answer; the error's text has its number only."""
        super().__init__(f"Telegram answered {status}")
        self.status = status
        self.description = description.casefold()
        self.parameters = parameters

    @classmethod
    def of(cls, status: int, body: bytes) -> "Answered":
        """Read an answer, whatever it is: a proxy in between may have made it."""
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            return cls(status, "", {})
        parameters = answer.get("parameters")
        return cls(
            status, str(answer.get("description", "")), parameters if isinstance(parameters, dict) else {}
        )


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an answer of this status, with these words in it, means."""

    status: int
    words: str
    error: type[AdapterError]


#: The first that fits counts; words are in lower case.
MEANINGS: tuple[Meaning, ...] = (
    Meaning(400, "message is not modified", NotModified),
    Meaning(400, "can't parse entities", EntitiesRefused),
    Meaning(400, "entity_", EntitiesRefused),
    Meaning(400, "entities_", EntitiesRefused),
    Meaning(400, "message to edit not found", NotThere),
    Meaning(400, "message to delete not found", NotThere),
    Meaning(400, "message can't be edited", NotThere),
    Meaning(400, "message can't be deleted", NotThere),
    Meaning(400, "message_id_invalid", NotThere),
    Meaning(400, "query is too old", WindowClosed),
    Meaning(400, "file is too big", MediaTooLarge),
    Meaning(400, "chat not found", Gone),
    Meaning(400, "message thread not found", Gone),
    Meaning(400, "topic_closed", Gone),
    Meaning(400, "topic_deleted", Gone),
    Meaning(400, "peer_id_invalid", Gone),
    Meaning(400, "chat_write_forbidden", Gone),
    Meaning(400, "chat_restricted", Gone),
    Meaning(400, "user is deactivated", Gone),
    Meaning(400, "group chat was deactivated", Gone),
    Meaning(400, "not enough rights to send", Gone),
    Meaning(400, "have no rights to send", Gone),
    Meaning(400, "wrong file_id or the file is temporarily unavailable", Gone),
    Meaning(401, "", AuthFailed),
    Meaning(403, "", Gone),
    Meaning(404, "", UnknownMethod),
    Meaning(409, "", Conflicted),
)
#: What python-telegram-bot raises beside `Answered`; a class before those above it.
LIBRARY: Mapping[type[telegram.TelegramError], type[AdapterError]] = {
    telegram.EndPointNotFound: UnknownMethod,
    telegram.InvalidToken: AuthFailed,
    telegram.Forbidden: Gone,
    telegram.BadRequest: Rejected,
    telegram.Conflict: Conflicted,
    telegram.PassportDecryptionError: Rejected,
    telegram.TimedOut: Ambiguous,
    telegram.NetworkError: Ambiguous,
    telegram.TelegramError: Ambiguous,
}
#: Before these nothing left this process; behind any other error of a connection nobody knows.
NOTHING_LEFT: tuple[type[Exception], ...] = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)


@contextmanager
def translated() -> Iterator[None]:
    """Raise what the library raises as an `AdapterError`."""
    try:
        yield
    except TimeoutError as exc:
        raise Ambiguous("no answer in time") from exc
    except (telegram.TelegramError, httpx.HTTPError, httpx.InvalidURL) as exc:
        raise meaning_of(exc) from exc


def meaning_of(error: Exception) -> AdapterError:
    """Say what an error of the library, or of a connection, means. Pure."""
    if isinstance(error, Answered):
        return _answered(error)
    if isinstance(error, telegram.RetryAfter):
        return RetryAfter(SILENT_RETRY_S)
    if isinstance(error, telegram.ChatMigrated):
        return Moved(chat_place(error.new_chat_id).ref)
    cause = error if isinstance(error, httpx.HTTPError | httpx.InvalidURL) else error.__cause__
    if isinstance(cause, NOTHING_LEFT):
        return Unreachable(f"no connection: {type(cause).__name__}")
    if isinstance(cause, httpx.HTTPError):
        return Ambiguous(f"no answer: {type(cause).__name__}")
    found = next((made for kind, made in LIBRARY.items() if isinstance(error, kind)), Ambiguous)
    return found(f"python-telegram-bot raised {type(error).__name__}")


def _answered(answer: Answered) -> AdapterError:
    if moved := answer.parameters.get("migrate_to_chat_id"):
        return Moved(chat_place(int(moved)).ref)
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        seconds = answer.parameters.get("retry_after")
        return RetryAfter(
            float(seconds) if isinstance(seconds, int | float) and seconds > 0 else SILENT_RETRY_S
        )
    for meaning in MEANINGS:
        if meaning.status == answer.status and meaning.words in answer.description:
            return meaning.error(f"Telegram answered {answer.status}")
    is_unknown = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status < HTTPStatus.BAD_REQUEST
    return (Ambiguous if is_unknown else Rejected)(f"Telegram answered {answer.status}")
