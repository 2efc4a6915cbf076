"""Texts around the limit, in the platform's own unit: what fits is sent whole, what does not is never cut in secret."""

import pytest

from adapters.content import CodeBlock, Content
from adapters.errors import Rejected
from adapters.markdown import parse
from adapters.split import measure_in
from tests.contracts.adapters.abilities import Ability
from tests.contracts.adapters.operations import send
from tests.contracts.adapters.subjects import having

#: The longest text that is worth sending over a socket in a test.
_MOST = 20_000
_SIGNS = {"letters": "x", "emoji": "👍", "accents": "é"}


def allowed(harness):
    return harness.adapter.capabilities(harness.conversation)


def of_length(units: int, sign: str, measure) -> str:
    """Write so many units of a sign, filled up with letters where it does not go in."""
    text = sign * (units // measure(sign))
    return text + "x" * (units - measure(text))


@having(call_s=30.0)
@pytest.mark.parametrize("sign", _SIGNS.values(), ids=_SIGNS)
async def test_a_text_up_to_the_limit_is_sent_whole_and_one_beyond_it_rejected(harness, sign) -> None:
    measure, limit = measure_in(allowed(harness).text_unit), allowed(harness).text_limit
    for length in (limit - 1, limit):
        await send(harness, of_length(length, sign, measure), op_id=f"op-{length}")
    with pytest.raises(Rejected):
        await send(harness, of_length(limit + 1, sign, measure), op_id="op-beyond")
    assert [measure(seen) for seen in await harness.visible()] == [limit - 1, limit]


@having(call_s=30.0)
@pytest.mark.parametrize("sign", _SIGNS.values(), ids=_SIGNS)
async def test_code_is_whole_within_its_fences_up_to_the_limit(harness, sign) -> None:
    """The fences a platform writes take their own room: one sign more than fits is rejected."""
    measure, limit = measure_in(allowed(harness).text_unit), allowed(harness).text_limit

    def block(signs: int) -> Content:
        return Content((CodeBlock("", sign * signs),))

    await send(harness, block(1))
    (one,) = await harness.visible()
    shown_as = getattr(harness, "fenced", measure(one) - measure(sign))
    most = (limit - shown_as) // measure(sign)
    await send(harness, block(most), op_id="op-2")
    assert (await harness.visible())[1].count(sign) == most
    with pytest.raises(Rejected):
        await send(harness, block(most + 1), op_id="op-3")


@having(call_s=30.0)
@pytest.mark.parametrize("sign", _SIGNS.values(), ids=_SIGNS)
@pytest.mark.parametrize("fence", ["", "```\n"], ids=["words", "code"])
async def test_around_the_limit_nothing_is_lost_by_cutting(harness, sign, fence) -> None:
    measure, limit = measure_in(allowed(harness).text_unit), allowed(harness).text_limit
    texts = [of_length(limit + beside, sign, measure) for beside in (-1, 0, 1)]
    for text in texts:
        parts = harness.adapter.split(f"{fence}{text}{fence and chr(10) + fence}", harness.conversation)
        for number, part in enumerate(parts):
            await send(harness, parse(part), op_id=f"{len(text)}-{number}")
    seen = await harness.visible()
    assert all(measure(one) <= limit for one in seen)
    assert "".join(seen).count(sign) == "".join(texts).count(sign)


@having()
@pytest.mark.parametrize("kind", ["", "short", "words", "code"])
async def test_what_it_splits_can_be_sent(harness, kind) -> None:
    limit = min(allowed(harness).text_limit, _MOST)
    long = {"words": "word " * 3 * limit, "code": "```py\n" + "x = 1\n" * 2 * limit + "```"}
    markdown = long.get(kind, kind)
    parts = harness.adapter.split(markdown, harness.conversation)
    assert parts
    for number, part in enumerate(parts):
        await send(harness, parse(part), op_id=f"part-{number}")
    words = "\n".join(parts).replace("```py", "").replace("`", "").split()
    assert words == markdown.replace("```py", "").replace("`", "").split()


@having(Ability.UNSURE)
async def test_what_it_splits_can_be_sent_under_the_label_too(harness) -> None:
    parts = harness.adapter.split("word " * 6_000, harness.conversation)
    assert len(parts) > 1
    for number, part in enumerate(parts):
        await send(harness, parse(part), op_id=f"part-{number}", may_be_duplicate=True)
    assert ["may be a duplicate" in seen for seen in await harness.visible()] == [True] * len(parts)
