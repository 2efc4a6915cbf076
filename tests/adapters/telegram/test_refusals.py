"""Every way in which Telegram, the library and the network fail has one meaning."""

import httpx
import pytest
from telegram import error as telegram

from adapters import errors
from adapters.telegram.refusals import (
    MEANINGS,
    Answered,
    Conflicted,
    NotModified,
    NotThere,
    UnknownMethod,
    meaning_of,
)


def answered(status: int, description: str = "", **parameters) -> Exception:
    return Answered(status, description, parameters)


def caused_by(cause: Exception) -> Exception:
    error = telegram.NetworkError("x")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (answered(400, "Bad Request: message is not modified: specified new"), NotModified),
        (answered(400, "Bad Request: message to edit not found"), NotThere),
        (answered(400, "Bad Request: MESSAGE_ID_INVALID"), NotThere),
        (answered(400, "Bad Request: chat not found"), errors.Gone),
        (answered(400, "Bad Request: message thread not found"), errors.Gone),
        (answered(400, "Bad Request: message is too long"), errors.Rejected),
        (answered(400, "Bad Request: query is too old and"), errors.WindowClosed),
        (answered(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-1005), errors.Moved),
        (answered(401, "Unauthorized"), errors.AuthFailed),
        (answered(403, "Forbidden: bot was blocked by the user"), errors.Gone),
        (answered(404, "Not Found"), UnknownMethod),
        (answered(409, "Conflict: terminated by other getUpdates request"), Conflicted),
        (answered(413, "Request Entity Too Large"), errors.Rejected),
        (answered(429, "Too Many Requests: retry after 7", retry_after=7), errors.RetryAfter),
        (answered(429, "Too Many Requests"), errors.RetryAfter),
        (answered(500, "Internal Server Error"), errors.Ambiguous),
        (answered(502), errors.Ambiguous),
        (answered(304), errors.Ambiguous),
        (caused_by(httpx.ConnectError("x")), errors.Unreachable),
        (caused_by(httpx.ConnectTimeout("x")), errors.Unreachable),
        (caused_by(httpx.PoolTimeout("x")), errors.Unreachable),
        (caused_by(httpx.ReadTimeout("x")), errors.Ambiguous),
        (caused_by(httpx.WriteError("x")), errors.Ambiguous),
        (caused_by(httpx.RemoteProtocolError("x")), errors.Ambiguous),
        (httpx.ReadError("x"), errors.Ambiguous),
        (telegram.TimedOut(), errors.Ambiguous),
        (telegram.InvalidToken(), errors.AuthFailed),
        (telegram.ChatMigrated(-1005), errors.Moved),
        (telegram.TelegramError("x"), errors.Ambiguous),
    ],
    ids=lambda value: None if isinstance(value, type) else f"{type(value).__name__} {value}"[:60],
)
def test_a_failure_means(error, meaning) -> None:
    assert type(meaning_of(error)) is meaning


def test_the_table_covers_everything_that_the_library_raises() -> None:
    made = {
        telegram.ChatMigrated: telegram.ChatMigrated(-5),
        telegram.PassportDecryptionError: telegram.PassportDecryptionError("x"),
        telegram.TimedOut: telegram.TimedOut(),
        telegram.InvalidToken: telegram.InvalidToken(),
    }
    kinds = [getattr(telegram, name) for name in telegram.__all__ if name != "RetryAfter"]
    assert len(kinds) > 8
    for kind in kinds:
        assert isinstance(meaning_of(made.get(kind) or kind("x")), errors.AdapterError)


def test_the_words_of_a_meaning_are_found_whatever_their_case() -> None:
    assert all(meaning.words == meaning.words.lower() for meaning in MEANINGS)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"description": 5, "parameters": []}'], ids=repr)
def test_an_answer_of_a_proxy_is_read_for_its_status(body) -> None:
    assert isinstance(meaning_of(Answered.of(502, body)), errors.Ambiguous)


def test_nothing_of_a_description_is_handed_on() -> None:
    error = answered(400, "Bad Request: can't parse entities: near 'my secret words'")
    assert "secret" not in f"{error} {error!r} {meaning_of(error)}"
