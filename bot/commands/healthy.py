"""`aside healthy`: whether a role that should run here does; for containers and watchdogs, which read its status."""

from argparse import ArgumentParser, Namespace

from bot.commands.base import Command
from bot.doctor.running import NotRunning, require_ready
from bot.settings import LoadedSettings, Settings
from bot.telemetry.pulse import SILENT_S, silent_for_s


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("role", choices=("gateway", "worker"), help="which role to look at")


def _run(args: Namespace, loaded: LoadedSettings) -> int:
    try:
        if args.role == "gateway":
            require_ready(loaded.settings)
        else:
            _require_pulse(loaded.settings)
    except NotRunning as exc:
        print(exc)
        return 1
    print(f"The {args.role} is healthy.")
    return 0


def _require_pulse(settings: Settings) -> None:
    path = settings.data.worker_pulse
    silent_s = silent_for_s(path)
    if silent_s == float("inf"):
        raise NotRunning(f"No worker runs on this data directory: there is no pulse in {path}.")
    if silent_s > SILENT_S:
        raise NotRunning(
            f"The worker has shown no sign of life for {silent_s:.0f} s: it hangs, or was killed. Restart it."
        )


HEALTHY = Command(
    name="healthy",
    summary="say whether the gateway or worker that should run here does; exit status 1 if not",
    run=_run,
    add_arguments=_add_arguments,
)
