"""What the assistant says of what it is to remember. Pure."""

from collections.abc import Sequence

from bot.turns.model import Memory

HOW = (
    "Write what I am to remember behind `/remember`: for example `/remember Eve is allergic to nuts`. "
    "`/memories` shows what I remember here."
)
NOTHING_IS_KEPT = (
    "In this chat nothing is kept beyond my answer, so I cannot remember that. "
    "The people who run me set for how long words are kept (`retention.days`)."
)
UNCLEAR = (
    "`/memories` shows what I remember in this chat, each with its number. `/memories delete 3` deletes number 3, "
    "`/memories delete all` everything. Nothing was changed."
)
ADMINS_ONLY = (
    "Only an admin of this group can delete everything that I remember here. `/memories delete 3` deletes number 3, "
    "and `/forget me` what you asked me to remember. Nothing was changed."
)
_NOTHING = (
    "I remember nothing in this chat beyond the conversation. Write `/remember` and what I am to remember, "
    'or "remember that ...".'
)
_LOST = "*(damaged: it cannot be read any more)*"


def remembered(memory: Memory, *, in_group: bool) -> str:
    """Confirm what will be remembered, until when, and for whom."""
    here = "In this group" if in_group else "In this chat"
    return (
        f"{here} I will remember: {memory.text}\n\n"
        f"It stays until it is deleted: `/memories delete {memory.number}`. `/memories` shows all of it."
    )


def known_already(memory: Memory) -> str:
    """Say that the same person asked for the same before."""
    return f"I remember that already: it is number {memory.number} of `/memories`."


def too_long(chars: int, most: int) -> str:
    """Say that something is too long to be remembered."""
    return f"That is {chars:,} characters long, and I can remember at most {most:,} at a time. Please say it shorter."


def full(most: int) -> str:
    """Say that a chat remembers as many things as it can."""
    return (
        f"I remember {most} things in this chat already, and that is the most I can. "
        "`/memories` shows them; delete one with `/memories delete` and its number, then ask me again."
    )


def no_room(others: bool) -> str:  # noqa: FBT001 - the only thing that it says
    """Say that what would be remembered takes too much of what the model can read at once."""
    if not others:
        return "That is too long for the model I run on to keep in mind all the time. Please say it shorter."
    return (
        "Together with the rest that I remember in this chat, that is more than the model I run on can keep in mind "
        "all the time. Say it shorter, or delete something: `/memories` shows what I remember."
    )


def overview(memories: Sequence[Memory], *, in_group: bool) -> str:
    """List what a chat remembers, each under its number; in a group with who asked."""
    if not memories:
        return _NOTHING
    whose = "this group" if in_group else "this chat"
    return "\n".join(
        [
            f"What I remember in {whose}, and use in no other:",
            "",
            *(_line(one, in_group=in_group) for one in memories),
            "",
            f"`/memories delete {memories[0].number}` deletes one, `/memories delete all` everything.",
        ]
    )


def deleted(numbers: Sequence[int]) -> str:
    """Confirm that something is remembered no more, and say what is left of it."""
    what = f"number {numbers[0]}" if len(numbers) == 1 else f"numbers {', '.join(map(str, numbers))}"
    return (
        f"Done: I no longer remember {what}. What was said about it in the conversation stays like everything else "
        "said here: `/reset` makes me use nothing of that, `/forget me` deletes what you said."
    )


def missing(numbers: Sequence[int]) -> str:
    """Say that there is nothing of a number; the rest that was named with it stays, too."""
    what = " or ".join(map(str, numbers))
    return (
        f"I remember nothing here under number {what}: `/memories` shows what there is. Nothing was changed."
    )


def _line(memory: Memory, *, in_group: bool) -> str:
    if memory.text is None:
        return f"- **{memory.number}** {_LOST}"
    who = f" ({memory.sender_name})" if in_group else ""
    return f"- **{memory.number}** {memory.text}{who}"
