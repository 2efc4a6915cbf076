"""Everything the platforms have told so far, a story a conversation; what is over is judged and forgotten."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

from tests.chaos.story import Promise, Said, Story
from tests.chaos.timeline import Moment, timeline
from tests.chaos.verdict import Freeze, Verdict, judge
from tests.platforms.seen import Injected, Page

#: Seconds that a conversation rests before it is judged for good.
REST_S = 60.0
#: Blows and faults kept for timelines.
_KEPT = 20_000
#: Violations told in full; the rest is only counted.
MOST_TOLD = 10

Key = tuple[str, str]


@dataclass(slots=True)
class Ledger:
    """Takes pages of records and blows, and comes to a verdict. Times are the wall clock's."""

    promises: dict[str, Promise]
    tell: Callable[[str], None]
    #: Every blow, a line each, for whoever looks closer.
    log: TextIO
    verdict: Verdict = field(default_factory=Verdict)
    blows: deque[Moment] = field(default_factory=lambda: deque(maxlen=_KEPT))
    freezes: deque[Freeze] = field(default_factory=lambda: deque(maxlen=_KEPT))
    #: When anything visible last changed.
    changed_at: float = 0.0
    #: Mentions for which something is still due, as far as the platforms have told.
    open: int = 0
    #: Changes in conversations that had been judged.
    late: int = 0
    _stories: dict[Key, Story] = field(default_factory=dict)
    _unsettled: dict[Key, list[Said]] = field(default_factory=dict)
    #: Mentions that were said and that no page has told of yet.
    _unread: dict[Key, set[str]] = field(default_factory=dict)
    #: Conversations in which nothing more will be said, with when they last changed.
    _over: dict[Key, float] = field(default_factory=dict)
    _judged: set[Key] = field(default_factory=set)
    _faults: deque[Injected] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def take(self, platform: str, page: Page) -> None:
        """Take a page of a platform's record."""
        touched: set[Key] = set()
        for mention in page.mentions:
            key = (platform, mention.conversation)
            if key not in self._judged:
                self._story(key).add_mention(mention)
                self._unread.get(key, set()).discard(mention.id)
                touched.add(key)
        for message in page.messages:
            key = (platform, message.conversation)
            if key in self._judged:
                self.late += 1
                self.tell(f"late: {message.id} changed in {message.conversation}, which was over")
                continue
            self._story(key).add_message(message)
            touched.add(key)
        if page.messages or page.mentions:
            self.changed_at = time.time()
        self._faults.extend(page.faults)
        for key in touched:
            self.open -= len(self._unsettled.get(key, ()))
            self._unsettled[key] = self._stories[key].unsettled()
            self.open += len(self._unsettled[key])
            if key in self._over:
                self._over[key] = time.time()

    def open_in(self, platform: str, conversation: str) -> int:
        """Count what is still due in a conversation, as far as its platform has told."""
        key = (platform, conversation)
        return len(self._unsettled.get(key, ())) + len(self._unread.get(key, ()))

    def said(self, platform: str, conversation: str, mention: str) -> None:
        """Hear what was said before the platform tells of it."""
        key = (platform, conversation)
        story = self._stories.get(key)
        if story is None or not story.knows(mention):
            self._unread.setdefault(key, set()).add(mention)

    def over(self, platform: str, conversation: str) -> None:
        """Hear that nothing more will be said in a conversation."""
        self._over[platform, conversation] = time.time()

    def struck(self, what: str) -> None:
        """Write a blow down, now."""
        moment = Moment(at=time.time(), what=what)
        self.blows.append(moment)
        self.log.write(f"{moment.line()}\n")
        self.log.flush()

    def forget(self) -> None:
        """Judge and forget the conversations that are over and have rested."""
        now = time.time()
        for key in [
            key for key, at in self._over.items() if now - at > REST_S and not self._unsettled.get(key)
        ]:
            self._judge(key)

    def judge_all(self) -> Verdict:
        """Judge whatever is left."""
        for key in [*self._stories]:
            self._judge(key)
        return self.verdict

    def _judge(self, key: Key) -> None:
        story = self._stories.pop(key)
        self.open -= len(self._unsettled.pop(key, ()))
        self._unread.pop(key, None)
        self._over.pop(key, None)
        self._judged.add(key)
        found = judge(story, [*self.freezes])
        for number, violation in enumerate(found.violations, len(self.verdict.violations)):
            if number < MOST_TOLD:
                self.tell("\n".join(timeline(violation, story, self._faults, self.blows)))
        # Only a few are kept whole: a million broken promises must fit too.
        kept = (*self.verdict.violations, *found.violations)[: MOST_TOLD * 10]
        self.verdict = Verdict(counts=self.verdict.counts + found.counts, violations=kept)

    def _story(self, key: Key) -> Story:
        if key not in self._stories:
            platform, conversation = key
            self._stories[key] = Story(platform, self.promises[platform], conversation)
        return self._stories[key]
