"""The embedded Valkey: a child on a unix socket, started with us, restarted when it dies, gone when we are."""

import asyncio
import logging
import random
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Self

from redis.exceptions import RedisError

from bot.errors import StartupError
from bot.servers.valkey_config import valkey_config
from bot.servers.valkey_paths import make_private_directory, socket_path, valkey_binary
from bot.store.redis_client import open_redis
from engine.child import Child, ChildFailed, Command

logger = logging.getLogger(__name__)

#: An append-only file of gigabytes takes a while to load.
_ANSWER_S = 60.0
#: What a predecessor that was killed needs to write its last second and go.
_PREDECESSOR_S = 15.0
_POLL_S = 0.02
_FIRST_BACKOFF_S = 0.1
_LONGEST_BACKOFF_S = 5.0


class EmbeddedValkey:
    """Runs Valkey with its data in `directory`; enter to start it, leave to stop it in order.

    Entering raises `StartupError`, with the reason, when it does not answer. A later death is mended with backoff and
    logged once; until it answers again, clients see a server out of reach. The child dies with this process.
    """

    def __init__(self, directory: Path, *, log: Path | None = None, grace_s: float = 10.0) -> None:
        self._directory = directory.absolute()
        self._log = log or self._directory / "valkey.log"
        self._grace_s = grace_s
        self._socket = socket_path(self._directory, Path(tempfile.gettempdir()))
        self._owner: asyncio.Task[None] | None = None
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """Where it listens, as a URL for `open_redis`."""
        return f"unix://{self._socket}"

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._child.pid if self._child is not None else None

    async def __aenter__(self) -> Self:
        """Start it and wait until it answers."""
        command = self._prepare()
        await self._wait_for_predecessor()
        answers = asyncio.Event()
        self._owner = asyncio.create_task(self._run(command, answers), name="embedded Valkey")
        first = asyncio.create_task(answers.wait())
        try:
            await asyncio.wait([first, self._owner], return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self._stop()
            raise
        finally:
            first.cancel()
        if self._owner.done():
            await self._owner
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop it; what it was told is on disk then."""
        await self._stop()

    async def _run(self, command: Command, answers: asyncio.Event) -> None:
        """Keep it running; only a failure before its first answer ends this."""
        backoff_s = _FIRST_BACKOFF_S
        away = False
        while True:
            try:
                async with Child(command) as child:
                    await self._until_it_answers(child)
                    self._child = child
                    answers.set()
                    if away:
                        logger.info("the embedded Valkey works again, process %d", child.pid)
                    away, backoff_s = False, _FIRST_BACKOFF_S
                    reason = f"it ended with status {await child.wait()}"
            except (ChildFailed, StartupError) as exc:
                if not answers.is_set():
                    raise StartupError(f"the embedded Valkey does not start: {exc}") from exc
                reason = str(exc)
            finally:
                self._child = None
            if not away:
                logger.error(
                    "the embedded Valkey is gone and will be started again: %s; its log: %s",
                    reason,
                    self._log,
                )
            away = True
            await asyncio.sleep(random.uniform(backoff_s / 2, backoff_s))  # noqa: S311 - jitter, no secret
            backoff_s = min(backoff_s * 2, _LONGEST_BACKOFF_S)

    async def _stop(self) -> None:
        if self._owner is None:
            return
        self._owner.cancel()
        with suppress(asyncio.CancelledError, StartupError):
            await self._owner

    def _prepare(self) -> Command:
        """Write the configuration and make the directories."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._socket.parent != self._directory:
            make_private_directory(self._socket.parent)
        config = self._directory / "valkey.conf"
        config.write_text(valkey_config(data=self._directory, socket=self._socket), encoding="utf-8")
        return Command(
            name="Valkey",
            argv=(str(valkey_binary()), str(config)),
            env={"LC_ALL": "C.UTF-8"},
            log=self._log,
            cwd=self._directory,
            grace_s=self._grace_s,
        )

    async def _wait_for_predecessor(self) -> None:
        """Wait for a Valkey of ours that outlived a killed parent by a moment: two on one data set would ruin it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PREDECESSOR_S):
                while await self._somebody_listens():  # noqa: ASYNC110 - another process sets no event of ours
                    await asyncio.sleep(_POLL_S)
                return
        raise StartupError(
            f"another Aside already runs on {self._directory}: "
            "stop it, or choose another data directory (ASIDE_DATA_DIR)"
        )

    async def _somebody_listens(self) -> bool:
        try:
            _, writer = await asyncio.open_unix_connection(self._socket)
        except OSError:
            return False
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return True

    async def _until_it_answers(self, child: Child) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_ANSWER_S):
                while not await self._answers():
                    if child.exit_status is not None:
                        raise StartupError(f"status {child.exit_status}: {child.last_lines(3)}")
                    await asyncio.sleep(_POLL_S)
                return
        raise StartupError(f"no answer for {_ANSWER_S:g} s: {child.last_lines(3)}")

    async def _answers(self) -> bool:
        try:
            async with open_redis(self.url, timeout_s=1.0) as client:
                return bool(await client.ping())
        except (RedisError, OSError):
            return False
