"""`aside profiles`: the models that can be started here, and the hardware each is for."""

import shutil
import textwrap
from argparse import Namespace

from bot.commands.base import Command
from bot.settings import LoadedSettings
from engine.profile import Profile

WIDEST = 110
INDENT = 12
FOOT = (
    "Warm chats are computed for 4,096 tokens each, not measured. `aside up --profile NAME` starts one with "
    "everything else, `aside engine --profile NAME --print` shows its command."
)


def _run(_: Namespace, loaded: LoadedSettings) -> int:
    width = min(WIDEST, shutil.get_terminal_size().columns)
    chosen = "" if loaded.settings.engine.url else loaded.settings.engine.profile
    for profile in Profile.all_bundled():
        print(describe(profile, chosen=profile.name == chosen, width=width), end="\n\n")
    print(textwrap.fill(FOOT, width=width, break_on_hyphens=False))
    return 0


def describe(profile: Profile, *, chosen: bool = False, width: int = WIDEST) -> str:
    """Put a profile into lines of at most this width."""
    rows = (
        ("for", profile.summary),
        ("hardware", profile.hardware),
        ("model", profile.model or "made here, once, by `make run`"),
        ("licence", profile.licence),
        ("access", _access(profile)),
    )
    head = f"{profile.name}  (set now)" if chosen else profile.name
    return "\n".join([head, *(_row(name, text, width) for name, text in rows if text)])


def _access(profile: Profile) -> str:
    if profile.model is None:
        return ""
    page = f"https://huggingface.co/{profile.model}"
    return (
        f"gated: accept its terms at {page}, then download it"
        if profile.gated
        else f"download it from {page}"
    )


def _row(name: str, text: str, width: int) -> str:
    return textwrap.fill(
        text,
        width=max(width, 2 * INDENT),
        initial_indent=f"  {name:<{INDENT - 2}}",
        subsequent_indent=" " * INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


PROFILES = Command(
    name="profiles",
    summary="list the models that can be started here, and the hardware each is for",
    run=_run,
)
