"""What answers turns."""

import secrets
from functools import partial

from bot.bootstrap.core import Core
from bot.chat.keeper import ContextKeeper
from bot.chat.key_ring import Subkey
from bot.chat.prompt import Persona
from bot.chat.salt import cache_salt
from bot.skills.answer import Answer, AnswerSettings
from bot.skills.base import SkillRunner
from bot.skills.spoken import Spoken, greet_words, help_words, reset_words
from bot.telemetry.events import Hooks
from bot.turns.admitting import Admitting
from bot.turns.attempt import Attempt, AttemptSettings
from bot.turns.delivery import deliveries
from bot.turns.model import Chat, Skill
from bot.turns.pace import PaceMeter, PaceReport
from bot.turns.paces import Paces
from bot.turns.serving import Serving
from bot.turns.slots import Slots
from bot.turns.stopping import StopBoard
from bot.turns.strain import Strain
from bot.turns.takeover import LateEffects
from bot.turns.trouble import Trouble
from bot.turns.worker import Worker, WorkerSettings
from engine.base import Engine


def make_worker(core: Core, engine: Engine, *, embedded: bool) -> tuple[Worker, StopBoard]:
    """Build a worker and the board on which it hears of stops."""
    shared, section = core.shared, core.settings.worker
    stops, slots, meter = StopBoard(), Slots(section.slots), PaceMeter(core.clock)
    hooks: Hooks = (*core.hooks, meter)
    trouble = Trouble(core.journal, core.clock, core.delays, hooks)
    keeper = ContextKeeper(store=shared.contexts, exchanges=core.journal.exchanges)
    attempt = Attempt(
        journal=core.journal,
        deliveries=deliveries(
            core.platforms,
            journal=core.journal,
            bus=shared.bus,
            late=LateEffects(core.journal, shared.scheduler, again_s=core.delays.not_now_s),
            clock=core.clock,
            policy=core.send_policy,
            delays=core.delays,
            hooks=core.hooks,
        ),
        skills=_skills(core, engine, keeper, embedded=embedded),
        keeper=keeper,
        trouble=trouble,
        clock=core.clock,
        settings=AttemptSettings(most_attempts=core.settings.turns.attempts),
        usual_s=lambda: meter.turn_s,
        hooks=hooks,
    )
    settings = WorkerSettings(
        slots=section.slots,
        lease_ms=round(section.lease_s * 1000),
        drain_s=section.drain_s,
        idle_s=core.delays.idle_s,
    )
    pace = PaceReport(
        Paces(core.database, core.clock), meter, lambda: slots.limit, worker_id=secrets.token_hex(8)
    )
    serving = Serving(
        scheduler=shared.scheduler,
        journal=core.journal,
        attempt=attempt,
        trouble=trouble,
        stops=stops,
        clock=core.clock,
        lease_ms=settings.lease_ms,
        strain=Strain(slots, core.clock, lease_s=section.lease_s),
        hooks=hooks,
    )
    worker = Worker(
        scheduler=shared.scheduler,
        serving=serving,
        reconciler=core.reconciler,
        outage=core.outage,
        settings=settings,
        slots=slots,
        companions=(Admitting(engine, slots).run, pace.run, partial(stops.look, core.journal)),
    )
    return worker, stops


def _skills(core: Core, engine: Engine, keeper: ContextKeeper, *, embedded: bool) -> dict[Skill, SkillRunner]:
    settings = core.settings
    persona, section = settings.persona, settings.engine
    return {
        Skill.ANSWER: Answer(
            engine=engine,
            keeper=keeper,
            salt=partial(_salt, core.keys.derive(Subkey.CACHE_SALT)),
            clock=core.clock,
            settings=AnswerSettings(
                persona=Persona(name=persona.name, character=persona.character, languages=persona.languages),
                max_reply_tokens=section.max_reply_tokens,
                budget_tokens=settings.context.budget_tokens,
                temperature=section.temperature,
                first_token_s=section.first_token_s,
                stall_s=section.stall_s,
            ),
            predicted_wait_s=core.line.predicted_wait_s,
            hooks=core.hooks,
        ),
        Skill.HELP: Spoken(help_words(persona.name, embedded=embedded)),
        Skill.RESET: Spoken(reset_words, resets_context=True),
        Skill.GREET: Spoken(greet_words(persona.name)),
    }


def _salt(key: bytes, chat: Chat) -> str:
    return cache_salt(key, chat.id)
