"""All subcommands, in the order of `aside --help`."""

from bot.commands.base import Command
from bot.commands.chat import CHAT
from bot.commands.doctor import DOCTOR
from bot.commands.engine import ENGINE
from bot.commands.gateway import GATEWAY
from bot.commands.migrate import MIGRATE
from bot.commands.settings import SETTINGS
from bot.commands.status import STATUS
from bot.commands.up import UP
from bot.commands.worker import WORKER

COMMANDS: tuple[Command, ...] = (UP, CHAT, STATUS, DOCTOR, SETTINGS, MIGRATE, GATEWAY, WORKER, ENGINE)
