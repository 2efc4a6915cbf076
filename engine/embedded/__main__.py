"""`python -m engine.embedded --out DIR`: make the bundled model's checkpoint, or check the one that is there."""

import argparse
import sys
from pathlib import Path

from engine.embedded.errors import EmbeddedModelError
from engine.embedded.manifest import check, is_complete
from engine.embedded.progress import Progress


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status: 0, or 1 with one sentence on standard error."""
    parser = argparse.ArgumentParser(prog="python -m engine.embedded", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the folder the checkpoint will be")
    parser.add_argument(
        "--verify", action="store_true", help="only read the checkpoint through and check its sums"
    )
    options = parser.parse_args(arguments)
    try:
        _run(options.out.absolute(), verify=options.verify)
    except EmbeddedModelError as exc:
        print(exc, file=sys.stderr)  # noqa: T201 - a command speaks to a person
        return 1
    except OSError as exc:
        print(f"the model could not be written: {exc}", file=sys.stderr)  # noqa: T201 - a command speaks to a person
        return 1
    return 0


def _run(out: Path, *, verify: bool) -> None:
    progress = Progress()
    if verify:
        files = check(out, sums=True).files
        progress.note(
            f"{len(files)} files, {sum(file.size_bytes for file in files) / 1e6:.0f} MB, all as recorded"
        )
    elif is_complete(out):
        progress.note(f"the model is already in {out}")
    else:
        _make(out, progress)


def _make(out: Path, progress: Progress) -> None:
    # Only now the heavy imports: asking whether there is anything to do must stay cheap.
    try:
        from engine.embedded.checkpoint import make  # noqa: PLC0415 - see above
        from engine.embedded.source import locate  # noqa: PLC0415 - see above
    except ImportError as exc:
        raise EmbeddedModelError(
            f"this Python has no {exc.name}: run `make setup`, and start this with the engine environment's Python"
        ) from exc
    make(locate(), out, progress)
    progress.note(f"the model is in {out}; it shows the machinery, not the quality")


if __name__ == "__main__":
    sys.exit(main())
