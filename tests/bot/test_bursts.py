"""Which messages have a rest, and whose message is one: pure, on a clock that a test moves."""

import pytest

from adapters.base import Capabilities, TextUnit
from bot.ingress.bursts import WAIT_S, Bursts
from tests.fixtures.clocks import ManualClock
from tests.fixtures.workplace import said

LIMIT = 1000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def bursts(clock: ManualClock) -> Bursts:
    allowed = Capabilities(text_limit=4000, text_unit=TextUnit.UTF16, client_splits_at=LIMIT)
    return Bursts({"terminal": lambda _: allowed}, clock.monotonic)


@pytest.mark.parametrize(
    ("message", "waits"),
    [
        pytest.param(said("x" * 949), False, id="well below the limit"),
        pytest.param(said("x" * 950), True, id="near the limit"),
        pytest.param(said("x" * LIMIT), True, id="at the limit"),
        pytest.param(said("\U0001f600" * 475), True, id="near in the client's own unit"),
        pytest.param(said("x" * LIMIT, adapter="another"), False, id="of a platform that cuts nothing"),
        pytest.param(said("a picture", group_key="album"), True, id="of an album"),
    ],
)
def test_only_albums_and_texts_near_the_limit_wait(bursts: Bursts, message, waits: bool) -> None:
    assert bursts.hold_back_s(message) == (WAIT_S if waits else 0.0)


def test_a_platform_whose_clients_never_cut_waits_for_nothing(clock: ManualClock) -> None:
    bursts = Bursts({"terminal": lambda _: Capabilities(text_limit=4000)}, clock.monotonic)
    assert bursts.hold_back_s(said("x" * 5000)) == 0.0


@pytest.mark.parametrize(
    ("message", "is_rest"),
    [
        pytest.param(said("the end"), True, id="the same person's"),
        pytest.param(said("the end", person="bob"), False, id="another person's"),
        pytest.param(said("the end", room="elsewhere"), False, id="in another chat"),
        pytest.param(said("the end", account="other"), False, id="to another account"),
        pytest.param(said("a picture", group_key="album"), False, id="a picture of an album"),
    ],
)
def test_whose_message_is_the_rest(bursts: Bursts, message, is_rest: bool) -> None:
    bursts.hold_back_s(said("x" * LIMIT))
    assert bursts.is_rest(message) is is_rest


def test_the_rest_of_an_album_carries_its_key(bursts: Bursts) -> None:
    bursts.hold_back_s(said("a picture", group_key="one"))
    assert bursts.is_rest(said("", group_key="one"))
    assert not bursts.is_rest(said("", group_key="two"))
    assert not bursts.is_rest(said("by the way"))


def test_what_was_refused_has_no_rest(bursts: Bursts) -> None:
    bursts.hold_back_s(said("x" * LIMIT))
    bursts.refused(said("x" * LIMIT))
    assert not bursts.is_rest(said("the end"))


def test_after_a_moment_nothing_is_the_rest(bursts: Bursts, clock: ManualClock) -> None:
    bursts.hold_back_s(said("x" * LIMIT))
    clock.advance(WAIT_S)
    assert not bursts.is_rest(said("the end"))


def test_a_third_piece_is_expected_behind_a_second_one(bursts: Bursts, clock: ManualClock) -> None:
    bursts.hold_back_s(said("x" * LIMIT, person="bob"))
    bursts.hold_back_s(said("x" * LIMIT))
    clock.advance(WAIT_S / 2)
    bursts.hold_back_s(said("y" * LIMIT))
    clock.advance(WAIT_S / 2)
    assert bursts.is_rest(said("the end"))
    assert not bursts.is_rest(said("the end", person="bob"))
