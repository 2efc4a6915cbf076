"""The project's own roles on fake platforms: `python -m tests.platforms.roles worker --data-dir DIR`.

Which platforms there are stands in the environment as JSON, a name for each:

    FAKE_PLATFORMS='{"cloud_a": {"url": "http://127.0.0.1:1", "class": "A", "live": "edit", "secret": "s"}}'
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from adapters.base import Platform
from bot.additions import Additions, Ground
from bot.commands.role import run_role
from bot.errors import AsideError
from bot.roles import run_gateway, run_up, run_worker
from bot.settings import load_settings
from tests.platforms.adapter import platform
from tests.platforms.cloud_settings import CloudSettings

VARIABLE: Final = "FAKE_PLATFORMS"
ROLES: Final = {"gateway": run_gateway, "worker": run_worker, "up": run_up}


def clouds(environ: Mapping[str, str]) -> tuple[CloudSettings, ...]:
    """Read which fake platforms there are."""
    return tuple(
        CloudSettings.from_wire(name, wire) for name, wire in json.loads(environ.get(VARIABLE, "{}")).items()
    )


def additions(settings: tuple[CloudSettings, ...]) -> Additions:
    """Bring them along."""

    def platforms(_ground: Ground) -> list[Platform]:
        return [platform(cloud) for cloud in settings]

    return Additions(platforms=platforms)


def brought(environ: Mapping[str, str]) -> Additions:
    """Bring along what the environment names."""
    return additions(clouds(environ))


def main(bring: Callable[[Mapping[str, str]], Additions] = brought) -> int | str:
    """Run one role until it is told to stop; return its exit status, or what a person must know."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("role", choices=sorted(ROLES))
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--config", type=Path)
    args = parser.parse_args()
    try:
        settings = load_settings({"data_dir": args.data_dir}, config=args.config).settings
        return run_role(args.role, partial(ROLES[args.role], additions=bring(os.environ)), settings)
    except AsideError as exc:
        return str(exc)


if __name__ == "__main__":
    sys.exit(main())
