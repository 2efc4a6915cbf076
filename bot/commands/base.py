"""What a subcommand of `aside` is."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass

from bot.settings import LoadedSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One subcommand: its options, and what it does."""

    name: str
    #: What it does, in one line of `aside --help`.
    summary: str
    #: Returns the exit status; raises `AsideError` for what a person must know.
    run: Callable[[Namespace, LoadedSettings], int]
    #: Declares options beyond the common ones.
    add_arguments: Callable[[ArgumentParser], None] = lambda _: None
