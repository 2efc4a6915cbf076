"""Nothing is believed of a webhook before what proves the platform, and nothing else happens where that is wrong."""

from dataclasses import replace
from http import HTTPStatus

import pytest

from tests.contracts.adapters.abilities import Ability
from tests.contracts.adapters.subjects import having


async def nothing_comes_of(harness, requests) -> None:
    statuses = {await harness.post(request) for request in requests}
    assert statuses == {HTTPStatus.UNAUTHORIZED}
    assert (harness.sink.events, harness.sink.heard) == ([], [])


@having(Ability.WEBHOOK)
async def test_every_route_takes_what_is_proved(harness) -> None:
    for request in await harness.requests():
        assert await harness.post(request) // 100 == 2
    assert len(harness.sink.events) == 1


@having(Ability.WEBHOOK)
@pytest.mark.parametrize("proof", [None, "", "guessed", "gu\u00e9ss\u00e9d", "\t"], ids=repr)
async def test_a_wrong_proof_is_401_and_nothing_is_accepted(harness, proof) -> None:
    def forged(request):
        headers = {name: value for name, value in request.headers.items() if name != harness.proof}
        return replace(request, headers=headers | ({} if proof is None else {harness.proof: proof}))

    await nothing_comes_of(harness, [forged(request) for request in await harness.requests()])


@having(Ability.WEBHOOK)
async def test_a_proof_with_one_sign_more_or_less_is_wrong(harness) -> None:
    requests = await harness.requests()
    proofs = [(request, request.headers[harness.proof]) for request in requests]
    await nothing_comes_of(
        harness,
        [
            replace(request, headers=dict(request.headers) | {harness.proof: wrong})
            for request, proof in proofs
            for wrong in (proof[:-1], proof + "x", proof.swapcase())
        ],
    )


@having(Ability.WEBHOOK, Ability.BODY_SIGNED)
async def test_another_body_under_a_good_proof_is_401(harness) -> None:
    (request, *_) = await harness.requests()
    others = (request.body.replace(b"hi", b"ho"), request.body + b"1", request.body[:-1], b"")
    assert request.body not in others
    await nothing_comes_of(harness, [replace(request, body=body) for body in others])


@having(Ability.FORMS)
async def test_blank_fields_are_part_of_what_is_proved(harness) -> None:
    request = await harness.with_blank_fields()
    assert await harness.post(request) // 100 == 2
    assert len(harness.sink.events) == 1
    fields = request.body.split(b"&")
    kept = [field for field in fields if not field.endswith(b"=")]
    assert len(kept) < len(fields)
    harness.sink.events.clear()
    await nothing_comes_of(harness, [replace(request, body=b"&".join(kept))])


@having(Ability.WEBHOOK)
async def test_a_delivery_that_cannot_be_committed_is_never_answered_2xx(harness) -> None:
    requests = await harness.requests()
    harness.sink.fails = True
    assert {await harness.post(request) // 100 for request in requests} == {5}
    harness.sink.fails = False
    assert {await harness.post(request) // 100 for request in requests} == {2}
