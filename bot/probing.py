"""How the gateway asks the parts of this process how they fare."""

from bot.bootstrap import Core
from bot.ingress.health import Probes
from engine.base import Engine


def make_probes(core: Core, engine: Engine) -> Probes:
    """Build the ways of asking."""

    async def redis() -> None:
        if core.shared.redis is not None:
            await core.shared.redis.ping()

    async def adapters() -> dict[str, str]:
        return {name: platform.adapter.state.value for name, platform in core.platforms.items()}

    return Probes(
        database=core.journal.counts,
        redis=redis,
        engine=engine.status,
        turns=core.journal.counts,
        adapters=adapters,
        metrics=core.metrics.registry,
    )
