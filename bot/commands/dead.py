"""`aside dead`: what was given up, why, and what shall become of it."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from bot.clock import SystemClock
from bot.commands.actions import add_action, run_action
from bot.commands.asking import agrees
from bot.commands.base import Command
from bot.commands.dead_view import causes, counted, page, table
from bot.commands.durations import duration
from bot.errors import SettingsError
from bot.settings import Settings
from bot.turns.dead_letters import DeadLetter, Requeued, Which

if TYPE_CHECKING:
    # At run time it comes with the database, which `aside --help` does without.
    from bot.turns.journal.dead import DeadLetters

#: Letters read at a time.
_PAGE = 500


def _add_arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = add_action(actions, "list", _list, "show what was given up, oldest first")
    listing.add_argument("--limit", type=int, default=50, help="lines to show at most (default: 50)")
    _add_filters(listing)
    showing = add_action(actions, "show", _show, "show everything about one dead letter but its content")
    showing.add_argument("id", help="a turn's id, as `aside dead list` prints it")
    requeue = add_action(actions, "requeue", _requeue, "have dead letters tried once more")
    discard = add_action(actions, "discard", _discard, "take dead letters off the list; they stay unanswered")
    for changing in (requeue, discard):
        changing.add_argument("ids", nargs="*", metavar="ID", help="the letters meant")
        changing.add_argument("--all", action="store_true", help="all that there are")
        changing.add_argument("--yes", action="store_true", help="do not ask")
        _add_filters(changing)


def _add_filters(parser: ArgumentParser) -> None:
    parser.add_argument("--adapter", help="only those of one platform")
    parser.add_argument("--reason", help="only those of one cause, as the list names it")
    parser.add_argument("--chat", metavar="ID", help="only those of one chat, by its id in the list")
    parser.add_argument(
        "--older-than", metavar="SPAN", type=duration, help="only what died before, like 30m, 2h, 7d"
    )


async def _list(arguments: Namespace, settings: Settings) -> int:
    from bot.bootstrap import open_dead_letters

    which = _which(arguments)
    async with open_dead_letters(settings) as letters:
        number = await letters.count(which)
        found = await letters.listed(which, limit=max(1, arguments.limit))
    print(counted(number))
    if found:
        print(table(found, SystemClock().now()))
    if number > len(found):
        print(f"… and {number - len(found)} more: give --limit, or a filter")
    return 0


async def _show(arguments: Namespace, settings: Settings) -> int:
    from bot.bootstrap import open_dead_letters

    async with open_dead_letters(settings) as letters:
        details = await letters.details(arguments.id)
    if details is None:
        print(f"No turn {arguments.id} was ever given up: `aside dead list` shows those that were.")
        return 1
    print(page(details))
    return 0


async def _requeue(arguments: Namespace, settings: Settings) -> int:
    from bot.bootstrap import open_dead_letters, put_chats

    async with open_dead_letters(settings) as letters:
        chosen = await _chosen(letters, arguments, "Requeue")
        if not chosen:
            return _refused(arguments, chosen)
        outcomes = {
            letter: await letters.requeue(letter, deadline_s=settings.turns.deadline_s) for letter in chosen
        }
        done = [letter for letter, outcome in outcomes.items() if outcome is Requeued.DONE]
        weights = await letters.weights(letter.chat_id for letter in done)
    print(f"Requeued {counted(len(done))}.")
    if weights and not await put_chats(settings, weights):
        print("Redis cannot be reached from here: the reconciler puts them within half a minute.")
    return _left(list(outcomes.values()))


async def _discard(arguments: Namespace, settings: Settings) -> int:
    from bot.bootstrap import open_dead_letters

    async with open_dead_letters(settings) as letters:
        chosen = await _chosen(letters, arguments, "Discard")
        if not chosen:
            return _refused(arguments, chosen)
        discarded = [await letters.discard(letter) for letter in chosen]
    print(f"Discarded {counted(discarded.count(True))}.")
    return _left([Requeued.DONE if done else Requeued.CHANGED for done in discarded])


async def _chosen(letters: "DeadLetters", arguments: Namespace, verb: str) -> list[DeadLetter] | None:
    """Read what is meant, say how much that is, and ask; None where the answer is no."""
    which = _which(arguments)
    if which == Which() and not arguments.all:
        raise SettingsError(
            f"say which dead letters: their ids, --adapter, --reason, --chat, --older-than, or --all; "
            f"`aside dead list` shows them, nothing was {verb.lower()}{'d' if verb.endswith('e') else 'ed'}"
        )
    found: list[DeadLetter] = []
    while more := await letters.listed(which, limit=_PAGE, behind=found[-1] if found else None):
        found += more
    print(f"{counted(len(found))}{f': {causes(found)}' if found else ''}")
    if missing := set(which.turn_ids) - {letter.turn_id for letter in found}:
        print(f"Not on the list, or not as the filters say: {', '.join(sorted(missing))}")
    question = f"{verb} {'it' if len(found) == 1 else 'them'}?"
    if found and not arguments.yes and not await agrees(question):
        return None
    return found


def _refused(arguments: Namespace, chosen: list[DeadLetter] | None) -> int:
    if chosen is None:
        print("Nothing was changed.")
        return 1
    return 1 if arguments.ids else 0


def _left(outcomes: list[Requeued]) -> int:
    """Say what stayed as it was, and why."""
    if changed := outcomes.count(Requeued.CHANGED):
        print(f"{changed} had been handled by somebody else meanwhile.")
    if busy := outcomes.count(Requeued.BUSY):
        left = "1 was left alone because its" if busy == 1 else f"{busy} were left alone because their"
        print(f"{left} notice is being sent right now: try again in half a minute.")
    return 1 if busy else 0


def _which(arguments: Namespace) -> Which:
    older = arguments.older_than
    return Which(
        turn_ids=tuple(getattr(arguments, "ids", ())),
        adapter=arguments.adapter,
        reason=arguments.reason,
        chat_id=arguments.chat,
        died_before=SystemClock().now() - older if older is not None else None,
    )


DEAD = Command(
    name="dead",
    summary="show what was given up, have it tried once more, or take it off the list",
    run=run_action,
    add_arguments=_add_arguments,
)
