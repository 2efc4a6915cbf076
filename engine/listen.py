"""Where an engine listens: a unix socket or a loopback port, nothing else."""

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from engine.errors import LaunchError

#: sun_path of unix(7) holds 108 bytes, the last of them zero.
_LONGEST_SOCKET_PATH_BYTES = 107
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Listen:
    """A unix socket's path, or a port on the loopback interface: exactly one of them."""

    place: Path | int

    @classmethod
    def on_socket(cls, path: Path) -> Self:
        """Listen on a unix socket; raise `LaunchError` where its path is too long for one."""
        path = path.absolute()
        if len(bytes(path)) > _LONGEST_SOCKET_PATH_BYTES:
            raise LaunchError(
                f"the engine's socket {path} has a path longer than {_LONGEST_SOCKET_PATH_BYTES} bytes: "
                "choose a shorter data directory, or a port for the engine"
            )
        return cls(path)

    @classmethod
    def on_port(cls, port: int = 0) -> Self:
        """Listen on a loopback port, a free one when it is 0; raise `LaunchError` where it is taken."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_LOOPBACK, port))
            except (OSError, OverflowError) as exc:
                raise LaunchError(f"the engine's port {port} on {_LOOPBACK} cannot be used: {exc}") from exc
            return cls(int(probe.getsockname()[1]))

    @property
    def url(self) -> str:
        """The address as `EngineClient` takes it."""
        if isinstance(self.place, Path):
            return f"http+unix://{self.place}"
        return f"http://{_LOOPBACK}:{self.place}"

    def arguments(self) -> tuple[str, ...]:
        """Say it to vLLM."""
        if isinstance(self.place, Path):
            return ("--uds", str(self.place))
        return ("--host", _LOOPBACK, "--port", str(self.place))

    def answers(self) -> bool:
        """Tell whether something accepts connections there now."""
        with socket.socket(socket.AF_UNIX if isinstance(self.place, Path) else socket.AF_INET) as probe:
            probe.settimeout(1.0)
            address = str(self.place) if isinstance(self.place, Path) else (_LOOPBACK, self.place)
            return probe.connect_ex(address) == 0

    def make_way(self) -> None:
        """Remove a socket that a killed engine left; raise `LaunchError` where a living process still answers."""
        if self.answers():
            raise LaunchError(
                f"something already answers at {self.url}: stop it, or choose another data directory"
            )
        if isinstance(self.place, Path):
            self.place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.place.unlink(missing_ok=True)
