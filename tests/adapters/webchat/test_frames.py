"""Frames: strict in, and the same bytes for everybody out."""

import asyncio
import json
from contextlib import suppress

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from adapters.webchat.frames import Ask, BadFrame, entries, framed, read_ask, refusal

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.one_of(st.text(max_size=200), JSON.map(json.dumps)))
def test_whatever_comes_is_read_or_refused_in_words(text):
    with suppress(BadFrame):
        ask = read_ask(text)
        assert ask.number > 0
        assert ask.do


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "[]",
        "[" * 100_000,
        "1",
        '{"id":0,"do":"say"}',
        '{"id":true,"do":"say"}',
        '{"id":1}',
        '{"id":1,"do":""}',
        '{"id":1e300,"do":"x"}',
        '{"id":"1","do":"x"}',
    ],
    ids=lambda frame: frame[:20],
)
def test_nonsense_is_refused(frame):
    with pytest.raises(BadFrame):
        read_ask(frame)


@pytest.mark.parametrize(
    ("read", "body"),
    [
        (lambda ask: ask.text("a"), {"a": 1}),
        (lambda ask: ask.text("a"), {}),
        (lambda ask: ask.text("a", 3), {"a": "abcd"}),
        (lambda ask: ask.maybe_text("a"), {"a": []}),
        (lambda ask: ask.client_id(), {"client_id": "a/b"}),
        (lambda ask: ask.client_id(), {"client_id": "x" * 65}),
        (lambda ask: ask.whole("a"), {"a": -1}),
        (lambda ask: ask.whole("a"), {"a": 1.5}),
        (lambda ask: ask.whole("a"), {"a": True}),
        (lambda ask: ask.whole("a", most=5), {"a": 6}),
        (lambda ask: ask.number_of("a", 5), {"a": 0}),
        (lambda ask: ask.number_of("a", 5), {"a": float("inf")}),
        (lambda ask: ask.switch("a"), {"a": 1}),
        (lambda ask: ask.cursors(), {"cursors": []}),
        (lambda ask: ask.cursors(), {"cursors": {"r": -1}}),
        (lambda ask: ask.cursors(), {"cursors": {"r": True}}),
    ],
)
def test_a_value_of_another_kind_is_refused_and_names_the_frame(read, body):
    with pytest.raises(BadFrame) as refused:
        read(Ask(7, "x", body))
    assert refused.value.number == 7


def test_half_a_character_becomes_one_that_can_be_stored():
    ask = read_ask(r'{"id":1,"do":"say","text":"a\ud83d b \ud83d\ude00"}')
    assert ask.text("text").encode() == "a\N{REPLACEMENT CHARACTER} b \N{GRINNING FACE}".encode()


def test_a_refusal_says_when_to_ask_again():
    assert json.loads(refusal(3, "slow_down", "wait", 2.04)) == {
        "re": 3,
        "error": {"code": "slow_down", "text": "wait", "retry_s": 2.0},
    }


async def test_our_own_frames_are_read_by_a_real_client():
    """Every length class of RFC 6455, in one run, in order."""
    texts = [entries("r", ['{"t":"é"}'])] + [
        "x" * length for length in (0, 1, 125, 126, 127, 65_535, 65_536, 200_000)
    ]

    async def handle(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for text in texts:
            request.transport.write(framed(text))
        await socket.receive()
        return socket

    app = web.Application()
    app.router.add_get("/", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        async with (
            asyncio.timeout(10),
            aiohttp.ClientSession() as session,
            session.ws_connect(address, max_msg_size=0) as socket,
        ):
            assert [await socket.receive_str() for _ in texts] == texts
    finally:
        await runner.cleanup()
