"""The verdict finds every broken promise, and finds none where all were kept."""

import random
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chaos.story import LABEL, Promise, Story
from tests.chaos.timeline import Moment, timeline
from tests.chaos.verdict import Breach, Verdict, judge, misuse
from tests.chaos.words import Asked
from tests.platforms.seen import Mention, Message, Version

ROOM = "room"
FAILED = "I tried several times and could not answer this, sorry."


@dataclass
class Platform:
    """Writes a record as an honest platform and an honest assistant would."""

    promise: Promise = Promise.KEYED
    seq: int = 0
    mentions: list[Mention] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)

    def next(self) -> int:
        self.seq += 1
        return self.seq

    def say(
        self, number: int, *, sender: str = "ann", sections: int = 1, outcome: str = "accepted"
    ) -> Mention:
        said, acked = self.next(), self.next()
        mention = Mention(
            id=f"u{number}",
            seq=acked,
            said_seq=said,
            account="main",
            conversation=ROOM,
            kind="group",
            sender=sender,
            text=Asked(number=number, sections=sections).text(),
            reply_to=None,
            said_at=float(said),
            acked_at=float(acked),
            acked_seq=acked,
            outcome=outcome,
            edited_at=None,
            withdrawn_at=None,
            statuses=(200,),
        )
        self.mentions.append(mention)
        return mention

    def show(self, *texts: str, to: Mention, purpose: str = "reply", label: bool = False) -> Message:
        """Post a message and edit it; what ends as a reply may begin as a sign."""
        name, number = f"m{len(self.messages)}", len(texts)
        if label:
            texts = tuple(f"*({LABEL})* {text}" for text in texts)
        versions = tuple(
            Version(
                seq=(seq := self.next()),
                at=float(seq),
                text=text,
                purpose=purpose if place == number - 1 else "placeholder",
                operation=f"{to.id}-0" if place == number - 1 else f"{to.id}-sign",
            )
            for place, text in enumerate(texts)
        )
        message = Message(
            id=name,
            seq=versions[-1].seq,
            operation=versions[0].operation,
            account="main",
            conversation=ROOM,
            text=texts[-1],
            purpose=versions[-1].purpose,
            reply_to=to.id,
            may_be_duplicate=label,
            posted_at=versions[0].at,
            edited_at=versions[-1].at if number > 1 else None,
            deleted_at=None,
            versions=versions,
        )
        self.messages.append(message)
        return message

    def answer(self, mention: Mention, *, live: bool = False, label: bool = False) -> Message:
        text = answer_to(mention)
        return self.show(*(["…", text[:20], text] if live else [text]), to=mention, label=label)

    def story(self) -> Story:
        story = Story("cloud", self.promise, ROOM)
        # Rows come in the order of their last change.
        for row in sorted([*self.mentions, *self.messages], key=lambda row: row.seq):
            story.add_mention(row) if isinstance(row, Mention) else story.add_message(row)
        return story

    def judged(self, *freezes: tuple[float, float]) -> Verdict:
        return judge(self.story(), freezes)


def answer_to(mention: Mention) -> str:
    number, sections = (int(part) for part in mention.text.split()[0].removeprefix("#m").split("x"))
    return Asked(number=number, sections=sections).answer()


def breaches(verdict: Verdict) -> list[Breach]:
    return [violation.breach for violation in verdict.violations]


@st.composite
def kept(draw: st.DrawFn) -> tuple[Platform, int]:
    """Draw a conversation in which every promise was kept; and how many mentions were answered."""
    platform = Platform(draw(st.sampled_from(list(Promise))))
    open_mentions: list[Mention] = []
    number = answered = 0
    for _ in range(draw(st.integers(1, 25))):
        if open_mentions and draw(st.booleans()):
            mention = open_mentions.pop(0)
            match draw(st.sampled_from(["answer", "live", "notice", "orphan"])):
                case "notice":
                    platform.show(FAILED, to=mention, purpose="notice")
                    continue
                case "orphan":
                    platform.show("…", to=mention, purpose="placeholder")
                    platform.answer(mention)
                case how:
                    platform.answer(mention, live=how == "live")
            answered += 1
        else:
            number += 1
            sections = draw(st.integers(1, 3))
            open_mentions.append(platform.say(number, sender=draw(st.sampled_from("ab")), sections=sections))
    for mention in open_mentions:
        platform.answer(mention)
    return platform, answered + len(open_mentions)


@settings(deadline=None)
@given(kept())
def test_where_every_promise_was_kept_nothing_is_found(drawn: tuple[Platform, int]) -> None:
    platform, answered = drawn
    verdict = platform.judged()
    assert verdict.holds
    assert verdict.counts.accepted == len(platform.mentions)
    assert verdict.counts.replied == answered
    assert verdict.counts.notices == len(platform.mentions) - answered


