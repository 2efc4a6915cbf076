"""The salt that keeps one chat's KV cache out of every other chat's reach."""

import hmac
from dataclasses import dataclass, field
from enum import StrEnum

from bot.turns.model import Chat

#: Hex digits: 128 bits. Short, because a malformed or very long salt has stopped engines (CVE-2026-105756).
_DIGITS = 32


class SaltScope(StrEnum):
    """Who shares what the engine has computed."""

    #: Nobody: each chat pays for the rules at its front once, and nothing of it can be guessed by its timing.
    CHAT = "chat"
    #: All chats of the organisation: the rules are computed once, and members could measure what others sent; also
    #: what was forgotten since, until the engine has overwritten it or is restarted. Nobody can read it there.
    ORGANISATION = "organisation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Salts:
    """Makes the salts of a deployment's chats."""

    #: The key ring's `Subkey.CACHE_SALT`.
    key: bytes = field(repr=False)
    scope: SaltScope = SaltScope.CHAT
    organisation: str = "default"

    def of(self, chat: Chat) -> str:
        """Return a chat's `cache_salt`; where each chat has its own, forgetting (`salt_epoch`) changes it."""
        if self.scope is SaltScope.ORGANISATION:
            return cache_salt(self.key, f"organisation {self.organisation}")
        return cache_salt(self.key, f"chat {chat.salt_epoch} {chat.id}")


def cache_salt(key: bytes, scope: str) -> str:
    """Return the `cache_salt` of whatever shares a cache, under the `Subkey.CACHE_SALT` key."""
    return hmac.digest(key, scope.encode(), "sha256").hex()[:_DIGITS]
