"""What an operator writes under [turns] and [quota] is what people meet."""

from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.base import ConversationKind, Outcome, Platform, SendsFrom
from adapters.loopback.adapter import LoopbackAdapter
from bot.additions import Additions
from bot.bootstrap import make_intake, open_core
from bot.settings import Settings
from bot.settings.sections import QuotaSection, TerminalSection, TurnsSection, WebchatSection
from bot.store.schema import migrate
from bot.turns.acceptance import Cap
from bot.turns.journal import NotYet
from bot.turns.model import Skill
from tests.fixtures.turns import acceptance, inbound

DIRECT = ConversationKind.DIRECT


@asynccontextmanager
async def opened(folder: Path, **sections):
    settings = Settings(
        data_dir=folder,
        terminal=TerminalSection(enabled=False),
        webchat=WebchatSection(enabled=False),
        **sections,
    )
    settings.data.create()
    await migrate(settings.database_url)
    loopback = Platform(adapter=LoopbackAdapter(client_splits_at=1000))
    async with open_core(settings, None, Additions(platforms=lambda _: [loopback])) as core:
        yield core


def command(**how):
    return acceptance(skill=Skill.HELP, adapter="loopback", sends_from=SendsFrom.ANY, **how)


@pytest.mark.parametrize(
    ("sections", "where", "cap"),
    [
        pytest.param({"turns": TurnsSection(per_chat_waiting=1)}, {}, Cap.CHAT, id="a group"),
        pytest.param(
            {"turns": TurnsSection(direct_waiting=1)}, {"kind": DIRECT}, Cap.CHAT, id="a direct chat"
        ),
        pytest.param({"turns": TurnsSection(person_waiting=1)}, {}, Cap.PERSON, id="a person"),
        pytest.param({"turns": TurnsSection(total_waiting=1)}, {}, Cap.TOTAL, id="all"),
        pytest.param({"quota": QuotaSection(person_hourly=1)}, {}, Cap.PERSON_QUOTA, id="a person's hour"),
        pytest.param({"quota": QuotaSection(person_daily=1)}, {}, Cap.PERSON_QUOTA, id="a person's day"),
        pytest.param({"quota": QuotaSection(chat_hourly=1)}, {}, Cap.CHAT_QUOTA, id="a chat's hour"),
        pytest.param({"quota": QuotaSection(chat_daily=1)}, {}, Cap.CHAT_QUOTA, id="a chat's day"),
    ],
)
async def test_a_limit_of_one_lets_one_in(tmp_path: Path, sections, where, cap: Cap) -> None:
    async with opened(tmp_path, **sections) as core:
        first, second = await core.journal.accept([command(**where), command(**where)])
        assert (first.outcome, second.outcome) == (Outcome.ACCEPTED, Outcome.REFUSED)
        assert second.cap is cap


async def test_a_deployment_that_sets_nothing_has_caps_and_no_quota(tmp_path: Path) -> None:
    async with opened(tmp_path) as core:
        batch = [command(sender=f"person-{n}") for n in range(6)]
        found = [receipt.outcome for receipt in await core.journal.accept(batch)]
        assert found == [Outcome.ACCEPTED] * 5 + [Outcome.REFUSED]


@pytest.mark.parametrize(("kind", "weight"), [(DIRECT, 5.0), (ConversationKind.GROUP, 0.5)], ids=str)
async def test_weights_are_the_operators(tmp_path: Path, kind: ConversationKind, weight: float) -> None:
    turns = TurnsSection(direct_weight=5.0, group_weight=0.5)
    async with opened(tmp_path, turns=turns) as core, make_intake(core) as intake:
        await intake.accept(inbound(adapter="loopback", kind=kind))
        chat = await core.journal.chat_by_conversation("loopback", "main", "room")
        assert chat.weight == weight


async def test_a_platform_says_where_its_clients_cut(tmp_path: Path) -> None:
    async with opened(tmp_path) as core, make_intake(core) as intake:
        first = await intake.accept(inbound("x" * 980, adapter="loopback"))
        (chat,) = await core.journal.unfinished()
        assert chat.chat_id == first.chat_id
        with pytest.raises(NotYet):
            await core.journal.claim(chat.chat_id, 1, "epoch")
