"""Salts separate chats, and say nothing about them."""

import re
from dataclasses import replace
from itertools import product

import pytest

from bot.chat.salt import Salts, SaltScope, cache_salt
from bot.turns.model import Chat
from tests.fixtures.remembered import a_chat

KEY, OTHER = b"k" * 32, b"o" * 32
PER_CHAT = Salts(key=KEY)
PER_ORGANISATION = Salts(key=KEY, scope=SaltScope.ORGANISATION)
ANN, BOB = a_chat(id="ann"), a_chat(id="bob")


def test_a_salt_is_short_hex_and_stable() -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", cache_salt(KEY, "chat"))
    assert cache_salt(KEY, "chat") == cache_salt(KEY, "chat")


def test_scopes_and_keys_differ() -> None:
    assert len({cache_salt(key, scope) for key in (KEY, OTHER) for scope in ("a", "b")}) == 4


@pytest.mark.parametrize(
    ("salts", "one", "another", "same"),
    [
        pytest.param(PER_CHAT, ANN, BOB, False, id="chats-share-nothing"),
        pytest.param(
            PER_CHAT, ANN, replace(ANN, context_version=9, context_from=7), True, id="context-moves"
        ),
        pytest.param(PER_CHAT, ANN, replace(ANN, key=b"rewrapped"), True, id="key-is-rewrapped"),
        pytest.param(PER_CHAT, ANN, replace(ANN, salt_epoch=1), False, id="forgetting-changes-it"),
        pytest.param(PER_ORGANISATION, ANN, BOB, True, id="an-organisation-shares"),
    ],
)
def test_who_shares_a_cache(salts: Salts, one: Chat, another: Chat, same: bool) -> None:
    assert (salts.of(one) == salts.of(another)) is same


def test_organisations_share_nothing() -> None:
    assert PER_ORGANISATION.of(ANN) != replace(PER_ORGANISATION, organisation="another").of(ANN)


def test_an_epoch_and_an_id_are_never_mistaken_for_each_other() -> None:
    pairs = list(product((1, 11), ("ann", "1ann", "1 ann", " ann")))
    assert len({PER_CHAT.of(a_chat(id=name, salt_epoch=epoch)) for epoch, name in pairs}) == len(pairs)


def test_the_key_is_not_shown() -> None:
    assert repr(KEY) not in repr(PER_CHAT)
