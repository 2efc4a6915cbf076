"""Who may lock a group's settings and have all of it forgotten: who made it, while they are there."""

import pytest

from adapters.webchat.parse import inbound_of
from tests.fixtures.houses import HouseKit


@pytest.fixture
def kit() -> HouseKit:
    return HouseKit()


async def test_who_made_a_group_is_its_admin_until_they_leave(kit: HouseKit) -> None:
    anna = await kit.guest("Anna")
    room, [ben] = await kit.group(anna, "Ben")
    hers, his = await kit.say(anna, room, "hers"), await kit.say(ben, room, "his")
    assert inbound_of(room, hers, None).sender_is_admin is True
    assert inbound_of(room, his, None).sender_is_admin is False
    await kit.house.leave(anna.id, room.id)
    assert inbound_of(await kit.house.room(ben.id, room.id), his, None).sender_is_admin is None


async def test_where_two_talk_nobody_is_an_admin(kit: HouseKit) -> None:
    anna = await kit.guest("Anna")
    _, [ben] = await kit.group(anna, "Ben")
    pair = await kit.house.pair(anna.id, ben.id)
    said = await kit.say(anna, pair, "hello")
    assert inbound_of(pair, said, None).sender_is_admin is None
