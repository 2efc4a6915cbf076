"""What an adapter says of itself, and what its harness says of the platform."""

from adapters.base import Adapter, AdapterState, LiveOutput, SendsFrom
from adapters.registry import manifests
from tests.contracts.adapters.abilities import Ability
from tests.contracts.adapters.harness import needed
from tests.contracts.adapters.operations import idempotency
from tests.contracts.adapters.subjects import Subject, having
from tests.platforms.harness import MANIFESTS


@having()
async def test_it_says_how_it_fares(harness) -> None:
    assert harness.adapter.state in AdapterState


@having()
async def test_its_capabilities_can_be_worked_with(harness) -> None:
    allowed = harness.adapter.capabilities(harness.conversation)
    assert allowed == harness.adapter.capabilities(harness.conversation)
    assert allowed.text_limit >= 100
    assert allowed.live_min_interval_s > 0
    if harness.adapter.sends_from is SendsFrom.OWNER:
        assert allowed.live is LiveOutput.NONE


@having()
async def test_a_harness_has_everything_that_its_abilities_need(harness) -> None:
    has = [ability for ability in Ability if ability not in harness.lacks]
    missing = {ability: {name for name in needed(ability) if not hasattr(harness, name)} for ability in has}
    assert {ability: names for ability, names in missing.items() if names} == {}


@having()
async def test_what_a_harness_says_of_its_platform_is_so(harness) -> None:
    platform, lacks = getattr(harness, "platform", None), harness.lacks
    if platform is not None:
        assert (platform.media is None) == (Ability.MEDIA in lacks)
        assert (not platform.webhooks) == (Ability.WEBHOOK in lacks)
        assert (platform.lifetime is None) == (Ability.LIFETIME in lacks)
    assert (idempotency(harness) == "keyed") == (Ability.KEYED not in lacks)
    assert (idempotency(harness) == "none") == (Ability.UNSURE not in lacks)


@having()
async def test_it_is_what_its_manifest_says(harness, request) -> None:
    every = (*manifests(), *manifests(MANIFESTS))
    manifest = next(manifest for manifest in every if manifest.name == harness.adapter.name)
    assert manifest.sends_from is harness.adapter.sends_from
    subject: Subject = request.node.callspec.params["harness"]
    if not subject.name.startswith("loopback"):  # that platform can be made in any class
        assert manifest.platform_class.idempotency is idempotency(harness)


@having()
async def test_it_has_every_method_of_the_contract(harness) -> None:
    methods = [name for name in vars(Adapter) if not name.startswith("_")]
    assert methods
    assert all(hasattr(harness.adapter, name) for name in methods)
