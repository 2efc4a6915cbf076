"""No token, no number and no word of anybody stands in the log, whatever happens."""

import contextlib
import logging

from adapters.errors import AdapterError
from bot.telemetry.logs import TALKATIVE
from tests.contracts.adapters.abilities import HAPPENINGS, Ability
from tests.contracts.adapters.elsewhere import PNG, noting
from tests.contracts.adapters.harness import File, Loss
from tests.contracts.adapters.operations import edit, send
from tests.contracts.adapters.subjects import having

CANARY = "canary"


@having(call_s=0.5)
async def test_no_token_number_or_text_is_logged(harness, caplog) -> None:
    for name in TALKATIVE:
        # As a process of ours sets them.
        caplog.set_level(logging.WARNING, logger=name)
    # Last, as each call sets how much is caught, too.
    caplog.set_level(logging.DEBUG)
    await _everything(harness)
    lines = [f"{record.name} {record.getMessage()} {record.exc_text or ''}" for record in caplog.records]
    ours = [line for line in lines if not line.startswith(("tests.", "aiohttp."))]
    found = [line for line in ours for secret in (CANARY, *harness.secrets) if secret in line]
    assert found == []


@having()
async def test_nothing_secret_is_shown_by_its_settings(harness) -> None:
    shown = f"{harness.adapter!r} {getattr(harness, 'settings', '')!r}"
    keys = [secret for secret in harness.secrets if not secret.lstrip("+").isdigit()]
    assert not any(key in shown for key in keys)


async def _everything(harness) -> None:
    """Let everything happen that can, well and badly."""
    sent = await send(harness, f"{CANARY}-answer")
    with contextlib.suppress(AdapterError):
        await edit(harness, sent.message, f"{CANARY}-edit")
    await harness.adapter.find("op-1", harness.account, harness.conversation)
    with contextlib.suppress(AdapterError):
        await send(harness, f"{CANARY} " * 30_000, op_id="long")
    for act in (_taken_in, _happened, _called, _refused, _opened):
        await act(harness)


async def _taken_in(harness) -> None:
    if Ability.TAKES_IN in harness.lacks:
        return
    await harness.hear(f"@assistant {CANARY}-question")
    harness.sink.fails = True
    await harness.deliver("k1")
    harness.sink.fails = False
    await harness.deliver("k1")


async def _happened(harness) -> None:
    for what in HAPPENINGS:
        if what in harness.lacks:
            continue
        deliver = await harness.happening(what)
        harness.sink.fails = True
        await deliver()
        harness.sink.fails = False
        await deliver()


async def _called(harness) -> None:
    if Ability.WEBHOOK in harness.lacks:
        return
    for request in await harness.requests():
        for body in (b"\xff", b"[]", b"{", CANARY.encode(), request.body):
            headers = dict(request.headers)
            await harness.post(_with(request, body=body))
            await harness.post(_with(request, body=body, headers=headers | {harness.proof: CANARY}))


def _with(request, **changes):
    return type(request)(
        **{name: getattr(request, name) for name in ("method", "path", "headers", "body")} | changes
    )


async def _refused(harness) -> None:
    if Ability.RATE_LIMITS in harness.lacks:
        return
    await harness.limit(1)
    with contextlib.suppress(AdapterError):
        await send(harness, f"{CANARY}-refused", op_id="op-3")
    for loss in Loss:
        await harness.lose(loss)
        with contextlib.suppress(AdapterError):
            await send(harness, f"{CANARY}-lost", op_id=f"op-{loss}")


async def _opened(harness) -> None:
    if Ability.MEDIA in harness.lacks:
        return
    async with noting() as (url, _), harness.led_away(f"{url}/{CANARY}") as (media, attachment):
        for opened in (attachment, await harness.attach(File(body=b"<html>" * 20))):
            with contextlib.suppress(AdapterError):
                async with media.open_media(harness.account, opened, most_bytes=len(PNG)) as pieces:
                    async for _piece in pieces:
                        break
