"""Counting and cutting: estimates are high, cuts are rare and big, and what stays fits."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.budget import MOST_EXCHANGES, Limits, cut, exchange_costs, kept, likely_tokens, most_tokens
from tests.fixtures.remembered import an_exchange


@pytest.mark.parametrize(
    ("text", "real"),
    [
        ("¿Podrías traducir este mensaje al inglés, por favor?", 23),
        ("Können wir uns morgen um 14:30 Uhr treffen?", 22),
        ("Пожалуйста, переведи это сообщение на английский язык.", 45),
        ("请把这条消息翻译成英文,然后发给所有参加会议的人。", 41),
        ("def add(a, b):\n    return a + b\n", 13),
        ("3141592653", 10),
        ("👍🏽👩‍👩‍👧", 19),
        ("", 0),
    ],
    ids=["spanish", "german", "russian", "chinese", "code", "digits", "emoji", "nothing"],
)
def test_estimates_are_not_below_the_embedded_models_tokenizer(text: str, real: int):
    """`real` was counted with the embedded model's own vocabulary."""
    assert real <= likely_tokens(text) <= 2.5 * real


@given(first=st.text(st.characters(codec=None)), second=st.text())
def test_counts_add_up(first: str, second: str):
    """Estimates of parts differ from the whole's by rounding alone; a token a byte is the most."""
    together = likely_tokens(first + second)
    assert likely_tokens(first) + likely_tokens(second) - 1 <= together + 1e-9
    assert together <= most_tokens(first + second)


@pytest.mark.parametrize(
    ("limits", "prompt", "reply"),
    [
        (Limits(max_model_len=512), 368, 128),
        (Limits(max_model_len=8192), 7664, 512),
        (Limits(max_model_len=131_072), 8192, 512),
        (Limits(max_model_len=131_072, wanted_prompt_tokens=30_000), 30_000, 512),
        (Limits(max_model_len=2048, wanted_prompt_tokens=30_000), 2048 - 512 - 16, 512),
        (Limits(max_model_len=8192, wanted_prompt_tokens=1), 320, 512),
        (Limits(max_model_len=8192, wanted_reply_tokens=8192), 8192 - 2048 - 16, 2048),
    ],
    ids=["least", "embedded", "large", "wanted", "too much", "too little", "long replies"],
)
def test_limits(limits: Limits, prompt: int, reply: int):
    assert (limits.prompt_tokens, limits.reply_tokens) == (prompt, reply)


def test_a_model_too_small_is_refused():
    with pytest.raises(ValueError, match="max_model_len of at least 512"):
        Limits(max_model_len=511)


COSTS = st.lists(st.integers(1, 400), max_size=60)


@given(costs=COSTS, system=st.integers(0, 200), new=st.integers(0, 500), high_water=st.integers(320, 8192))
def test_what_stays_fits(costs: list[int], system: int, new: int, high_water: int):
    """Within the mark wherever system and new message fit at all; everything stays below it."""
    stay = kept(costs, system=system, new=new, high_water=high_water)
    total = system + new + sum(costs[len(costs) - stay :])
    assert 0 <= stay <= len(costs)
    assert total <= max(high_water, system + new)
    assert (stay == len(costs)) == (system + new + sum(costs) <= high_water or not costs)


@given(costs=COSTS, new=st.integers(0, 500))
def test_a_cut_goes_down_to_half(costs: list[int], new: int):
    """After a cut the memory is at most half of the mark, or the newest exchange alone."""
    stay = kept(costs, system=100, new=new, high_water=2000)
    if stay < len(costs):
        assert stay == 1 or 100 + sum(costs[len(costs) - stay :]) <= 1000


def test_cuts_are_rare():
    """A thousand turns of one size are cut about once in half a budget's worth of turns."""
    costs: list[int] = []
    cuts = []
    for n in range(1000):
        stay = kept(costs, system=100, new=100, high_water=8192)
        if stay < len(costs):
            cuts.append(n)
            costs = costs[-stay:]
        costs.append(200)
    gaps = {after - before for before, after in pairwise(cuts)}
    assert cuts
    assert min(gaps) >= 20


def test_too_many_exchanges_are_cut_however_short():
    stay = kept([1] * (MOST_EXCHANGES + 1), system=0, new=0, high_water=8192)
    assert (kept([1] * MOST_EXCHANGES, system=0, new=0, high_water=8192), stay) == (400, 200)


def test_a_cut_makes_room_for_what_will_stand_before_it():
    """The summary that is taken at a cut may be longer than the one before, or shorter."""
    exchanges = [an_exchange(n, "x" * 200, "y" * 200) for n in range(8)]
    common = {"turn_ord": 9, "system": 100, "new": 100, "high_water": 3000, "count": most_tokens}
    assert [cut(exchanges, system_after=after, **common) for after in (100, 400, 2950)] == [5, 6, 9]


def test_a_cut_names_where_memory_begins():
    exchanges = [an_exchange(n, "x" * 1000, "y" * 1000) for n in (3, 5, 8)]
    common = {"turn_ord": 9, "system": 50, "count": most_tokens}
    assert cut(exchanges, new=100, high_water=7000, **common) is None
    assert cut(exchanges, new=100, high_water=5000, **common) == 8
    assert cut(exchanges, new=100, high_water=1000, **common) == 9


def test_the_newest_exchange_stays_above_the_half():
    """A giant message that was just answered is still there for the question about it."""
    assert kept([100, 700], system=50, new=50, high_water=850) == 1


def test_the_engines_count_beats_the_estimate():
    """Where the engine counted the prompt up to the newest reply, the shares add up to its count."""
    exchanges = [an_exchange(1, "x" * 400, "y" * 400), an_exchange(2, "x" * 100, "y" * 100, tokens=350)]
    costs = exchange_costs(exchanges, system=50, count=likely_tokens)
    assert sum(costs) == 300
    assert costs[0] > costs[1] > 0


def test_a_count_from_before_a_cut_is_bounded():
    """A count that includes what was since cut away cannot exceed a token a byte."""
    costs = exchange_costs(
        [an_exchange(2, "question", "answer", tokens=5000)], system=50, count=likely_tokens
    )
    assert costs == [len("question") + len("answer") + 12]


def test_only_what_the_engine_has_not_counted_is_estimated():
    """A stopped reply leaves no count: what was counted before it still holds."""
    exchanges = [an_exchange(1, "x" * 400, "y" * 400, tokens=250), an_exchange(2, "question", "ans")]
    costs = exchange_costs(exchanges, system=50, count=likely_tokens)
    assert costs == [200, likely_tokens("question") + likely_tokens("ans") + 12]
