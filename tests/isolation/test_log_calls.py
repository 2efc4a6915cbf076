"""Every call of a logger, read in the code itself: none is given what people wrote, none formats by itself."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import adapters.errors
import bot.errors
import engine.errors

ROOT = Path(__file__).parents[2]
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
#: What a value is called that holds, or may hold, what somebody wrote.
WORDS = {
    *(
        "text",
        "texts",
        "said",
        "content",
        "contents",
        "body",
        "prompt",
        "prompts",
        "reply",
        "replies",
        "words",
    ),
    *(
        "quoted",
        "summary",
        "card",
        "memory",
        "memories",
        "markdown",
        "raw",
        "payload",
        "blob",
        "title",
        "name",
    ),
    *("sender", "sender_name", "author", "delta", "line", "data", "inbound", "event", "request", "message"),
}
#: Calls whose answer holds no words, whatever they are given.
WORDLESS = {"len", "type", "describe", "bool", "id"}
#: Where such a name stands for something else.
ALLOWED = {
    ("bot/turns/outbox.py", "name"): "an adapter's",
    ("adapters/webchat/serving.py", "name"): "a task's own",
    ("bot/ingress/gateway.py", "name"): "a function's, in a traceback",
    ("adapters/telegram/starting.py", "name"): "a check's",
    ("adapters/twilio/prices.py", "message"): "its identifier at Twilio",
    ("adapters/twilio/quoting.py", "message"): "its identifier at Twilio",
}
#: Values that are errors' sentences, made from ours before they came here.
SENTENCES = {
    ("bot/chat/keeper.py", "why"),
    ("bot/chat/ambient_keeper.py", "why"),
    ("bot/turns/live_outage.py", "reason"),
    ("bot/servers/valkey.py", "reason"),
    ("bot/turns/outbox.py", "why"),
    ("engine/supervisor.py", "why"),
}


def _errors_of(module: ModuleType) -> set[str]:
    return {name for name, _ in inspect.getmembers(module, inspect.isclass)}


#: Errors whose texts are our own sentences, or name a file.
OURS = {"OSError", "UnreadableLive"}.union(*map(_errors_of, (adapters.errors, bot.errors, engine.errors)))


class Call:
    """One call of a logger, and the handlers around it."""

    def __init__(self, path: str, node: ast.Call, handlers: tuple[ast.ExceptHandler, ...]) -> None:
        self.path = path
        self.node = node
        self.handlers = handlers

    def __str__(self) -> str:
        return f"{self.path}:{self.node.lineno}"

    def names(self) -> Iterator[str]:
        """Return what the values are called that are written out."""
        for value in (*self.node.args, *(word.value for word in self.node.keywords)):
            yield from _names(value)

    def caught(self, name: str) -> set[str] | None:
        """Return the classes that a name was caught as; None where it is no caught error."""
        for handler in reversed(self.handlers):
            if handler.name == name and handler.type is not None:
                return set(_leaves(handler.type))
        return None


def _names(value: ast.expr) -> Iterator[str]:
    match value:
        case ast.Call(func=func, args=args):
            called = next(_leaves(func), "")
            if called not in WORDLESS:
                yield called
                for each in args:
                    yield from _names(each)
        case ast.Attribute(value=ast.Call(func=ast.Name(id="type"))):
            return
        case ast.Name() | ast.Attribute():
            yield next(_leaves(value))
        case _:
            for child in ast.iter_child_nodes(value):
                if isinstance(child, ast.expr):
                    yield from _names(child)


def _leaves(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name
        case ast.Tuple(elts=elements):
            for element in elements:
                yield from _leaves(element)
        case ast.Starred(value=value):
            yield from _leaves(value)


def _calls(path: str, node: ast.AST, handlers: tuple[ast.ExceptHandler, ...] = ()) -> Iterator[Call]:
    if isinstance(node, ast.ExceptHandler):
        handlers = (*handlers, node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
        owner = next(_leaves(node.func.value), "")
        if owner.endswith("logger"):
            yield Call(path, node, handlers)
    for child in ast.iter_child_nodes(node):
        yield from _calls(path, child, handlers)


def calls_in(source: str, path: str = "bot/x.py") -> list[Call]:
    return list(_calls(path, ast.parse(source)))


def complaints(call: Call) -> list[str]:
    """Say what is wrong with a call."""
    if not isinstance(call.node.args[0 if call.node.func.attr != "log" else 1], ast.Constant):  # type: ignore[attr-defined]
        return [f"{call}: the sentence is not a constant"]
    found = []
    for name in call.names():
        if name in WORDS and (call.path, name) not in ALLOWED:
            found.append(f"{call}: {name} may hold what somebody wrote")
        caught = call.caught(name)
        if caught is not None and not caught <= OURS:
            found.append(f"{call}: the text of {sorted(caught - OURS)} may quote content")
        if name in ("why", "reason") and caught is None and (call.path, name) not in SENTENCES:
            found.append(f"{call}: {name} is of unknown origin")
    return found


ALL = [
    call
    for package in ("bot", "adapters", "engine")
    for file in sorted((ROOT / package).rglob("*.py"))
    for call in calls_in(file.read_text(encoding="utf-8"), str(file.relative_to(ROOT)))
]


def test_no_logger_is_given_what_people_wrote() -> None:
    assert len(ALL) > 100
    assert [said for call in ALL for said in complaints(call)] == []


@pytest.mark.parametrize(
    "source",
    [
        "logger.info('it said %s', said.text)",
        "logger.info('it said %s', prompt[:20])",
        "logger.info(f'it said {word}')",
        "logger.info('it said ' + word)",
        "self._logger.debug('%s', repr(inbound))",
        "try:\n    pass\nexcept ValueError as exc:\n    logger.warning('failed: %s', exc)",
        "try:\n    pass\nexcept (StoreUnavailable, KeyError) as exc:\n    logger.warning('failed: %s', str(exc))",
        "logger.warning('it is out: %s', why)",
    ],
)
def test_a_call_that_could_tell_content_is_found(source: str) -> None:
    assert complaints(calls_in(source)[0])


@pytest.mark.parametrize(
    "source",
    [
        "logger.info('turn %s took %.1f s', turn.id, took_s)",
        "logger.warning('%d bytes', len(exc.raw))",
        "try:\n    pass\nexcept ValueError as exc:\n    logger.warning('failed: %s', type(exc).__name__)",
        "try:\n    pass\nexcept StoreUnavailable as exc:\n    logger.warning('failed: %s', exc)",
    ],
)
def test_a_call_of_ids_sizes_and_times_is_fine(source: str) -> None:
    assert not complaints(calls_in(source)[0])
