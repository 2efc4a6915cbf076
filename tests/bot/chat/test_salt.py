"""Salts separate chats, and say nothing about them."""

import re

from bot.chat.salt import cache_salt

KEY, OTHER = b"k" * 32, b"o" * 32


def test_a_salt_is_short_hex_and_stable():
    assert re.fullmatch(r"[0-9a-f]{32}", cache_salt(KEY, "chat"))
    assert cache_salt(KEY, "chat") == cache_salt(KEY, "chat")


def test_chats_and_keys_differ():
    assert len({cache_salt(key, scope) for key in (KEY, OTHER) for scope in ("a", "b")}) == 4
