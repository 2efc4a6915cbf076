"""The salt that keeps one chat's KV cache out of every other chat's reach."""

import hmac

#: Hex digits: 128 bits. Short, because a malformed or very long salt has stopped engines (CVE-2026-105756).
_DIGITS = 32


def cache_salt(key: bytes, scope: str) -> str:
    """Return the `cache_salt` of a chat, or of whatever shares a cache, under the `Subkey.CACHE_SALT` key."""
    return hmac.digest(key, scope.encode(), "sha256").hex()[:_DIGITS]
