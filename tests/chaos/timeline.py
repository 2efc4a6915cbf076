"""A violation told so that it can be understood: the platform's events of it and the blows around it, in order."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.chaos.story import Story
from tests.chaos.verdict import Violation
from tests.platforms.seen import Injected, Message

#: How much of a text is shown.
_TEXT_CHARS = 60
#: Seconds before and after a mention's own events in which a blow may have to do with it.
_BEFORE_S, _AFTER_S = 1.0, 3.0
_MOST_LINES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that happened, by the wall clock."""

    at: float
    what: str

    def line(self) -> str:
        """Write it with its time of day."""
        return (
            f"{time.strftime('%H:%M:%S', time.localtime(self.at))}.{int(self.at % 1 * 1000):03d} {self.what}"
        )


def timeline(
    violation: Violation, story: Story, faults: Iterable[Injected], blows: Iterable[Moment]
) -> list[str]:
    """Tell a violation, a line a moment."""
    own = sorted(_own(violation, story), key=lambda moment: moment.at)
    head = f"{violation.breach} on {violation.platform} ({story.promise}) in {violation.conversation}: {violation.why}"
    if not own:
        return [head]
    begin, end = own[0].at - _BEFORE_S, own[-1].at + _AFTER_S
    around = [
        Moment(at=fault.at, what=f"  platform: {fault.fault} on {fault.endpoint} {fault.operation}")
        for fault in faults
        if fault.conversation == violation.conversation
    ]
    around += [Moment(at=blow.at, what=f"  !! {blow.what}") for blow in blows]
    moments = [*own, *(moment for moment in around if begin <= moment.at <= end)]
    lines = [each.line() for each in sorted(moments, key=lambda moment: moment.at)]
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES // 2], "…", *lines[-_MOST_LINES // 2 :]]
    return [head, *lines]


def _own(violation: Violation, story: Story) -> Iterator[Moment]:
    concerned = [said for said in story.mentions if said.asked.number in violation.numbers]
    for said in concerned:
        mention = said.mention
        yield Moment(
            at=mention.said_at, what=f"m{said.asked.number} said by {mention.sender} as {mention.id}"
        )
        if mention.acked_at is not None:
            what = f"m{said.asked.number} acknowledged: {mention.outcome}, tries {list(mention.statuses)}"
            yield Moment(at=mention.acked_at, what=what)
    ids = {said.mention.id for said in concerned}
    for shown in story.messages:
        if shown.message.reply_to in ids or any(
            mark.number in violation.numbers for mark in shown.first_seen
        ):
            yield from _shown(shown.message)


def _shown(message: Message) -> Iterator[Moment]:
    for number, version in enumerate(message.versions):
        done = "edited" if number else f"posted (reply to {message.reply_to})"
        label = " [may be a duplicate]" if message.may_be_duplicate and not number else ""
        text = version.text[:_TEXT_CHARS].replace("\n", " ")
        if len(version.text) > _TEXT_CHARS:
            text += f"… {version.text[-20:]}"
        what = f"{message.id} {done}{label} as {version.purpose} {version.operation}: {text}"
        yield Moment(at=version.at, what=what)
    if message.deleted_at is not None:
        yield Moment(at=message.deleted_at, what=f"{message.id} deleted")
