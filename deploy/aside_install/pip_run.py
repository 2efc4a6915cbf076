"""Runs pip in an environment: its words go to a log file, its progress to one line."""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from aside_install.disk import taken_bytes
from aside_install.errors import InstallError, VersionNotFound
from aside_install.progress import ProgressLine
from aside_install.sizes import megabytes

TAIL_LINES = 12
LOOK_EVERY_S = 0.5
#: Adding up an environment's files takes a moment itself.
WEIGH_EVERY_S = 3.0
END_WITHIN_S = 10.0
_COLLECTED = re.compile(r"^(?:Collecting|Requirement already satisfied:|Processing) ", re.MULTILINE)
#: pip's words for a version that no configured source has.
_NOT_FOUND = re.compile(r"^ERROR: (?:No matching distribution|Could not find a version)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pip:
    """pip of one environment, with a log file; the user's own pip configuration holds."""

    environment: Path
    log: Path
    #: Where pip unpacks what it downloads: on the same disk as everything else.
    temporary: Path

    def install(self, arguments: Sequence[str], *, progress: ProgressLine, packages: int) -> None:
        """Run `pip install`; `packages` is how many it will collect.

        Raises `VersionNotFound` when the sources lack a pinned version, else `InstallError`,
        both with pip's last words and the log's path.
        """
        python = str(self.environment / "bin" / "python")
        command = [python, "-m", "pip", "install", "--no-input", "--progress-bar", "off", *arguments]
        start = self.log.stat().st_size if self.log.exists() else 0
        self.temporary.mkdir(parents=True, exist_ok=True)
        try:
            with self.log.open("ab") as log, tempfile.TemporaryDirectory(dir=self.temporary) as scratch:
                status = self._run(command, log, scratch, progress=progress, start=start, packages=packages)
        finally:
            # Gone unless another installation uses it.
            with suppress(OSError):
                self.temporary.rmdir()
        if status != 0:
            progress.abandon()
            raise _failure(self._words(start), self.log)

    def _run(
        self,
        command: list[str],
        log: IO[bytes],
        scratch: str,
        *,
        progress: ProgressLine,
        start: int,
        packages: int,
    ) -> int:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_environ(scratch)
        )
        try:
            return self._watch(process, progress, start, packages)
        finally:
            _end(process)

    def _watch(
        self, process: "subprocess.Popen[bytes]", progress: ProgressLine, start: int, packages: int
    ) -> int:
        weight, weighed = 0, 0.0
        while True:
            try:
                return process.wait(timeout=LOOK_EVERY_S)
            except subprocess.TimeoutExpired:
                words = self._words(start)
            if "Installing collected packages" not in words:
                collected = min(packages, len(_COLLECTED.findall(words)))
                progress.show(f"{collected} of {packages} packages collected")
            else:
                if time.monotonic() - weighed > WEIGH_EVERY_S:
                    weight, weighed = taken_bytes(self.environment), time.monotonic()
                progress.show(f"unpacking, {megabytes(weight)} so far")

    def _words(self, start: int) -> str:
        with self.log.open("rb") as log:
            log.seek(start)
            return log.read().decode(errors="replace")


def _environ(scratch: str) -> dict[str, str]:
    return {
        **os.environ,
        "TMPDIR": scratch,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        # Both would install beside the environment instead of into it.
        "PIP_USER": "0",
        "PYTHONNOUSERSITE": "1",
    }


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Leave no pip behind, however the wait ended."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=END_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _failure(words: str, log: Path) -> InstallError:
    lines = [line for line in words.splitlines() if line.strip() and not line.startswith("WARNING:")]
    tail = "\n".join(f"  {line}" for line in lines[-TAIL_LINES:])
    kind = VersionNotFound if _NOT_FOUND.search(words) else InstallError
    return kind(f"pip could not install everything. Its last words:\n{tail}\nAll of them are in {log}")
