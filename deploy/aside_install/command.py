"""The installer's command line."""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from aside_install.configured import Configured, read_configured
from aside_install.disk import free_bytes, require_free
from aside_install.errors import InstallError
from aside_install.plan import Target, announcement, choose, needed_bytes, why_no_engine
from aside_install.progress import ProgressLine
from aside_install.stages import (
    ENGINE_PYTHON,
    Places,
    Stage,
    app_stage,
    dev_stage,
    engine_stage,
    model_stage,
)
from aside_install.stamp import running_python
from bot.doctor.host import HostFacts, read_host

ROOT = Path(__file__).resolve().parent.parent.parent
INTERRUPTED = 130
STAGES = {
    Target.APP: app_stage,
    Target.DEV: dev_stage,
    Target.ENGINE: engine_stage,
    Target.MODEL: model_stage,
}


def run(argv: Sequence[str]) -> int:
    """Install what is missing and return the exit status."""
    options = _options(argv)
    try:
        configured = read_configured(ROOT, options.data_dir)
        if options.print_data_dir:
            print(configured.data_dir)
            return 0
        _install(_targets(options.targets), configured, tests=options.for_tests)
    except InstallError as exc:
        print(exc, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Run the same command again: what is done is kept.", file=sys.stderr)
        return INTERRUPTED
    return 0


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="deploy/install.py", description="Install what Aside needs.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="app, dev, engine or model")
    parser.add_argument("--data-dir", metavar="DIR", help="where everything is kept (default: var)")
    parser.add_argument(
        "--for-tests", action="store_true", help="install the embedded engine also where engine.url is set"
    )
    parser.add_argument("--print-data-dir", action="store_true", help="only say where the data directory is")
    return parser.parse_args(argv)


def _targets(names: Sequence[str]) -> list[Target]:
    unknown = [name for name in names if name not in tuple(Target)]
    if unknown or not names:
        raise InstallError(f"Say what to install: {', '.join(Target)}.")
    return [Target(name) for name in names]


def _install(targets: Sequence[Target], configured: Configured, *, tests: bool) -> None:
    host = read_host()
    _say_untested(host)
    has_python = running_python() == ENGINE_PYTHON or shutil.which(f"python{ENGINE_PYTHON}") is not None
    lacking = why_no_engine(host, has_engine_python=has_python)
    # The tests of the embedded engine need it also where another one is set.
    engine_url = "" if tests and not lacking else configured.engine_url
    wanted, sentence = choose(targets, engine_url=engine_url, lacking=lacking)
    if sentence:
        print(sentence)
    places = Places(root=ROOT, data=configured.data_dir)
    pending = [stage for stage in (STAGES[target](places) for target in wanted) if not stage.is_done()]
    if pending:
        _make(pending, places.data)


def _make(stages: Sequence[Stage], data: Path) -> None:
    free = free_bytes(data)
    print(announcement(stages, str(data), free), flush=True)
    require_free(data, needed_bytes(stages), free)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number, stage in enumerate(stages, start=1):
        print(f"[{number}/{len(stages)}] {stage.title}", flush=True)
        stage.make(ProgressLine())


def _say_untested(host: HostFacts) -> None:
    if host.python[:2] != (3, 11):
        version = ".".join(map(str, host.python))
        print(f"Aside is tested on Python 3.11; this is {version}, on which it is untested.", flush=True)
