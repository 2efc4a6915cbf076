"""Everything the program keeps on disk, under one directory, for its owner alone."""

import os
from dataclasses import dataclass
from pathlib import Path

from bot.errors import StartupError

#: Systems allow 103 to 107 bytes (`man 7 unix`); below that, everybody is safe.
SOCKET_PATH_BYTES = 100


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """Where each kind of file lies below `root`, an absolute path."""

    root: Path

    @property
    def app_env(self) -> Path:
        """The application's Python environment."""
        return self.root / "env" / "app"

    @property
    def engine_env(self) -> Path:
        """The embedded engine's Python environment."""
        return self.root / "env" / "engine"

    @property
    def engine_python(self) -> Path:
        """The interpreter that runs vLLM."""
        return self.engine_env / "bin" / "python"

    @property
    def gpu_engine_python(self) -> Path:
        """The interpreter that runs vLLM on GPUs, in an environment of its own."""
        return self.root / "env" / "engine-gpu" / "bin" / "python"

    @property
    def models(self) -> Path:
        """All models."""
        return self.root / "models"

    @property
    def embedded_model(self) -> Path:
        """The embedded model's checkpoint, a directory."""
        return self.models / "embedded"

    @property
    def database(self) -> Path:
        """SQLite's file; its journal lies beside it."""
        return self.root / "db" / "aside.sqlite"

    @property
    def valkey(self) -> Path:
        """The embedded Valkey's append-only file."""
        return self.root / "valkey"

    @property
    def run(self) -> Path:
        """Sockets and signs of life of what runs now."""
        return self.root / "run"

    @property
    def valkey_socket(self) -> Path:
        """Where the embedded Valkey listens."""
        return self.run / "valkey.sock"

    @property
    def engine_socket(self) -> Path:
        """Where the embedded engine listens."""
        return self.run / "engine.sock"

    @property
    def terminal_socket(self) -> Path:
        """Where `aside chat` connects."""
        return self.run / "terminal.sock"

    @property
    def worker_pulse(self) -> Path:
        """The worker's sign of life."""
        return self.run / "worker.pulse"

    @property
    def logs(self) -> Path:
        """One log file a process."""
        return self.root / "logs"

    @property
    def keys(self) -> Path:
        """The vault's key files."""
        return self.root / "keys"

    @property
    def vault_key(self) -> Path:
        """The key that seals what people write."""
        return self.keys / "vault.key"

    def create(self) -> None:
        """Make the directories that are missing, readable by their owner only; safe to repeat.

        Raises `StartupError` when one cannot be made, or when sockets below `root` had too long a path.
        """
        if len(os.fsencode(self.terminal_socket)) > SOCKET_PATH_BYTES:
            raise StartupError(
                f"The data directory {self.root} has too long a path: sockets below it may have at most "
                f"{SOCKET_PATH_BYTES} bytes. Choose a shorter one with --data-dir or ASIDE_DATA_DIR."
            )
        try:
            self._make_directories()
        except OSError as exc:
            raise StartupError(
                f"The data directory {self.root} cannot be used: {exc.strerror}. Give yourself write access "
                "to it, or choose another with --data-dir or ASIDE_DATA_DIR."
            ) from exc

    def _make_directories(self) -> None:
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        private = (self.database.parent, self.valkey, self.run, self.logs, self.keys)
        for directory in (self.app_env.parent, self.models, *private):
            directory.mkdir(mode=0o700, exist_ok=True)
        for directory in private:
            directory.chmod(0o700)
