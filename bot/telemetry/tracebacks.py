"""Where an error happened, without what it says: the text of an error that is not ours may quote content.

A database driver's names the values of a statement, a parser's the line it choked on. Where it broke is told by files
and lines, which are code.
"""

import traceback
from collections.abc import Iterator

from adapters.errors import AdapterError
from bot.errors import AsideError
from engine.errors import EngineError, EngineSetupError

#: Errors whose sentences are ours: ids, settings and causes.
OURS = (AsideError, EngineError, EngineSetupError, AdapterError)
_CAUSED = "\nThe above exception was the direct cause of the following exception:\n"
_MEANWHILE = "\nDuring handling of the above exception, another exception occurred:\n"


def wordless_traceback(error: BaseException) -> str:
    """Lay out an error, what caused it, and the errors in it, as Python does: sentences only where they are ours."""
    return "\n".join(_lines(error, seen=set()))


def _lines(error: BaseException, seen: set[int]) -> Iterator[str]:
    if id(error) in seen:
        return
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _lines(before, seen)
        yield _CAUSED if error.__cause__ else _MEANWHILE
    if error.__traceback__ is not None:
        yield "Traceback (most recent call last):"
        yield "".join(traceback.format_tb(error.__traceback__)).rstrip()
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    yield f"{kind}: {error}" if isinstance(error, OURS) else kind
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from (f"  | {line}" for line in _lines(one, seen))
