"""What answers turns."""

import secrets
from functools import partial

from adapters.twilio.settings import NAME as TWILIO
from bot.bootstrap.core import Core, kept_days
from bot.chat.ambient_keeper import Listening
from bot.chat.engine_limits import EngineLimits
from bot.chat.keeper import ContextKeeper
from bot.chat.key_ring import Subkey
from bot.chat.prefix_watch import PrefixWatch
from bot.chat.prompt import Persona
from bot.chat.salt import Salts, SaltScope
from bot.chat.summariser import Summariser, SummaryPatience
from bot.skills.answer import Answer, AnswerSettings
from bot.skills.base import SkillRunner
from bot.skills.export import MOST_MESSAGES, Export
from bot.skills.memories import Memories
from bot.skills.overhearing import Overhearing
from bot.skills.privacy import Privacy
from bot.skills.remember import Remember
from bot.skills.spoken import Spoken, greet_words, help_words, reset_words
from bot.skills.telling_apart import TellingApart
from bot.skills.told import Told, UnlessOff
from bot.skills.unremembered import Unremembered
from bot.skills.unseen import Unseen
from bot.telemetry.events import Hooks
from bot.turns.admitting import Admitting
from bot.turns.attempt import Attempt, AttemptSettings
from bot.turns.delivery import deliveries
from bot.turns.journal.exporting import Exporting, KeptChat
from bot.turns.linking import MOST_EXCHANGES, Linking
from bot.turns.model import Skill, Turn
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
    watch = PrefixWatch(hooks=core.hooks)
    keeper = ContextKeeper(
        store=shared.contexts, exchanges=core.journal.exchanges, background=core.journal.background
    )
    summariser = _summariser(core, engine, keeper)
    listening = Listening(core.shared.ambient, core.clock)
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
            linking=Linking(partial(core.journal.exchanges, limit=MOST_EXCHANGES), core.settings.links.allow),
        ),
        skills=_skills(core, engine, keeper, watch, listening, embedded=embedded),
        keeper=keeper,
        trouble=trouble,
        clock=core.clock,
        settings=AttemptSettings(most_attempts=core.settings.turns.attempts),
        usual_s=lambda: meter.turn_s,
        summarise=summariser.ask,
        settle=listening.settle,
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
        companions=(
            Admitting(engine, slots).run,
            pace.run,
            partial(stops.look, core.journal, every_s=core.delays.stop_look_s),
            partial(watch.follow, engine),
            summariser.run,
        ),
    )
    return worker, stops


def _skills(
    core: Core,
    engine: Engine,
    keeper: ContextKeeper,
    watch: PrefixWatch,
    listening: Listening,
    *,
    embedded: bool,
) -> dict[Skill, SkillRunner]:
    settings = core.settings
    persona, section = settings.persona, settings.engine
    answer = Answer(
        engine=engine,
        keeper=keeper,
        salt=_salts(core).of,
        clock=core.clock,
        settings=AnswerSettings(
            persona=_persona(core),
            scopes=_scopes(core),
            max_reply_tokens=section.max_reply_tokens,
            budget_tokens=settings.context.budget_tokens,
            temperature=section.temperature,
            first_token_s=section.first_token_s,
            stall_s=section.stall_s,
        ),
        predicted_wait_s=core.line.predicted_wait_s,
        watch=watch,
        hooks=core.hooks,
    )
    days = partial(kept_days, settings.retention.days)
    named = partial(TellingApart, bearers=core.journal.bearers, assistant=persona.name)
    skills: dict[Skill, SkillRunner] = {
        Skill.ANSWER: Unseen(
            Unremembered(Overhearing(named(answer), listening, core.journal.heard_up_to), days)
        ),
        Skill.HELP: Spoken(help_words(persona.name, embedded=embedded)),
        Skill.RESET: Spoken(reset_words, resets_context=True),
        Skill.GREET: Spoken(greet_words(persona.name)),
        Skill.REMEMBER: named(Remember(core.journal.memories, days, _limits(core, engine))),
        Skill.MEMORIES: Memories(core.journal.memories),
    }
    skills = {name: UnlessOff(skill) for name, skill in skills.items()}
    # What is anybody's right, switched on or off.
    skills[Skill.EXPORT] = Export(partial(_kept_of_asker, Exporting(core.database, core.vault)))
    shown = [name for name, platform in core.platforms.items() if platform.history is not None]
    skills[Skill.PRIVACY] = Privacy(days, shown)
    return {
        name: Told(skill, name=persona.name, days=days, introduces=core.introduces, own_histories=shown)
        for name, skill in skills.items()
    }


async def _kept_of_asker(exporting: Exporting, turn: Turn) -> list[KeptChat]:
    chat = turn.chat
    return await exporting.kept_of(
        chat.adapter, chat.account, turn.said[-1].sender_id, direct_chat=chat.id, most=MOST_MESSAGES
    )


def _persona(core: Core) -> Persona:
    persona = core.settings.persona
    return Persona(name=persona.name, character=persona.character, languages=persona.languages)


def _scopes(core: Core) -> dict[str, str]:
    return {TWILIO: core.settings.twilio.scope}


def _summariser(core: Core, engine: Engine, keeper: ContextKeeper) -> Summariser:
    settings = core.settings
    return Summariser(
        engine=engine,
        keeper=keeper,
        record=core.journal,
        limits=_limits(core, engine),
        persona=_persona(core),
        scopes=_scopes(core),
        salt=_salts(core).of,
        patience=SummaryPatience(
            first_token_s=settings.engine.first_token_s, stall_s=settings.engine.stall_s
        ),
        hooks=core.hooks,
    )


def _limits(core: Core, engine: Engine) -> EngineLimits:
    settings = core.settings
    return EngineLimits(
        engine,
        max_reply_tokens=settings.engine.max_reply_tokens,
        budget_tokens=settings.context.budget_tokens,
    )


def _salts(core: Core) -> Salts:
    return Salts(
        key=core.keys.derive(Subkey.CACHE_SALT),
        scope=SaltScope(core.settings.context.cache_salt),
        organisation=core.settings.vault.organisation,
    )
