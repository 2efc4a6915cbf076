"""Growing replies: what is sent makes the whole of it, whatever was seen before."""

import json
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import LivePhase, LiveSnapshot
from adapters.webchat.live import RoomLive, Shown, difference

WORDS = st.sampled_from(["one", "two", "three", "four"])
BLOCKS = st.lists(WORDS.map(lambda word: json.dumps(["p", word])), max_size=5)


def folded(seen, frame):
    """Fold a live event as the page does."""
    event = json.loads(frame)
    blocks = [*seen["blocks"][: event["from"]], *event["blocks"]] if "blocks" in event else []
    return {"phase": event["phase"], "blocks": blocks, "text": event.get("text", "")}


def shown(blocks, phase="streaming"):
    return Shown(turn="t", reply_to="m", phase=phase, blocks=tuple(blocks) if phase == "streaming" else ())


@given(
    st.lists(
        st.tuples(BLOCKS, st.sampled_from(["streaming", "streaming", "thinking", "warming"])), max_size=8
    )
)
def test_what_is_sent_always_makes_the_whole(states):
    seen, old = {"blocks": []}, None
    for blocks, phase in states:
        new = shown(blocks, phase)
        seen = folded(seen, difference("r", old, new))
        assert seen["blocks"] == [json.loads(block) for block in new.blocks]
        assert seen["phase"] == phase
        old = new


@given(BLOCKS, BLOCKS)
def test_blocks_that_stay_are_not_sent_again(same, more):
    old, new = shown(same), shown([*same, *more])
    assert len(json.loads(difference("r", old, new))["blocks"]) == len(more)


class TestOneRoom:
    """The newest state of each reply."""

    @pytest.fixture
    def live(self):
        self.numbers = count(1)
        self.now_s = 100.0
        self.renderings = []

        def render(text):
            self.renderings.append(text)
            return [["p", line] for line in text.split("\n")]

        return RoomLive("r", lambda: render, lambda: self.now_s)

    def snapshot(self, phase=LivePhase.STREAMING, text="", number=None, turn="t", reply_to="m"):
        return LiveSnapshot(
            turn_id=turn,
            account="local",
            conversation="r",
            reply_to=reply_to,
            phase=phase,
            text=text,
            number=next(self.numbers) if number is None else number,
        )

    def phases(self, live):
        live.render_due()
        return {turn: state.phase for turn, state in live.shown.items()}

    def test_a_reply_waits_thinks_streams_and_ends(self, live):
        live.waits("t", "m", 3)
        assert live.shown["t"].ahead == 3
        for phase in (LivePhase.WARMING, LivePhase.THINKING, LivePhase.STREAMING):
            live.show(self.snapshot(phase))
            assert self.phases(live) == {"t": phase.value}
        live.show(self.snapshot(LivePhase.ENDED))
        assert live.is_idle

    def test_what_the_core_said_already_is_newer_than_waiting(self, live):
        live.show(self.snapshot(LivePhase.THINKING))
        live.waits("t", "m", 3)
        assert self.phases(live) == {"t": "thinking"}

    @pytest.mark.parametrize("phase", [LivePhase.STREAMING, LivePhase.THINKING, LivePhase.ENDED])
    def test_a_stale_snapshot_changes_nothing(self, live, phase):
        live.show(self.snapshot(text="new", number=9))
        self.phases(live)
        live.show(self.snapshot(phase, text="old", number=8))
        live.render_due()
        assert live.shown["t"].blocks == ('["p","new"]',)

    def test_only_the_newest_text_is_rendered(self, live):
        for text in ("a", "a b", "a b c"):
            live.show(self.snapshot(text=text))
        live.render_due()
        assert self.renderings == ["a b c"]

    def test_after_the_stored_reply_nothing_of_its_messages_is_live(self, live):
        live.answering.took("t", "m1")
        live.answering.took("t", "m2")
        live.show(self.snapshot(text="so far", reply_to="m2"))
        assert live.answering.answers("m1") == ("m1", "m2")
        live.settle(live.answering.answers("m1"), for_good=True)
        assert live.is_idle
        live.show(self.snapshot(text="late", reply_to="m2"))
        live.waits("t", "m1", 0)
        assert live.is_idle

    def test_a_question_asked_again_is_live_again(self, live):
        live.settle(("m",), for_good=True)
        live.answering.asked_again("m")
        live.show(self.snapshot(text="again", turn="t2"))
        assert self.phases(live) == {"t2": "streaming"}

    def test_a_stop_takes_away_what_nobody_had_taken(self, live):
        live.waits("t1", "m1", 0)
        live.show(self.snapshot(text="writing", turn="t2", reply_to="m2"))
        live.stop_waiting()
        assert self.phases(live) == {"t2": "streaming"}
