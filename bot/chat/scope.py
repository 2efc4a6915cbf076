"""What the assistant may be asked about on a platform whose policy allows no general assistant. Pure."""

from dataclasses import replace

from bot.chat.prompt import Persona


def confined(persona: Persona, scope: str) -> Persona:
    """Confine a persona to a scope, in the operator's words; none changes nothing.

    It stands before the character: where a prompt is short of room, that is cut at its end.
    """
    scope = scope.strip().rstrip(".")
    if not scope:
        return persona
    rule = f"Here you help only with this: {scope}. To anything else say kindly that you cannot help with it here."
    return replace(persona, character=f"{rule} {persona.character}".strip())