@settings(deadline=None)
@given(kept(), st.randoms(use_true_random=False))
def test_a_missing_answer_is_found(drawn: tuple[Platform, int], chance: random.Random) -> None:
    platform, _ = drawn
    final = [message for message in platform.messages if message.purpose in ("reply", "notice")]
    if not final:
        return
    gone = chance.choice(final)
    platform.messages[platform.messages.index(gone)] = replace(gone, deleted_at=1.0)
    verdict = platform.judged()
    assert breaches(verdict) == [Breach.LOST]
    assert verdict.counts.lost == 1
    assert f"u{verdict.violations[0].numbers[0]}" == gone.reply_to


@settings(deadline=None)
@given(kept(), st.randoms(use_true_random=False))
def test_a_second_answer_is_found(drawn: tuple[Platform, int], chance: random.Random) -> None:
    platform, _ = drawn
    final = [message for message in platform.messages if message.purpose in ("reply", "notice")]
    if not final:
        return
    again = chance.choice(final)
    platform.messages.append(replace(again, id="again", seq=platform.next()))
    assert breaches(platform.judged()) == [Breach.DUPLICATED]


@settings(deadline=None)
@given(kept(), st.randoms(use_true_random=False))
def test_an_answer_whose_end_was_overwritten_is_found(
    drawn: tuple[Platform, int], chance: random.Random
) -> None:
    """A stalled worker's late edit stands: the beginning of the answer, and no end."""
    platform, _ = drawn
    replies = [message for message in platform.messages if message.purpose == "reply"]
    if not replies:
        return
    late = chance.choice(replies)
    text = late.text[:30]
    version = Version(seq=platform.next(), at=1.0, text=text, purpose="reply", operation="t-live")
    platform.messages[platform.messages.index(late)] = replace(
        late, text=text, versions=(*late.versions, version), seq=version.seq
    )
    verdict = platform.judged()
    assert breaches(verdict) == [Breach.UNFINISHED]
    assert verdict.counts.lost == 1


def test_answers_in_another_order_than_their_mentions_are_found() -> None:
    platform = Platform()
    first, second = platform.say(1), platform.say(2)
    platform.answer(second)
    platform.answer(first)
    verdict = platform.judged()
    assert breaches(verdict) == [Breach.INVERTED]
    assert verdict.violations[0].numbers == (1, 2)


def test_mentions_that_crossed_each_other_have_no_order_to_keep() -> None:
    """Said before the first was acknowledged: the gateways may have taken them in either order."""
    platform = Platform()
    first, second = platform.say(1), platform.say(2)
    platform.mentions[0] = replace(first, acked_seq=platform.next())
    platform.answer(second)
    platform.answer(first)
    assert platform.judged().holds


def test_a_notice_behind_a_later_answer_is_no_inversion() -> None:
    platform = Platform()
    first, second = platform.say(1), platform.say(2)
    platform.answer(second)
    platform.show(FAILED, to=first, purpose="notice")
    assert platform.judged().holds


def test_parts_out_of_order_are_found() -> None:
    platform = Platform()
    mention = platform.say(1, sections=2)
    beginning, _, end = answer_to(mention).partition("\n\n")
    platform.show(end, to=mention)
    platform.show(beginning, to=mention)
    assert breaches(platform.judged()) == [Breach.INVERTED]


def test_a_notice_that_denies_a_standing_answer_is_found() -> None:
    platform = Platform()
    mention = platform.say(1)
    platform.answer(mention)
    platform.show(FAILED, to=mention, purpose="notice")
    assert breaches(platform.judged()) == [Breach.CONTRADICTED]


def test_a_notice_that_leaves_it_open_denies_nothing() -> None:
    platform = Platform()
    mention = platform.say(1)
    platform.answer(mention)
    platform.show("I cannot tell whether all of it arrived.", to=mention, purpose="notice")
    assert platform.judged().holds


@pytest.mark.parametrize(
    ("promise", "label", "frozen", "found"),
    [
        (Promise.KEYED, True, True, "duplicated"),
        (Promise.READ_BACK, True, False, "duplicated"),
        (Promise.READ_BACK, False, True, "frozen"),
        (Promise.NONE, False, True, "duplicated"),
        (Promise.NONE, True, False, "ambiguous"),
    ],
)
def test_what_excuses_a_second_copy_is_the_platform_s_class(
    promise: Promise, label: bool, frozen: bool, found: str
) -> None:
    platform = Platform(promise)
    mention = platform.say(1)
    platform.answer(mention)
    platform.answer(mention, label=label)
    at = platform.messages[-1].posted_at
    counts = platform.judged(*[(at - 1, at)] * frozen).counts
    assert {name: getattr(counts, name) for name in ("duplicated", "ambiguous", "frozen")} == {
        name: int(name == found) for name in ("duplicated", "ambiguous", "frozen")
    }


