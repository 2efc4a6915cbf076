"""What a subcommand of `aside` is."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

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
    #: Those of its options that are settings: by the option's name among the parsed arguments, the setting's.
    settings: Mapping[str, str] = field(default_factory=dict)
