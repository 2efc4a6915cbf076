"""`aside doctor`: what is missing or wrong on this machine, and how to mend it."""

import asyncio
from argparse import Namespace
from collections.abc import AsyncIterator, Sequence

from bot.commands.base import Command
from bot.doctor.finding import Finding, Level
from bot.settings import LoadedSettings, Settings


def _run(_: Namespace, loaded: LoadedSettings) -> int:
    return asyncio.run(_report(loaded.settings))


async def _report(settings: Settings) -> int:
    findings: list[Finding] = []
    async for finding in examine(settings):
        print(finding.line(), flush=True)
        findings.append(finding)
    print(f"\n{verdict(findings)}")
    return 1 if any(finding.level is Level.FAIL for finding in findings) else 0


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Run every check, the machine's first; none of them changes anything."""
    from bot.doctor.engine import check_engine
    from bot.doctor.files import check_data_dir, check_key_file
    from bot.doctor.gpu import check_gpu
    from bot.doctor.host import read_host
    from bot.doctor.machine import check_disk, check_machine
    from bot.doctor.ports import check_gateway_port, check_page_port
    from bot.doctor.servers import check_database, check_redis

    for finding in check_machine(read_host(), embedded_engine=not settings.engine.url):
        yield finding
    yield check_disk(settings.data.root)
    yield await asyncio.to_thread(check_gpu)
    yield check_data_dir(settings.data)
    yield check_key_file(settings.vault_key_file)
    yield await asyncio.to_thread(check_gateway_port, settings)
    yield await asyncio.to_thread(check_page_port, settings)
    yield await check_redis(settings)
    yield await check_database(settings)
    yield await asyncio.to_thread(check_engine, settings)


def verdict(findings: Sequence[Finding]) -> str:
    """Sum the findings up in a sentence."""
    failed = sum(finding.level is Level.FAIL for finding in findings)
    warned = sum(finding.level is Level.WARN for finding in findings)
    if failed:
        return f"{failed} of {len(findings)} checks failed: mend them, then run `aside doctor` again."
    if warned:
        return f"Everything Aside needs is here; {warned} to know about."
    return "Everything Aside needs is here."


DOCTOR = Command(name="doctor", summary="say what is missing or wrong here, and how to mend it", run=_run)
