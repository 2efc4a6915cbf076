"""The log: plain lines with ids and numbers, to the terminal and to a file. Never content, never a name."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from bot.telemetry.events import (
    AmbiguousSend,
    AttemptFailed,
    BreakCause,
    ContextCut,
    CutWithoutSummary,
    Details,
    EngineStateChanged,
    LeaseLost,
    PrefixBroken,
    ScheduleRebuilt,
    SummaryFailed,
    TurnAccepted,
    TurnFinished,
    WriteFenced,
)
from bot.telemetry.tracebacks import wordless_traceback

logger = logging.getLogger(__name__)

LINE = "%(asctime)s %(levelname)s %(name)s %(message)s"
FILE_BYTES = 10_000_000
FILES_KEPT = 3

#: What each event weighs in the log; what is not here is a detail, or is told by whoever emits it.
LEVELS: dict[type[Details], int] = {
    TurnAccepted: logging.INFO,
    TurnFinished: logging.INFO,
    EngineStateChanged: logging.INFO,
    ContextCut: logging.INFO,
    CutWithoutSummary: logging.INFO,
    SummaryFailed: logging.INFO,
    ScheduleRebuilt: logging.WARNING,
    LeaseLost: logging.WARNING,
    WriteFenced: logging.WARNING,
    AmbiguousSend: logging.WARNING,
}

#: Libraries that would log requests, headers or statements at the level we run at.
TALKATIVE = (
    *("aiohttp.access", "aiosqlite", "asyncio", "sqlalchemy", "alembic"),
    *("httpx", "httpcore", "markdown_it", "telegram", "twilio"),
)


class _Wordless(logging.Formatter):
    """Formats an error without the sentence of any that is not ours."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record; what another formatter kept of its error is not used."""
        record.exc_text = None
        return super().format(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own name
        """Format an error that is logged with its traceback."""
        return wordless_traceback(ei[1]) if ei[1] is not None else ""


@contextmanager
def logging_to(directory: Path, role: str, *, level: str, stderr_level: str | None = None) -> Iterator[None]:
    """Log everything of this process to `<directory>/<role>.log` and to stderr, until the context ends.

    `stderr_level` lets less through to a person's terminal than to the file. Raises `OSError` when the file
    cannot be opened.
    """
    handlers = (_file_handler(directory / f"{role}.log"), logging.StreamHandler())
    handlers[1].setLevel((stderr_level or level).upper())
    for handler in handlers:
        handler.setFormatter(_Wordless(LINE))
    root = logging.getLogger()
    before = root.level
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level.upper())
    _quieten(max(logging.WARNING, root.level))
    try:
        yield
    finally:
        root.setLevel(before)
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()


def log_event(details: Details, /) -> None:
    """Write an event as one line: its name, then its fields; a hook."""
    level = _level(details)
    if logger.isEnabledFor(level):
        pairs = " ".join(f"{field.name}={_shown(getattr(details, field.name))}" for field in fields(details))
        logger.log(level, "%s %s", type(details).__name__, pairs)


def _level(details: Details) -> int:
    if isinstance(details, AttemptFailed):
        # One that is not counted repeats every second while the engine starts; its cause is told elsewhere, once.
        return logging.WARNING if details.counted else logging.DEBUG
    if isinstance(details, PrefixBroken):
        return logging.WARNING if details.cause is BreakCause.LAYOUT else logging.INFO
    return LEVELS.get(type(details), logging.DEBUG)


def _file_handler(path: Path) -> RotatingFileHandler:
    path.touch(mode=0o600, exist_ok=True)
    return RotatingFileHandler(path, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8")


def _quieten(level: int) -> None:
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(level)


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    text = str(value)
    return repr(text) if " " in text or not text else text
