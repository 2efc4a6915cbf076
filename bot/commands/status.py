"""`aside status`: what the assistant that runs here is doing."""

from argparse import Namespace
from typing import Any

from bot.commands.base import Command
from bot.doctor.running import NotRunning, ask
from bot.settings import LoadedSettings

MINUTE_S = 60
HOUR_S = 3_600


def _run(_: Namespace, loaded: LoadedSettings) -> int:
    try:
        body = ask(loaded.settings)
    except NotRunning as exc:
        print(exc)
        return 1
    print(render(body))
    return 0


def render(body: dict[str, Any]) -> str:
    """Put a status into lines for a person."""
    engine = body.get("engine") or {}
    state = " · ".join(str(engine[key]) for key in ("state", "model", "detail") if engine.get(key))
    waiting = str(body["waiting"])
    if body["waiting"]:
        waiting += f" (the oldest for {_span(float(body.get('oldest_s') or 0))})"
    adapters = ", ".join(f"{name} {state}" for name, state in sorted((body.get("adapters") or {}).items()))
    cached = body.get("cached_share")
    lines = (
        ("engine", state or "unknown"),
        *([("cached", f"{cached:.1%} of the prompts' tokens since the start")] if cached is not None else []),
        ("waiting", waiting),
        ("running", body.get("running", 0)),
        ("done", _counted(body, "done")),
        ("dead", f"{_counted(body, 'dead')} (given up: see `aside dead list`)" if body.get("dead") else 0),
        ("adapters", adapters or "none"),
    )
    return "\n".join(f"{name:<9} {value}" for name, value in lines)


def _counted(body: dict[str, Any], what: str) -> str:
    """Write a number that was counted up to a bound only."""
    number = int(body.get(what) or 0)
    return f"{number} or more" if number == body.get("most_counted") else str(number)


def _span(seconds: float) -> str:
    if seconds < MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < HOUR_S:
        return f"{seconds / MINUTE_S:.0f} min"
    return f"{seconds / HOUR_S:.1f} h"


STATUS = Command(name="status", summary="show what waits, runs and is done, and how the engine is", run=_run)
