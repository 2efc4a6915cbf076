"""Who is spoken to in a group, what is quoted, and what belongs together: by adapter and core in one."""

import pytest

from adapters.base import Addressed, AttachmentKind, ConversationKind
from bot.ingress.addressing import address
from bot.ingress.names import Names
from tests.contracts.adapters.abilities import Ability
from tests.contracts.adapters.subjects import having

NAMES = Names(("assistant",))


@having(Ability.GROUPS)
@pytest.mark.parametrize(
    ("text", "is_for_us"),
    [
        ("{me} hi", True),
        ("👍🏽 hey {me}", True),
        ("👨‍👩‍👧 🇦🇹 {me} and {me} !", True),
        ("hi", False),
        ("ask @other_bot", False),
        ("x{me}", False),
        ("{me}_two hi", False),
        ("mail me{me}.org", False),
        ("see https://example.org/{me}", False),
    ],
    ids=["call", "behind emoji", "twice", "nobody", "another bot", "in a word", "longer", "mail", "address"],
)
async def test_a_mention_is_for_us_only_where_it_names_us(harness, text, is_for_us) -> None:
    event = await harness.hear(text.format(me=harness.handle))
    assert event.conversation.kind is ConversationKind.GROUP
    assert address(event, NAMES).addressed is is_for_us


@having(Ability.GROUPS, Ability.CAPTIONS)
@pytest.mark.parametrize(
    ("caption", "is_for_us"), [("👍🏽 {me} what is this?", True), ("look at this", False)], ids=["call", "no"]
)
async def test_a_mention_in_a_caption_counts(harness, caption, is_for_us) -> None:
    event = await harness.hear(caption.format(me=harness.handle), pictured=True)
    assert address(event, NAMES).addressed is is_for_us


@having(Ability.CAPTIONS)
async def test_a_caption_is_the_text_and_the_picture_is_attached(harness) -> None:
    event = await harness.hear("what is this? 🌱", pictured=True)
    assert (event.text, [each.kind for each in event.attachments]) == (
        "what is this? 🌱",
        [AttachmentKind.PICTURE],
    )


@having(Ability.QUOTES)
@pytest.mark.parametrize("of_ours", [True, False], ids=["ours", "somebodys"])
async def test_what_is_replied_to_is_quoted(harness, of_ours) -> None:
    event = await harness.hear_reply("the sky is 🟢 green", of_ours=of_ours)
    assert event.text == "and?"
    assert (event.quoted.text, event.quoted.by_assistant) == ("the sky is 🟢 green", of_ours)
    assert event.quoted.ref
    if not of_ours:
        assert (event.quoted.author != "", event.quoted.author_id != "") == (True, True)


@having(Ability.QUOTES, Ability.GROUPS)
@pytest.mark.parametrize("of_ours", [True, False], ids=["ours", "somebodys"])
async def test_in_a_group_a_reply_to_us_is_for_us_and_one_to_somebody_is_not(harness, of_ours) -> None:
    event = await harness.hear_reply("the sky is green", of_ours=of_ours)
    assert (Addressed.REPLY_TO_ASSISTANT in event.addressed) is of_ours
    assert address(event, NAMES).addressed is of_ours


@having(Ability.TOGETHER)
async def test_what_is_sent_in_one_go_is_told_as_one(harness) -> None:
    events = await harness.hear_together("three of them", 3)
    assert sum(len(event.attachments) for event in events) == 3
    assert [event.text for event in events if event.text] == ["three of them"]
    if len(events) > 1:
        assert len({event.group_key for event in events}) == 1
        assert events[0].group_key
        assert len({event.event_key for event in events}) == 3
