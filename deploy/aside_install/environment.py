"""Makes a pinned Python environment: venv, packages by hash without dependency resolution, stamp last."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from aside_install import stamp
from aside_install.disk import taken_bytes
from aside_install.errors import InstallError, VersionNotFound
from aside_install.lock import Lock
from aside_install.pip_run import Pip
from aside_install.progress import ProgressLine
from aside_install.sizes import megabytes

#: Where PyTorch publishes its builds for processors; PyPI has none of them.
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PINNED = ("--no-deps", "--require-hashes", "-r")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An environment to be: where, from which lock, by which Python."""

    name: str
    place: Path
    lock: Lock
    logs: Path
    #: The Python that makes it.
    python: str = sys.executable
    release: str = stamp.running_python()
    #: Installed before all others, from PyTorch's own index where no configured source has it.
    torch_first: bool = False

    @property
    def _stamp(self) -> stamp.Stamp:
        return stamp.stamp_for(self.lock.sha256, self.place, self.release)

    def is_done(self) -> bool:
        """Tell whether exactly this lock is installed here."""
        return self._stamp.stands(self.place, self.name) and (self.place / "bin" / "python").exists()

    def make(self, progress: ProgressLine) -> None:
        """Install the lock; an interrupted installation begins anew. Raises `InstallError`."""
        progress.show("making an empty environment")
        self._prepare()
        stamp.begin(self.place)
        pip = self.pip()
        if self.torch_first:
            self._install_torch(pip, progress)
        self._install(pip, self.lock.text, progress)
        self._stamp.write(self.place, self.name)
        stamp.end(self.place)
        progress.close(f"done: {self.lock.count} packages, {megabytes(taken_bytes(self.place))}")

    def pip(self) -> Pip:
        """Give this environment's pip."""
        self.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Pip(
            environment=self.place,
            log=self.logs / f"install-{self.name}.log",
            temporary=self.place.parent / "tmp",
        )

    def _prepare(self) -> None:
        """Have an environment of the right Python, empty unless an earlier one can be completed."""
        if self.place.exists() and (
            stamp.was_interrupted(self.place) or self._release_here() != self.release
        ):
            shutil.rmtree(self.place)
        if self.place.exists():
            return
        made = subprocess.run(
            [self.python, "-m", "venv", str(self.place)], capture_output=True, text=True, check=False
        )
        if made.returncode != 0:
            shutil.rmtree(self.place, ignore_errors=True)
            raise InstallError(
                f"{self.python} cannot make environments: its module venv or ensurepip is missing. "
                f"On Debian and Ubuntu the package python{self.release}-venv has them; or name another: "
                "make run PYTHON=/path/to/python3.11"
            )

    def _release_here(self) -> str:
        try:
            lines = (self.place / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
        except OSError:
            return ""
        version = next((line.partition("=")[2].strip() for line in lines if line.startswith("version")), "")
        return ".".join(version.split(".")[:2])

    def _install_torch(self, pip: Pip, progress: ProgressLine) -> None:
        """Install torch alone: from the configured sources, or where they lack it from PyTorch's index."""
        torch = self.lock.only("torch")
        try:
            self._install(pip, torch, progress)
        except VersionNotFound:
            self._install(pip, torch, progress, "--extra-index-url", TORCH_CPU_INDEX)

    def _install(self, pip: Pip, lock_text: str, progress: ProgressLine, *options: str) -> None:
        requirements = self.place / ".requirements.txt"
        requirements.write_text(lock_text, encoding="utf-8")
        pip.install([*options, *PINNED, str(requirements)], progress=progress, packages=Lock(lock_text).count)
        requirements.unlink()
