"""The guest's cookie: ours, whole, and not for ever."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.webchat.cookie import MAX_AGE_S, GuestCookie
from adapters.webchat.ids import is_person_id, new_person_id

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
OURS = GuestCookie(b"k" * 32)
PERSON = "p" + "A" * 22


def test_our_cookie_names_the_person():
    for person in (new_person_id() for _ in range(50)):
        assert OURS.person(OURS.value(person, NOW), NOW) == person


def test_a_cookie_of_another_secret_is_nobodys():
    assert OURS.person(GuestCookie(b"x" * 32).value(PERSON, NOW), NOW) is None


@pytest.mark.parametrize(("age_s", "is_known"), [(0, True), (MAX_AGE_S - 1, True), (MAX_AGE_S, False)])
def test_a_cookie_is_good_for_a_year(age_s, is_known):
    later = NOW + timedelta(seconds=age_s)
    assert (OURS.person(OURS.value(PERSON, NOW), later) == PERSON) is is_known


@given(st.integers(0, 200), st.characters(codec="ascii", categories=["L", "N", "P"]))
def test_a_cookie_with_any_character_changed_is_nobodys(place, character):
    value = OURS.value(PERSON, NOW)
    place %= len(value)
    forged = value[:place] + character + value[place + 1 :]
    if forged != value:
        assert OURS.person(forged, NOW) is None


@given(st.text(max_size=300))
def test_anything_else_is_nobodys(value):
    assert OURS.person(value, NOW) is None


def test_who_is_signed_on_elsewhere_gets_an_id_of_ours_that_stays():
    person = OURS.person_of("ann@example.org")
    assert is_person_id(person)
    assert person == OURS.person_of("ann@example.org")
    assert person != OURS.person_of("bob@example.org")
    assert person != GuestCookie(b"x" * 32).person_of("ann@example.org")
