"""What `aside up` says to the person who started it."""

import os
import shlex
import sys
import time
from pathlib import Path

from bot.settings import Settings
from bot.skills.spoken import EMBEDDED_NOTE
from engine.base import EngineState, EngineStatus


class Greeting:
    """Lines on standard output: how to talk to it, and how the engine fares."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._began_s = time.monotonic()
        self._said: EngineState | None = None

    def say(self, line: str) -> None:
        """Say a line at once."""
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def started(self, process: int, page: str | None) -> None:
        """Say that it runs, and how to talk to it; the page's address is the last line."""
        command = f"{_command()}{_options(self._settings)}"
        self.say("")
        self.say(f"Aside is running after {time.monotonic() - self._began_s:.1f} s (process {process}).")
        if self._settings.terminal.enabled:
            self.say("Talk to it from other terminals; each is a person:")
            self.say(f"    {command} chat --as ann                 a direct chat with the assistant")
            self.say(
                f"    {command} chat --as ann --chat team     a group; write @{self._settings.persona.name} ..."
            )
        self.say(f"How it fares: {command} status")
        self.say(f"Logs: {self._settings.data.logs}. Stop with Ctrl-C.")
        if page is not None:
            self.say(f"Open it in a browser: {page}")

    def engine_changed(self, status: EngineStatus) -> None:
        """Say when the engine's state becomes another."""
        if status.state is self._said:
            return
        self._said = status.state
        match status.state:
            case EngineState.READY:
                self.say(
                    f"The model is ready after {time.monotonic() - self._began_s:.0f} s: {status.model}."
                )
                if self._settings.embedded_model_answers:
                    self.say(EMBEDDED_NOTE)
            case EngineState.STARTING:
                self.say(f"The model is {status.detail}. Ask already: it answers when it is ready.")
            case EngineState.DEAD:
                self.say(f"The model does not answer: {status.detail or 'it is out of reach'}.")
            case EngineState.WARMING | EngineState.DRAINING:
                pass


def _command() -> str:
    """Name the command as a person here can type it."""
    program = Path(sys.argv[0])
    if not program.is_absolute():
        return str(program)
    nearby = os.path.relpath(program)
    return nearby if not nearby.startswith("..") else str(program)


def _options(settings: Settings) -> str:
    default = Settings().data.root
    return "" if settings.data.root == default else f" --data-dir {shlex.quote(str(settings.data_dir))}"
