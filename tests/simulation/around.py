"""What is put around a run: chance that comes from the seed, and an ear for the program's own errors."""

import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Have the program's own jitter come from the seed."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)


class _Errors(logging.Handler):
    """Keeps what the program itself calls unexpected."""

    def __init__(self, into: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._into = into

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            self._into.append(f"{record.getMessage()}: {type(error).__name__}: {error}")


@contextmanager
def errors_into(errors: list[str]) -> Iterator[None]:
    """Collect what the program logs as unexpected, and keep its log quiet."""
    logger, handler = logging.getLogger("bot"), _Errors(errors)
    level, propagates = logger.level, logger.propagate
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagates
