"""Install what Aside needs below its data directory: `python3 deploy/install.py app engine model`.

Runs on a bare Python, without any package. This file is kept so plain that an old Python reads it and can say
what is wrong.
"""

import sys
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 13)


def main():  # noqa: ANN201 - plain enough for an old Python
    """Refuse an unsuitable Python in one sentence, else install."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        sys.stderr.write(
            f"Aside needs Python 3.11 (3.12 and 3.13 are untested), and {sys.executable} is "
            f"{sys.version_info[0]}.{sys.version_info[1]}. "
            "Install Python 3.11, then name it: make run PYTHON=python3.11\n"
        )
        return 1
    # The facts about this machine are shared with `aside doctor`, in the source tree above this folder.
    sys.path.insert(1, str(Path(__file__).resolve().parent.parent))
    from aside_install.command import run  # noqa: PLC0415 - an old Python could not read it

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
