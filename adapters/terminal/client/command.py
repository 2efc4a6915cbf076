"""`aside chat`: its options, and what it does with them."""

import argparse
import asyncio
import getpass
import os
import sys
from contextlib import ExitStack
from pathlib import Path

from adapters.terminal.client.editor import LineEditor
from adapters.terminal.client.keyboard import raw_keys, typed_text
from adapters.terminal.client.link import Link, NotRunning, TurnedAway
from adapters.terminal.client.once import Unanswered, ask_once
from adapters.terminal.client.screen import PlainScreen, Screen, TtyScreen
from adapters.terminal.client.session import Session
from adapters.terminal.door import SocketRefused, checked_path
from adapters.terminal.settings import SAID_LIMIT, default_socket

_NOT_RUNNING = "Aside is not running here: start it with make run (or aside up)."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `aside chat`."""
    parser.add_argument(
        "--chat", metavar="NAME", help="the group to enter; without it you are alone with the assistant"
    )
    parser.add_argument(
        "--as", dest="person", metavar="PERSON", help="your name; by default the one you logged in with"
    )
    parser.add_argument(
        "--once", action="store_true", help="send standard input as one message and print the reply"
    )
    parser.add_argument(
        "--timeout", type=float, default=600.0, metavar="S", help="with --once: how long to wait"
    )
    parser.add_argument("--socket", type=Path, metavar="PATH", help="where Aside listens")
    parser.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="Aside's data directory, which holds its socket"
    )


def run(args: argparse.Namespace) -> int:
    """Chat as the options say; return the exit status."""
    why = ""
    try:
        path = checked_path(args.socket or default_socket(args.data_dir or Path("var")))
        person = args.person or _login_name()
        asyncio.run(_once(path, person, args) if args.once else _interactive(path, person, args))
    except* NotRunning:
        why = _NOT_RUNNING
    except* PermissionError:
        why = "Aside runs here for another user: its socket may only be opened by whoever started it."
    except* (TurnedAway, Unanswered, SocketRefused) as group:
        why = str(_first(group))
    except* KeyboardInterrupt:
        why = "Left."
    if why:
        print(why, file=sys.stderr)
    return 1 if why else 0


async def _once(path: Path, person: str, args: argparse.Namespace) -> None:
    text = sys.stdin.buffer.read().decode("utf-8", "replace").strip("\r\n")
    if not text.strip():
        raise Unanswered("There is nothing to send: give the message on standard input.")
    if len(text) > SAID_LIMIT:
        raise Unanswered(f"This message is too long: {len(text)} characters, and {SAID_LIMIT} fit at most.")
    print(await ask_once(Link(path, person=person, chat=args.chat), text, args.timeout))


async def _interactive(path: Path, person: str, args: argparse.Namespace) -> None:
    link, editor, keys = Link(path, person=person, chat=args.chat), LineEditor(), sys.stdin.fileno()
    is_typed = os.isatty(keys) and _can_draw()
    screen: Screen = PlainScreen(sys.stdout)
    if is_typed:
        screen = TtyScreen(sys.stdout, editor, colour="NO_COLOR" not in os.environ)
    with ExitStack() as terminal:
        if is_typed:
            terminal.enter_context(raw_keys(keys))
        session = Session(link, screen, editor, is_typed=is_typed, patience_s=args.timeout)
        await session.run(typed_text(keys))


def _can_draw() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise Unanswered("Say who you are: aside chat --as NAME") from None


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