def test_a_label_that_people_do_not_see_excuses_nothing() -> None:
    platform = Platform(Promise.NONE)
    mention = platform.say(1)
    platform.answer(mention)
    silent = platform.answer(mention)
    platform.messages[-1] = replace(silent, may_be_duplicate=True)
    assert breaches(platform.judged()) == [Breach.DUPLICATED]


def test_a_mention_that_joined_is_answered_by_its_turn_s_notice() -> None:
    platform = Platform()
    platform.say(1)
    joined = platform.say(2, outcome="joined")
    platform.show(FAILED, to=joined, purpose="notice")
    verdict = platform.judged()
    assert verdict.holds
    assert verdict.counts.notices == 2


def test_a_notice_speaks_for_nobody_else() -> None:
    platform = Platform()
    platform.say(1)
    platform.say(2, sender="bob")
    last = platform.say(3)
    platform.show(FAILED, to=last, purpose="notice")
    assert breaches(platform.judged()) == [Breach.LOST, Breach.LOST]


def test_what_no_gateway_acknowledged_was_not_accepted() -> None:
    platform = Platform()
    mention = platform.say(1)
    platform.mentions[0] = replace(mention, acked_seq=None, acked_at=None)
    counts = platform.judged().counts
    assert (counts.accepted, counts.lost, counts.unaccepted) == (0, 0, 1)


def test_a_sign_that_stands_alone_is_an_orphan_and_no_answer() -> None:
    platform = Platform()
    mention = platform.say(1)
    platform.show("…", to=mention, purpose="placeholder")
    platform.answer(mention)
    verdict = platform.judged()
    assert verdict.holds
    assert verdict.counts.orphans == 1


def test_a_timeline_tells_what_happened_to_the_mention_and_the_blow_beside_it() -> None:
    platform = Platform()
    mention = platform.say(1)
    platform.answer(mention)
    platform.answer(mention)
    story = platform.story()
    (violation,) = judge(story).violations
    blows = [Moment(at=mention.said_at + 1, what="worker-1 killed"), Moment(at=1e9, what="much later")]
    lines = "\n".join(timeline(violation, story, (), blows))
    assert "m1 said by ann" in lines
    assert lines.count("posted") == 2
    assert "worker-1 killed" in lines
    assert "much later" not in lines


@pytest.mark.parametrize("noticed", [0, 1, 4])
def test_one_notice_speaks_for_all_that_joined_its_turn(noticed: int) -> None:
    platform = Platform()
    said = [platform.say(1), *(platform.say(number, outcome="joined") for number in range(2, 6))]
    platform.show(FAILED, to=said[noticed], purpose="notice")
    assert platform.judged().holds


def test_a_notice_speaks_for_no_later_turn_of_the_same_person() -> None:
    platform = Platform()
    first = platform.say(1)
    platform.say(2, outcome="joined")
    platform.answer(platform.say(3))
    platform.answer(platform.say(4))
    platform.say(5, outcome="joined")
    platform.show(FAILED, to=first, purpose="notice")
    assert [violation.numbers for violation in platform.judged().violations] == [(5,)]


def test_nothing_more_is_due_of_a_message_that_the_platform_gave_up() -> None:
    platform = Platform()
    said = platform.say(1)
    platform.mentions = [replace(said, acked_at=None, acked_seq=None, outcome=None)]
    assert len(platform.story().unsettled()) == 1
    platform.mentions = [replace(platform.mentions[0], given_up=True)]
    assert platform.story().unsettled() == []
    assert (platform.judged().counts.unaccepted, platform.judged().holds) == (1, True)


def test_a_call_that_no_correct_client_makes_breaks_the_run() -> None:
    verdict = Verdict() + misuse("telegram", ["sendMessage text is empty"])
    assert (verdict.holds, verdict.counts.misused) == (False, 1)
    assert verdict.violations[0].breach is Breach.MISUSED


def test_a_notice_to_a_joined_mention_whose_acknowledgement_never_arrived_speaks_for_its_turn() -> None:
    platform = Platform()
    poison = platform.say(1)
    platform.say(2)
    later = platform.say(3)
    platform.answer(later)
    platform.show(FAILED, to=poison, purpose="notice")
    assert platform.judged().counts.lost == 1
    unknown = replace(poison, acked_at=None, acked_seq=None, outcome=None, given_up=True)
    platform.mentions = [unknown, *platform.mentions[1:]]
    assert platform.judged().holds
