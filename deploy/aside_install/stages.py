"""The stages of an installation: what each makes, whether it is done, what it costs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aside_install import sizes
from aside_install.environment import Environment
from aside_install.errors import InstallError
from aside_install.lock import Lock
from aside_install.progress import ProgressLine
from aside_install.sizes import Size
from aside_install.stamp import Stamp, project_sha256, running_python, stamp_for

#: The engine's lock holds wheels for this Python only.
ENGINE_PYTHON = "3.11"
PROJECT = "project"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One thing to be there, and how to make it."""

    title: str
    size: Size
    is_done: Callable[[], bool]
    make: Callable[[ProgressLine], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The source tree and the data directory, both absolute."""

    root: Path
    data: Path

    @property
    def app(self) -> Path:
        """The application's environment."""
        return self.data / "env" / "app"

    @property
    def engine(self) -> Path:
        """The embedded engine's environment."""
        return self.data / "env" / "engine"

    @property
    def model(self) -> Path:
        """The embedded model."""
        return self.data / "models" / "embedded"

    @property
    def logs(self) -> Path:
        """The logs of installations."""
        return self.data / "logs"

    def lock(self, name: str) -> Lock:
        """Read one of the lock files."""
        return Lock.read(self.root / "deploy" / "locks" / f"{name}.txt")


def app_stage(places: Places) -> Stage:
    """Make the environment that runs Aside; the developers' one contains it and serves as well."""
    app = Environment(name="app", place=places.app, lock=places.lock("app"), logs=places.logs)
    dev = Environment(name="dev", place=places.app, lock=places.lock("dev"), logs=places.logs)

    def is_done() -> bool:
        return (app.is_done() or dev.is_done()) and _project_stands(app, places.root)

    return Stage(
        title="application environment",
        size=sizes.APP,
        is_done=is_done,
        make=lambda progress: _make_with_project(dev if dev.is_done() else app, places.root, progress),
    )


def dev_stage(places: Places) -> Stage:
    """Make the environment that runs Aside and its tests and checks."""
    dev = Environment(name="dev", place=places.app, lock=places.lock("dev"), logs=places.logs)
    return Stage(
        title="application environment with test tools",
        size=sizes.DEV,
        is_done=lambda: dev.is_done() and _project_stands(dev, places.root),
        make=lambda progress: _make_with_project(dev, places.root, progress),
    )


def engine_stage(places: Places) -> Stage:
    """Make the environment that runs vLLM on the processor, of its own and without dependency resolution."""
    engine = Environment(
        name="engine",
        place=places.engine,
        lock=places.lock("engine"),
        logs=places.logs,
        python=_engine_python(),
        release=ENGINE_PYTHON,
        torch_first=True,
    )
    return Stage(title="engine environment", size=sizes.ENGINE, is_done=engine.is_done, make=engine.make)


def model_stage(places: Places) -> Stage:
    """Make the embedded model's checkpoint out of the bundled one; its own program shows progress."""
    # In the source tree, and of the standard library only.
    from engine.embedded.manifest import is_complete  # noqa: PLC0415 - found once install.py has set the path

    return Stage(
        title="embedded model",
        size=sizes.MODEL,
        is_done=lambda: is_complete(places.model),
        make=lambda _: _make_model(places),
    )


def _engine_python() -> str:
    """Find the Python for the engine; a missing one is only an error when it is needed."""
    if running_python() == ENGINE_PYTHON:
        return sys.executable
    return shutil.which(f"python{ENGINE_PYTHON}") or f"python{ENGINE_PYTHON}"


def _make_with_project(environment: Environment, root: Path, progress: ProgressLine) -> None:
    if not environment.is_done():
        environment.make(progress)
    pip = environment.pip()
    # The build backend is pinned in the lock; nothing is fetched for this.
    pip.install(["--no-deps", "--no-build-isolation", "-e", str(root)], progress=progress, packages=1)
    _project_stamp(environment, root).write(environment.place, PROJECT)
    progress.close("the command `aside` is installed")


def _project_stands(environment: Environment, root: Path) -> bool:
    return _project_stamp(environment, root).stands(environment.place, PROJECT)


def _project_stamp(environment: Environment, root: Path) -> Stamp:
    return stamp_for(project_sha256(root), environment.place, environment.release)


def _make_model(places: Places) -> None:
    places.model.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = [str(places.engine / "bin" / "python"), "-m", "engine.embedded", "--out", str(places.model)]
    made = subprocess.run(command, cwd=places.root, env={**os.environ, "HF_HUB_OFFLINE": "1"}, check=False)
    if made.returncode != 0:
        raise InstallError(
            "The embedded model was not made; the reason stands above. Run the same command again."
        )
