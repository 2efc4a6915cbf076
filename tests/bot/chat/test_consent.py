"""What a chat may choose about what is seen of it, and who may choose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import ConversationKind
from bot.chat.consent import Asked, Refused, Wish, judge, read, switches_on
from bot.turns.model import Consent, ConsentChange
from tests.fixtures.remembered import a_chat

ADMIN, MEMBER, UNTOLD = True, False, None
DIRECT = ConversationKind.DIRECT


def changing(consent: Consent, messages: int = 0, hours: int = 0) -> Asked:
    return Asked(wish=Wish.CHANGE, consent=consent, messages=messages, hours=hours)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        pytest.param("/privacy", Asked(wish=Wish.SHOW), id="alone"),
        pytest.param("/privacy@assistant", Asked(wish=Wish.SHOW), id="with a name"),
        pytest.param("/privacy mentions", changing(Consent.MENTIONS), id="mentions"),
        pytest.param("/PRIVACY Quoted.", changing(Consent.QUOTED), id="quoted, loudly"),
        pytest.param("/privacy off!", changing(Consent.OFF), id="off"),
        pytest.param("/privacy recent", changing(Consent.RECENT, 20, 6), id="recent"),
        pytest.param("/privacy recent 5", changing(Consent.RECENT, 5, 6), id="recent, so many"),
        pytest.param("/privacy recent 5, 2", changing(Consent.RECENT, 5, 2), id="recent, of so many hours"),
        pytest.param("/privacy on", Asked(wish=Wish.ON), id="on"),
        pytest.param("/privacy lock", Asked(wish=Wish.LOCK), id="lock"),
        pytest.param("/privacy unlock", Asked(wish=Wish.UNLOCK), id="unlock"),
        pytest.param("/privacy please", Asked(wish=Wish.UNCLEAR), id="unknown"),
        pytest.param("/privacy recent few", Asked(wish=Wish.UNCLEAR), id="no number"),
        pytest.param("/privacy recent -5", Asked(wish=Wish.UNCLEAR), id="a negative number"),
        pytest.param("/privacy recent 1 2 3", Asked(wish=Wish.UNCLEAR), id="too many numbers"),
        pytest.param("/privacy off now", Asked(wish=Wish.UNCLEAR), id="more behind it"),
    ],
)
def test_a_wish_is_read(text: str, asked: Asked) -> None:
    assert read(text) == asked


@given(st.text(max_size=60))
def test_whatever_stands_behind_it_is_read_as_something(text: str) -> None:
    asked = read(f"/privacy {text}")
    judge(a_chat(), asked, by_admin=None)
    assert switches_on(f"/privacy {text}") == (asked.wish is Wish.ON)


RECENT = {"consent": Consent.RECENT, "recent_messages": 5, "recent_hours": 2}
LOCKED = {"consent_locked": True}


@pytest.mark.parametrize(
    ("chat", "text", "by_admin", "expected"),
    [
        pytest.param({}, "/privacy", UNTOLD, None, id="showing changes nothing"),
        pytest.param({}, "/privacy mentions", UNTOLD, None, id="as it is already"),
        pytest.param({}, "/privacy off", MEMBER, ConsentChange(consent=Consent.OFF), id="any member: off"),
        pytest.param(
            {},
            "/privacy recent 5 2",
            UNTOLD,
            ConsentChange(consent=Consent.RECENT, recent_messages=5, recent_hours=2),
            id="any member: recent",
        ),
        pytest.param(
            RECENT, "/privacy quoted", UNTOLD, ConsentChange(consent=Consent.QUOTED), id="another mode"
        ),
        pytest.param({}, "/privacy on", UNTOLD, None, id="on already"),
        pytest.param(
            {"consent": Consent.OFF},
            "/privacy on",
            UNTOLD,
            ConsentChange(consent=Consent.MENTIONS),
            id="on again, with the least",
        ),
        pytest.param({}, "/privacy recent 0", UNTOLD, Refused.NUMBERS, id="no messages"),
        pytest.param({}, "/privacy recent 51", UNTOLD, Refused.NUMBERS, id="too many messages"),
        pytest.param({}, "/privacy recent 5 49", UNTOLD, Refused.NUMBERS, id="too many hours"),
        pytest.param({}, f"/privacy recent {'9' * 5000}", UNTOLD, Refused.NUMBERS, id="a huge number"),
        pytest.param({}, "/privacy what", ADMIN, Refused.UNCLEAR, id="unknown"),
        pytest.param({}, "/privacy lock", MEMBER, Refused.ADMINS_ONLY, id="a member locks"),
        pytest.param({}, "/privacy lock", UNTOLD, Refused.ADMINS_UNTOLD, id="locks where nobody tells"),
        pytest.param(
            RECENT,
            "/privacy lock",
            ADMIN,
            ConsentChange(consent=Consent.RECENT, recent_messages=5, recent_hours=2, locked=True),
            id="an admin locks it as it is",
        ),
        pytest.param(LOCKED, "/privacy lock", ADMIN, None, id="locked already"),
        pytest.param(LOCKED, "/privacy unlock", MEMBER, Refused.ADMINS_ONLY, id="a member unlocks"),
        pytest.param(
            LOCKED, "/privacy unlock", ADMIN, ConsentChange(consent=Consent.MENTIONS), id="an admin unlocks"
        ),
        pytest.param(LOCKED, "/privacy off", MEMBER, Refused.LOCKED, id="locked for members"),
        pytest.param(LOCKED, "/privacy off", UNTOLD, Refused.LOCKED, id="locked where nobody tells"),
        pytest.param(
            LOCKED,
            "/privacy off",
            ADMIN,
            ConsentChange(consent=Consent.OFF, locked=True),
            id="an admin changes it, and it stays locked",
        ),
        pytest.param({"kind": DIRECT}, "/privacy recent", UNTOLD, Refused.DIRECT, id="direct: recent"),
        pytest.param({"kind": DIRECT}, "/privacy lock", ADMIN, Refused.DIRECT, id="direct: lock"),
        pytest.param(
            {"kind": DIRECT}, "/privacy off", UNTOLD, ConsentChange(consent=Consent.OFF), id="direct: off"
        ),
    ],
)
def test_a_wish_is_judged(chat: dict, text: str, by_admin: bool | None, expected: object) -> None:
    assert judge(a_chat(**chat), read(text), by_admin=by_admin) == expected
