"""What people are told where a limit is reached: which one it is, and when to ask again. Pure."""

from bot.turns.acceptance import Cap
from bot.turns.spoken_time import again


def limit_text(cap: Cap, ask_again_s: float | None, *, count: int = 0, window: str = "") -> str:
    """Say that a limit was reached; `count` messages in a `window` (`hour`, `day`) for a quota."""
    when = again(ask_again_s)
    match cap:
        case Cap.CHAT:
            return f"I have as many questions waiting here as I can keep. Please ask again {when}."
        case Cap.PERSON:
            return (
                "You have as many questions waiting with me as I can keep for one person. I will get to those"
                f" first: please ask this one again {when}."
            )
        case Cap.TOTAL | Cap.LINE:
            return f"More people are asking than I can answer in time just now. Please ask again {when}."
        case Cap.CHAT_QUOTA:
            return f"I may take {_messages(count)} from this chat in one {window}. Please ask again {when}."
        case Cap.PERSON_QUOTA:
            return f"I may take {_messages(count)} from one person in one {window}. Please ask again {when}."


def _messages(count: int) -> str:
    return "one message" if count == 1 else f"{count} messages"
