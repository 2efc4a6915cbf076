"""`aside adapters`: which platforms are configured, how they fare, and what the operator must do."""

from argparse import ArgumentParser, Namespace
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from adapters.base import AdapterState
from adapters.checking import Finding, Standing
from adapters.errors import AdapterError
from bot.commands.actions import add_action, run_action
from bot.commands.base import Command
from bot.doctor.running import NotRunning, ask
from bot.errors import SettingsError
from bot.settings import Settings

_TODO: Final[Mapping[str, str]] = {
    AdapterState.CONNECTING.value: "wait a moment; if it stays so, `aside adapters check {name}` says why",
    AdapterState.CONNECTED.value: "",
    AdapterState.TRANSIENT_DISCONNECT.value: (
        "nothing: it comes back by itself; if it does not, `aside adapters check {name}` says why"
    ),
    AdapterState.BAD_CREDENTIALS.value: "put the right credentials into [{name}] of the settings and restart",
    AdapterState.BLOCKED.value: "ask the platform why it shut this account out",
}
_NOT_RUNNING: Final = "not running"
_MARKS: Final[Mapping[Standing, str]] = {Standing.OK: "ok", Standing.WARN: "warn", Standing.FAIL: "FAIL"}


def _add_arguments(parser: ArgumentParser) -> None:
    parser.set_defaults(action=_list)
    actions = parser.add_subparsers(metavar="ACTION")
    add_action(
        actions, "list", _list, "show each configured platform, its state and what to do (the default)"
    )
    check = add_action(actions, "check", _check, "call a platform and report what it can and cannot see")
    check.add_argument("name", help="an adapter's name, as the list shows it")


async def _list(_: Namespace, settings: Settings) -> int:
    from bot.bootstrap import open_platforms

    async with open_platforms(settings) as platforms:
        names = sorted(platforms)
    try:
        running = ask(settings).get("adapters") or {}
        states = {name: str(running.get(name, _NOT_RUNNING)) for name in {*names, *running}}
    except NotRunning as exc:
        print(exc)
        states = dict.fromkeys(names, _NOT_RUNNING)
    print(listing(states))
    needs_somebody = (AdapterState.BAD_CREDENTIALS.value, AdapterState.BLOCKED.value)
    return 1 if any(state in needs_somebody for state in states.values()) else 0


async def _check(arguments: Namespace, settings: Settings) -> int:
    from bot.bootstrap import open_platforms

    async with open_platforms(settings) as platforms:
        platform = platforms.get(arguments.name)
        if platform is None:
            raise SettingsError(_not_configured(arguments.name, platforms))
        if platform.checks is None:
            print(f"{arguments.name} brings no check of its own: there is nothing to check.")
            return 0
        try:
            findings: Sequence[Finding] = await platform.checks.check()
        except AdapterError as exc:
            findings = (_unasked(exc),)
    print(report(findings))
    return 1 if any(finding.standing is Standing.FAIL for finding in findings) else 0


def listing(states: Mapping[str, str]) -> str:
    """Put adapters and their states into lines, each with what must be done. Pure."""
    if not states:
        return "No platform is configured."
    wide, state_wide = max(map(len, states)), max(map(len, states.values()))
    lines = (
        f"{name:<{wide}}  {state:<{state_wide}}  {_TODO.get(state, '').format(name=name)}"
        for name, state in sorted(states.items())
    )
    return "\n".join(line.rstrip() for line in lines)


def report(findings: Collection[Finding]) -> str:
    """Put findings into lines, each with its remedy below. Pure."""
    if not findings:
        return "Nothing was found to report."
    wide = max(len(finding.name) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{_MARKS[finding.standing]:<4}  {finding.name:<{wide}}  {finding.found}")
        if finding.remedy:
            lines.append(f"{'':<{6 + wide}}  → {finding.remedy}")
    return "\n".join(lines)


def _unasked(error: AdapterError) -> Finding:
    return Finding(
        name="connection",
        standing=Standing.FAIL,
        found=f"The platform could not be asked: {type(error).__name__}: {error}",
        remedy="Check the credentials and that this machine reaches the platform.",
    )


def _not_configured(name: str, platforms: Collection[str]) -> str:
    there = ", ".join(sorted(platforms)) or "none"
    return f"{name} is not configured here (configured: {there}): add its section to the settings first"


ADAPTERS = Command(
    name="adapters",
    summary="show the configured platforms and how they fare, or check one",
    run=run_action,
    add_arguments=_add_arguments,
)
