"""Where more is asked than is answered at a time, the page says how far back in the line a question stands."""

import pytest
from playwright.async_api import Locator, expect

from adapters.base import Outcome
from bot.turns.acceptance import Caps
from tests.browser.visitor import Browsers, Visitor, in_group
from tests.browser.world import ASSISTANT, World

SLOTS = Caps().slots


@pytest.fixture
def engine() -> None:
    """Nobody answers: what is asked keeps its place."""


async def _others_ask(world: World, number: int) -> None:
    """Have so many questions wait, each in a chat of its own."""
    for each in range(number):
        asked = world.rig.inbound("Are you there?", conversation=f"elsewhere-{each}")
        receipt = await world.rig.intake.accept(asked)
        assert receipt.outcome is Outcome.ACCEPTED


def _places(person: Visitor) -> Locator:
    return person.live.locator(".status-text")


@pytest.mark.parametrize(
    ("waiting", "words"),
    [(SLOTS - 1, "Thinking"), (SLOTS, "Next in line"), (SLOTS + 2, "In line, 2 ahead")],
)
async def test_a_question_is_told_its_place(
    browsers: Browsers, world: World, waiting: int, words: str
) -> None:
    """As long as an answer can begin at once, there is no line to speak of."""
    await _others_ask(world, waiting)
    ann = await browsers.visitor()
    await ann.is_in("Ann")
    await ann.say(f"@{ASSISTANT} please count")
    await expect(_places(ann)).to_have_text(words)
    await expect(_places(ann)).to_be_visible()


async def test_everybody_in_a_group_sees_who_is_next(browsers: Browsers, world: World) -> None:
    """Also of the other one's question: it was asked later and stands one place behind."""
    await _others_ask(world, SLOTS)
    async with in_group(browsers, "Ann", "Ben") as (ann, ben):
        await ann.say(f"@{ASSISTANT} please count")
        await expect(_places(ben)).to_have_text("Next in line")
        await ben.say(f"@{ASSISTANT} and backwards?")
        for person in (ann, ben):
            await expect(_places(person)).to_have_text(["Next in line", "In line, 1 ahead"])
