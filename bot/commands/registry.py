"""All subcommands, in the order of `aside --help`."""

from bot.commands.adapters import ADAPTERS
from bot.commands.base import Command
from bot.commands.chat import CHAT
from bot.commands.dead import DEAD
from bot.commands.doctor import DOCTOR
from bot.commands.engine import ENGINE
from bot.commands.forget import FORGET
from bot.commands.gateway import GATEWAY
from bot.commands.healthy import HEALTHY
from bot.commands.invite import INVITE
from bot.commands.keys import KEYS
from bot.commands.migrate import MIGRATE
from bot.commands.profiles import PROFILES
from bot.commands.retention import RETENTION
from bot.commands.settings import SETTINGS
from bot.commands.status import STATUS
from bot.commands.up import UP
from bot.commands.worker import WORKER

COMMANDS: tuple[Command, ...] = (
    UP,
    CHAT,
    INVITE,
    STATUS,
    ADAPTERS,
    DEAD,
    FORGET,
    RETENTION,
    KEYS,
    HEALTHY,
    DOCTOR,
    PROFILES,
    SETTINGS,
    MIGRATE,
    GATEWAY,
    WORKER,
    ENGINE,
)
