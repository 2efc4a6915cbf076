"""A platform's scope stands in the system message of its chats and changes nothing elsewhere."""

import pytest

from bot.chat.prompt import Persona, system_message
from bot.chat.scope import confined

PERSONA = Persona(name="Robin", character="You are brief.")


def test_a_scope_stands_before_the_character():
    message = system_message(confined(PERSONA, " orders and deliveries. "))
    rule = message.index("only with this: orders and deliveries.")
    assert rule < message.index("You are brief.")


@pytest.mark.parametrize("scope", ["", "  ", "."])
def test_no_scope_changes_nothing(scope):
    assert confined(PERSONA, scope) is PERSONA
