"""Finds what crossed from one chat to another, or stands where no words may: pure, over the evidence."""

from collections import defaultdict
from collections.abc import Iterator

from engine.base import ChatRequest, Role
from tests.isolation.canaries import UNHEARD, canaries_in, chats_in, clear_in
from tests.isolation.evidence import Evidence

_SUMMARY = "summary"


def crossings(evidence: Evidence) -> list[str]:
    """Say everything that is where it may not be; empty where all is well."""
    return [
        *_in_prompts(evidence),
        *_in_salts(evidence),
        *_in_replies(evidence),
        *_in_the_clear(evidence),
        *_unheard(evidence),
    ]


def asked_for(evidence: Evidence, request: ChatRequest) -> int:
    """Tell for which chat a request was made, by the core's own ids."""
    first, second, *_ = request.request_id.split("-")
    return evidence.chat_of[second] if first == _SUMMARY else evidence.turn_of[first]


def _in_prompts(evidence: Evidence) -> Iterator[str]:
    for request in evidence.requests:
        chat = asked_for(evidence, request)
        for message in request.messages:
            if others := chats_in(message.content) - {chat}:
                yield f"a prompt of chat {chat} holds words of {sorted(others)}"
            if message.role is Role.SYSTEM and chats_in(message.content):
                yield f"a system message of chat {chat} holds words of a person"
        if chats_in(request.request_id + str(request.cache_salt)):
            yield f"a request of chat {chat} is named with a person's words"


def _in_salts(evidence: Evidence) -> Iterator[str]:
    chats, salts = defaultdict[str | None, set[int]](set), defaultdict[int, set[str | None]](set)
    for request in evidence.requests:
        chat = asked_for(evidence, request)
        chats[request.cache_salt].add(chat)
        salts[chat].add(request.cache_salt)
    yield from (f"the salt {salt} is of chats {sorted(of)}" for salt, of in chats.items() if len(of) > 1)
    yield from (f"chat {chat} has {len(of)} salts" for chat, of in salts.items() if len(of) > 1)


def _in_replies(evidence: Evidence) -> Iterator[str]:
    for chat, texts in evidence.shown.items():
        if others := chats_in(" ".join(texts)) - {chat}:
            yield f"people in chat {chat} see words of {sorted(others)}"


def _in_the_clear(evidence: Evidence) -> Iterator[str]:
    for surface, contents in evidence.wordless.items():
        if found := clear_in(contents):
            yield f"{surface}: {len(found)} canaries stand there, {min(found).decode()} for one"


def _unheard(evidence: Evidence) -> Iterator[str]:
    """Find what nobody was allowed to hear."""
    for request in evidence.requests:
        for message in request.messages:
            yield from (
                f"{word} was said to nobody, and a prompt holds it"
                for word in canaries_in(message.content)
                if word[-2] == UNHEARD
            )
