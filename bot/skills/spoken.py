"""Skills that answer with our own words, without the engine."""

from collections.abc import Callable

from bot.turns.live_reply import LiveReply
from bot.turns.model import Reply, Turn
from bot.turns.stopping import Stop


class Spoken:
    """Answers with a sentence made from the turn alone; kept out of the chat's context."""

    def __init__(self, words: Callable[[Turn], str], *, resets_context: bool = False) -> None:
        self._words = words
        self._resets_context = resets_context

    async def reply(self, turn: Turn, live: LiveReply, stop: Stop) -> Reply:
        """Say it."""
        return Reply(text=self._words(turn), parts=(), prompt=None, resets_context=self._resets_context)


def help_words(name: str, *, embedded: bool) -> Callable[[Turn], str]:
    """Make the answer to `/help`: what it can do, how to address it, what it keeps."""

    def words(turn: Turn) -> str:
        lines = [
            f"I am {name}, an AI assistant. Ask me to translate, summarise or draft something.",
            "",
            f"- In a group, write `@{name}` anywhere in your message, or reply to one of my messages.",
            "- In a direct chat, just write.",
            "- `/stop` stops what I am doing, `/reset` makes me use nothing of what was said so far.",
            "",
            "To have me keep something in mind:",
            '- `/remember` and what it is, or "remember that ...".',
            "- `/memories` shows what I remember here, each with a number to delete it by.",
            "",
            "Your privacy:",
            "- `/privacy` tells what I see and keep here, and changes it.",
            "- `/forget me` deletes what you said to me. In a direct chat, `/export` shows what I keep of you.",
        ]
        if embedded:
            lines += ["", EMBEDDED_NOTE]
        return "\n".join(lines)

    return words


#: Said wherever a person meets the embedded model.
EMBEDDED_NOTE = (
    "Note: I am running on the small embedded model. It shows that everything works; "
    "its answers are often wrong."
)


def reset_words(turn: Turn) -> str:
    """Confirm that the context begins anew."""
    return (
        "Done: I no longer use anything said here before this message. "
        "What you asked me to remember stays: `/memories` shows and deletes it."
    )


def greet_words(name: str) -> Callable[[Turn], str]:
    """Answer somebody who called and said nothing."""

    def words(turn: Turn) -> str:
        return f"Yes? Write your question after `@{name}`, or `/help` to see what I can do."

    return words
