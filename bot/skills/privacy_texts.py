"""What the assistant says of what it sees and keeps: each sentence true to what happens. Pure."""

from adapters.base import ConversationKind
from bot.chat.consent import MOST_HOURS, MOST_MESSAGES, USUAL_HOURS, USUAL_MESSAGES, Refused
from bot.turns.model import Chat, Consent


def introduction(name: str, chat: Chat, days: int, *, shows: bool = False) -> str:
    """Say once in a chat what this is, what it sees here and what it keeps."""
    return (
        f"I am {name}, an AI assistant, and can be wrong. {_sees_in_short(chat)} {keeps(days, shows=shows)}"
        " `/privacy` says more and changes it."
    )


def overview(chat: Chat, days: int, *, shows: bool = False) -> str:
    """Answer `/privacy`: how it is here, and what can be chosen."""
    lines = [f"Privacy in this chat: {_mode(chat)}", "", sees(chat), "", keeps(days, shows=shows)]
    lines += [_FORGETTING, "", *_choices(chat)]
    return "\n".join(lines)


def changed(chat: Chat, days: int, *, shows: bool = False) -> str:
    """Confirm a change to everybody in the chat; `chat` is as it is now."""
    if chat.consent is Consent.OFF:
        return (
            "Switched off: in this chat I now ignore everything and keep nothing of it."
            f" `/privacy on` switches me on again{_who(chat)}."
        )
    return f"Changed. Privacy in this chat is now {_mode(chat)}\n\n{sees(chat)}\n\n{keeps(days, shows=shows)}"


def unchanged(chat: Chat) -> str:
    """Say that everything is as it was wished already."""
    return f"It is like that already. Privacy in this chat: {_mode(chat)}"


def refusal(why: Refused, *, admins_told: bool) -> str:
    """Say why a wish was not carried out, and what can be done."""
    match why:
        case Refused.UNCLEAR:
            return (
                "I do not know that setting. There are `/privacy mentions`, `/privacy quoted`, `/privacy recent`"
                " (with a number of messages and of hours, if you like), `/privacy off`, `/privacy on`,"
                " `/privacy lock` and `/privacy unlock`; `/privacy` alone explains them."
            )
        case Refused.NUMBERS:
            return (
                f"I can remember 1 to {MOST_MESSAGES} messages for 1 to {MOST_HOURS} hours:"
                f" for example `/privacy recent {USUAL_MESSAGES} {USUAL_HOURS}`. Nothing was changed."
            )
        case Refused.LOCKED:
            return (
                "The admins of this group have locked its privacy settings, so only they can change them"
                + (
                    "."
                    if admins_told
                    else ", and I am not told here who they are. Ask the people who run me."
                )
            )
        case Refused.ADMINS_ONLY:
            return "Only admins of this group can lock or unlock its privacy settings. Nothing was changed."
        case Refused.ADMINS_UNTOLD:
            return (
                "I am not told who the admins of this chat are, so its privacy settings cannot be locked here."
                " Any member can change them."
            )
        case Refused.DIRECT:
            return (
                "This is a direct chat: everything you write here is written to me, so there is nothing else to"
                " see and nobody to lock out. `/privacy off` makes me ignore it, `/privacy on` ends that."
            )


def quote_hidden(chat: Chat) -> str:
    """Say to somebody who asked about a message that it is not seen here, and what can be done."""
    who = "An admin" if chat.consent_locked else "Anybody here"
    return (
        "I do not see the message you replied to: in this group I see only what is addressed to me."
        f" {who} can change that with `/privacy quoted`, or you copy the text into your message."
    )


def sees(chat: Chat) -> str:
    """Say which messages are seen, in whole sentences."""
    if chat.consent is Consent.OFF:
        is_direct = chat.kind is ConversationKind.DIRECT
        heeded = "`/privacy on`, `/forget` and `/export`" if is_direct else "`/privacy on` and `/forget`"
        return f"I see nothing here: everything but {heeded} is ignored, and nothing of it is kept."
    if chat.kind is ConversationKind.DIRECT:
        return "I see what you write to me here, and nothing of your other chats."
    match chat.consent:
        case Consent.RECENT:
            return (
                "I see messages that address me, the messages they reply to, and the last"
                f" {_counted(chat.recent_messages, 'other message')} of the last"
                f" {_counted(chat.recent_hours, 'hour')}. Those are kept encrypted and in passing only, until"
                " somebody addresses me; what I read then becomes part of that question, and is kept like it."
            )
        case Consent.QUOTED:
            return (
                "I see messages that address me, and the messages they reply to. Of other messages I neither see"
                " nor keep anything."
            )
        case _:
            return (
                "I see messages that address me. Of other messages I neither see nor keep anything, also not"
                " where somebody replies to one, unless it is mine or that person's own."
            )


def keeps(days: int, *, shows: bool = False) -> str:
    """Say what is kept, and for how long; `shows` is that this deployment itself shows the chat's messages."""
    kept = "What I see and what I answer is kept encrypted on your organisation's own servers,"
    if days <= 0:
        seen = " The messages themselves can be read here for another day." if shows else ""
        return f"{kept} only until I have answered.{seen}"
    return f"{kept} for {_counted(days, 'day')}; what I am asked to remember, until it is deleted."


#: Instead of a reply, for what was still on its way when the chat switched the assistant off.
SWITCHED_OFF = "I am switched off in this chat. `/privacy on` switches me on again."
_FORGETTING = (
    "`/reset` makes me use nothing of what was said so far. `/memories` shows what I was asked to remember, and deletes"
    " it. `/forget me` deletes what you said and asked for, `/forget chat` everything. In a direct chat, `/export`"
    " shows what I keep of you."
)


def _choices(chat: Chat) -> list[str]:
    if chat.kind is ConversationKind.DIRECT:
        return ["`/privacy off` makes me ignore this chat, `/privacy on` ends that."]
    return [
        f"To change it{_who(chat)}:",
        "- `/privacy mentions`: I see only messages that address me.",
        "- `/privacy quoted`: I also see the messages they reply to.",
        (
            f"- `/privacy recent {USUAL_MESSAGES} {USUAL_HOURS}`: I also see the last {USUAL_MESSAGES} messages of"
            f" the last {USUAL_HOURS} hours when somebody addresses me (at most {MOST_MESSAGES} of {MOST_HOURS})."
        ),
        "- `/privacy off`: I ignore this chat, until somebody writes `/privacy on`.",
        "- `/privacy lock`, `/privacy unlock`: only admins, or any member, may change this.",
    ]


def _sees_in_short(chat: Chat) -> str:
    if chat.kind is ConversationKind.DIRECT:
        return "I see what you write to me here."
    match chat.consent:
        case Consent.OFF:
            return "I ignore this group."
        case Consent.RECENT:
            return "In this group I see messages that address me and the last few before them."
        case Consent.QUOTED:
            return "In this group I see only messages that address me, and those they reply to."
        case _:
            return "In this group I see only messages that address me."


def _mode(chat: Chat) -> str:
    numbers = ""
    if chat.consent is Consent.RECENT:
        numbers = f" {chat.recent_messages} {chat.recent_hours}"
    shown = f"`{chat.consent.value}{numbers}`"
    if chat.kind is ConversationKind.DIRECT and chat.consent is not Consent.OFF:
        shown = "on"
    return f"{shown}, locked by its admins." if chat.consent_locked else f"{shown}."


def _who(chat: Chat) -> str:
    return " (only admins may)" if chat.consent_locked else ""


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
